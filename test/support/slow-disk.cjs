// Preloaded into a process to make its disk slower than its network: each gathered write, as used for
// recordings, takes this many extra milliseconds. Responses pause meanwhile.
'use strict';
const fs = require('node:fs');
const process = require('node:process');
const { setTimeout } = require('node:timers');

const DELAY_MS = Number(process.env.SLOW_DISK_MS);
const { writev } = fs;

function slowWritev(...args) {
  setTimeout(() => writev(...args), DELAY_MS);
}
// `promisify` relies on a symbol of the original.
Object.defineProperties(slowWritev, Object.getOwnPropertyDescriptors(writev));
fs.writev = slowWritev;
