// Preloaded into a process whose clock a test sets: on SIGWINCH, which Node-RED does not use, the clock jumps
// by the milliseconds in the file `clock-set` of the working directory, relative to the real time. Timers and
// performance.now() continue, as when the clock of a machine is set. It begins with the milliseconds in `CLOCK_SET`.
'use strict';
const { readFileSync } = require('node:fs');
const process = require('node:process');

const RealDate = Date;
let shift = Number(process.env.CLOCK_SET ?? 0);
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
