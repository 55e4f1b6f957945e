// For child processes with --expose-gc: runs the garbage collector all the time, so that unreferenced objects
// disappear immediately.
'use strict';

const { setInterval } = require('node:timers');

setInterval(() => globalThis.gc(), 10).unref();
