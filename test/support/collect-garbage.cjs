// For child processes with --expose-gc: lets the garbage collector run all the time, so that what nobody
// holds is gone at once.
'use strict';

const { setInterval } = require('node:timers');

setInterval(() => globalThis.gc(), 10).unref();
