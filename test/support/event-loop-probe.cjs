// Preloaded into Node-RED: tells how long the event loop stood still. At SIGCONT it writes the longest time since
// the last SIGCONT to the file of the environment variable, and starts again. Node-RED ends at SIGUSR2.
'use strict';
const { writeFileSync, renameSync } = require('node:fs');
const process = require('node:process');
const { setInterval } = require('node:timers');
const { performance } = require('node:perf_hooks');

const file = process.env.EVENT_LOOP_FILE;
const INTERVAL_MS = 10;
let longest = 0;
let asked = 0;
let last = { at: performance.now(), cpu: process.cpuUsage() };

function look() {
  const now = performance.now();
  const { user, system } = process.cpuUsage(last.cpu);
  // On a busy machine a process stands still because others run: then it takes no CPU time meanwhile.
  longest = Math.max(longest, Math.min(now - last.at, (user + system) / 1000) - INTERVAL_MS);
  last = { at: now, cpu: process.cpuUsage() };
}

setInterval(look, INTERVAL_MS).unref();
process.on('SIGCONT', () => {
  look();
  asked += 1;
  // Whole from its first moment on: somebody waits for it.
  writeFileSync(`${file}.new`, JSON.stringify({ asked, longest }));
  renameSync(`${file}.new`, file);
  longest = 0;
});
