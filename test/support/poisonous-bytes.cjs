// Preloaded into a Node-RED that must die or hang whenever it hashes certain bytes, like a fault in code that
// reads a recording. It fails in a different way each time, and writes a line to POISON_LOG first.
'use strict';
const { Buffer } = require('node:buffer');
const crypto = require('node:crypto');
const fs = require('node:fs');
const process = require('node:process');
const { setImmediate } = require('node:timers');

const { POISON, POISON_LOG = '' } = process.env;
const { update } = crypto.Hash.prototype;

const WAYS = [
  () => process.kill(process.pid, 'SIGSEGV'),
  () => process.abort(),
  () => {
    throw new Error('thrown where nobody catches it');
  },
  () => undefined
];

function die() {
  const deaths = fs.existsSync(POISON_LOG) ? fs.readFileSync(POISON_LOG, 'utf8').split('\n').length - 1 : 0;
  const way = deaths % WAYS.length;
  fs.appendFileSync(POISON_LOG, `${process.pid} ${way}\n`);
  if (WAYS[way] === WAYS[2]) setImmediate(WAYS[way]);
  else WAYS[way]();
  // The remaining way is a hang.
  while (WAYS[way] !== WAYS[2]);
}

crypto.Hash.prototype.update = function (data, ...rest) {
  if (typeof data !== 'string' && Buffer.from(data.buffer, data.byteOffset, data.byteLength).includes(POISON))
    die();
  return update.call(this, data, ...rest);
};
