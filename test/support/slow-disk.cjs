// Preloaded into a process whose disk is to be slower than its network: each gathered write, which is how
// recordings are written, takes this many milliseconds more. Responses pause meanwhile.
'use strict';
const fs = require('node:fs');
const process = require('node:process');
const { setTimeout } = require('node:timers');

const DELAY_MS = Number(process.env.SLOW_DISK_MS);
const { writev } = fs;

function slowWritev(...args) {
  setTimeout(() => writev(...args), DELAY_MS);
}
// `promisify` goes by a mark of the original.
Object.defineProperties(slowWritev, Object.getOwnPropertyDescriptors(writev));
fs.writev = slowWritev;
