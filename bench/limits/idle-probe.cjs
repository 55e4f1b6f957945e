// Preloaded into Node-RED: on SIGCONT, it collects garbage and writes what belongs to the process alone, in MB, and the files of
// all modules that are loaded.
'use strict';
const { readFileSync, renameSync, writeFileSync } = require('node:fs');
const process = require('node:process');
const { setTimeout } = require('node:timers');

const file = process.env.LIMITS_IDLE_FILE;
/** The heap gives memory back some time after a collection, and not all at once. */
const COLLECTIONS = 8;
const PAUSE_MS = 500;

process.on('SIGCONT', () => collect(COLLECTIONS));

function collect(left) {
  globalThis.gc();
  setTimeout(left > 1 ? () => collect(left - 1) : tell, PAUSE_MS);
}

function tell() {
  const [, kilobytes] = /^RssAnon:\s*(\d+) kB/m.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  const megabytes = Number(kilobytes) / 1024;
  writeFileSync(`${file}.new`, JSON.stringify({ megabytes, files: Object.keys(require.cache) }));
  renameSync(`${file}.new`, file);
}
