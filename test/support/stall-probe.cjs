// Loaded into a process under test (`--require`). Records four times a second the longest block of the event
// loop, and the memory of the process. A turn counts with the CPU time of the process itself: on a busy machine
// it also waits for the processor, which is not its fault.
'use strict';
const { appendFileSync } = require('node:fs');
const { performance } = require('node:perf_hooks');
const process = require('node:process');
const { setInterval } = require('node:timers');

const file = process.env.STALL_PROBE_FILE;
const TICK_MS = 10;
let wall = performance.now();
let cpu = process.cpuUsage();
let longest = 0;
let written = wall;

setInterval(() => {
  const now = performance.now();
  const used = process.cpuUsage(cpu);
  const busy = (used.user + used.system) / 1000;
  longest = Math.max(longest, Math.min(now - wall - TICK_MS, busy));
  wall = now;
  cpu = process.cpuUsage();
  if (now - written < 250) return;
  written = now;
  const line = { at: Date.now(), stall: Math.round(longest), rss: process.memoryUsage.rss() };
  appendFileSync(file, `${JSON.stringify(line)}\n`);
  longest = 0;
}, TICK_MS).unref();
