// Preloaded into a process whose clock a test sets: on SIGWINCH, which Node-RED leaves alone, the time of day jumps by the milliseconds that the file
// `clock-set` in the working directory holds, counted from the real time. Timers and performance.now() go on, as they do
// when somebody sets the clock of a machine.
'use strict';
const { readFileSync } = require('node:fs');
const process = require('node:process');

const RealDate = Date;
let shift = 0;
const now = () => RealDate.now() + shift;

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, newTarget) =>
    Reflect.construct(target, args.length === 0 ? [now()] : args, newTarget),
  apply: () => new RealDate(now()).toString(),
  get: (target, name) => (name === 'now' ? now : Reflect.get(target, name))
});

process.on('SIGWINCH', () => {
  shift = Number(readFileSync('clock-set', 'utf8'));
  process.stdout.write(`the clock was set by ${shift} ms\n`);
});
