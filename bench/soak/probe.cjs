// Loaded into the Node-RED of a soak run (`--require`): every five seconds it writes a JSON line to the file named by
// TEST_SOAK_PROCESS, with the memory and descriptors of the process and the delays of its event loop since it started.
'use strict';
const { appendFileSync, readdirSync, readFileSync } = require('node:fs');
const { monitorEventLoopDelay } = require('node:perf_hooks');
const process = require('node:process');
const { setInterval } = require('node:timers');

const EVERY_MS = 5000;
const RESOLUTION_MS = 5;
const file = process.env.TEST_SOAK_PROCESS;
const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
delays.enable();

/** Memory that is not a mapped file, in bytes: pages of the database count only as long as the kernel has room for them. */
function anonymous() {
  const [, kib = 'NaN'] = /^RssAnon:\s*(\d+) kB/m.exec(readFileSync('/proc/self/status', 'latin1')) ?? [];
  return Number(kib) * 1024;
}

/** Milliseconds beyond the pause of the timer that measures. */
function delay(nanoseconds) {
  return Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS);
}

setInterval(() => {
  const { rss, heapUsed, external } = process.memoryUsage();
  const row = {
    at: Date.now(),
    anonymous: anonymous(),
    rss,
    heapUsed,
    external,
    descriptors: readdirSync('/proc/self/fd').length,
    p50: delay(delays.percentile(50)),
    p99: delay(delays.percentile(99)),
    longest: delay(delays.max)
  };
  appendFileSync(file, `${JSON.stringify(row)}\n`);
}, EVERY_MS).unref();
