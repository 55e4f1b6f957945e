// Preloaded into Node-RED: reports how long the event loop is blocked. On SIGCONT it writes the longest time
// since the last SIGCONT to the file in the environment variable, and starts over. Node-RED ends on SIGUSR2.
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
  // On a busy machine a process also pauses because others run, but then it uses no CPU time.
  longest = Math.max(longest, Math.min(now - last.at, (user + system) / 1000) - INTERVAL_MS);
  last = { at: now, cpu: process.cpuUsage() };
}

setInterval(look, INTERVAL_MS).unref();
process.on('SIGCONT', () => {
  look();
  asked += 1;
  // Complete as soon as it exists, because the test waits for it.
  writeFileSync(`${file}.new`, JSON.stringify({ asked, longest }));
  renameSync(`${file}.new`, file);
  longest = 0;
});
