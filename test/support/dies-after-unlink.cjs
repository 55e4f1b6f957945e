// Preloaded into Node-RED: the process ends like in a power cut as soon as a file whose path has a certain end was deleted,
// before anybody hears of it. The end is in the file DIES_AFTER_FILE; without that file nothing happens.
'use strict';
const fs = require('node:fs');
const process = require('node:process');

const { unlink, readFileSync } = fs;

function wanted() {
  try {
    return readFileSync(process.env.DIES_AFTER_FILE, 'utf8');
  } catch {
    return null;
  }
}

function watchedUnlink(path, done) {
  unlink(path, (...answer) => {
    const end = wanted();
    if (end !== null && String(path).endsWith(end)) process.kill(process.pid, 'SIGKILL');
    done(...answer);
  });
}
// `promisify` relies on a symbol of the original.
Object.defineProperties(watchedUnlink, Object.getOwnPropertyDescriptors(unlink));
fs.unlink = watchedUnlink;
