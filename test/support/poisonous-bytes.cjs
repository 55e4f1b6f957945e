// Preloaded into a Node-RED whose process is to die, or to hang, whenever certain bytes are hashed: as a fault in
// whatever looks at a recording would make it. Each time in another way. Writes a line to POISON_LOG before.
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
  // What is left is a hang.
  while (WAYS[way] !== WAYS[2]);
}

crypto.Hash.prototype.update = function (data, ...rest) {
  if (typeof data !== 'string' && Buffer.from(data.buffer, data.byteOffset, data.byteLength).includes(POISON))
    die();
  return update.call(this, data, ...rest);
};
