'use strict';
// Loaded into a Node-RED (`--require`): writes each busy time of its event loop as a JSON line `{at, ms}` to
// the file named by TEST_LOOP_DELAYS. On Linux the time that a busy machine spends on other programs does not
// count.
const { appendFileSync, readFileSync } = require('node:fs');
const { performance } = require('node:perf_hooks');
const process = require('node:process');
const { setInterval } = require('node:timers');

const EVERY_MS = 5;
const WORTH_NOTING_MS = 20;
const file = process.env.TEST_LOOP_DELAYS;

/** Milliseconds that the main thread spent on a processor (proc(5), schedstat). */
function onProcessor() {
  if (process.platform !== 'linux') return performance.now();
  return Number(readFileSync('/proc/self/schedstat', 'latin1').split(' ')[0]) / 1e6;
}

let last = { clock: performance.now(), work: onProcessor() };
setInterval(() => {
  const now = { clock: performance.now(), work: onProcessor() };
  const ms = Math.round(Math.min(now.clock - last.clock, now.work - last.work));
  if (ms > WORTH_NOTING_MS) appendFileSync(file, `${JSON.stringify({ at: Date.now(), ms })}\n`);
  last = { clock: performance.now(), work: onProcessor() };
}, EVERY_MS).unref();
