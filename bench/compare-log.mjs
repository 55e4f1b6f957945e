// How the delivery log compares with classic-level (LevelDB), for docs/adr/delivery-log.md. classic-level is not
// a dependency of this package; install it in a directory of its own and pass that directory:
//   npm install --prefix /tmp/rival classic-level && node --import tsx bench/compare-log.mjs /tmp/rival
import { randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { setImmediate } from 'node:timers';
import { DeliveryLog } from '../src/webhook/log/delivery-log.ts';

const { ClassicLevel } = createRequire(path.resolve(process.argv[2] ?? '.', 'x.js'))('classic-level');
const root = mkdtempSync(path.join(process.cwd(), '.bench-log-'));
const rawBody = randomBytes(1000);
const FACTS = {
  scope: 'a1b2c3d4e5f60718',
  provider: 'telnyx',
  eventType: 'call.answered',
  verified: 'ed25519',
  keyIndex: 0
};
let count = 0;
const delivery = () => ({
  ...FACTS,
  id: `${(count += 1)}`,
  receivedAt: Date.now(),
  contentType: 'application/json',
  query: null,
  rawBody,
  proof: null,
  answer: null
});

function segments(directory) {
  const log = new DeliveryLog({ directory, since: null, log: () => undefined, onEntry: () => undefined });
  return {
    append: () => log.writer.append(delivery()),
    async readAll() {
      let read = 0;
      for await (const batch of log.read({ from: 0, to: Infinity })) read += batch.length;
      return read;
    },
    close: () => log.close()
  };
}

/** Groups the writes itself: a separate `put` with a sync for each would occupy a thread of the pool. */
function level(directory) {
  const db = new ClassicLevel(directory, {
    keyEncoding: 'buffer',
    valueEncoding: 'buffer',
    compression: false
  });
  let waiting = [];
  let busy = false;
  let next = 0;
  const work = async () => {
    busy = true;
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      try {
        await db.batch(
          group.map(({ key, value }) => ({ type: 'put', key, value })),
          { sync: true }
        );
        for (const { resolve } of group) resolve();
      } catch (error) {
        for (const { reject } of group) reject(error);
      }
    }
    busy = false;
  };
  return {
    append: () =>
      new Promise((resolve, reject) => {
        const key = Buffer.alloc(8);
        key.writeDoubleBE((next += 1));
        const { rawBody: body, ...facts } = delivery();
        const value = Buffer.concat([Buffer.from(JSON.stringify(facts)), body]);
        waiting.push({ key, value, resolve, reject });
        if (!busy) setImmediate(() => busy || work());
      }),
    async readAll() {
      let read = 0;
      const iterator = db.iterator();
      for (let some; (some = await iterator.nextv(256)).length > 0;) {
        for (const [, value] of some) JSON.parse(value.toString('utf8', 0, value.indexOf(125) + 1));
        read += some.length;
      }
      return read;
    },
    close: () => db.close()
  };
}

async function speed(name, open) {
  const directory = path.join(root, name);
  const store = open(directory);
  for (let index = 0; index < 50; index += 1) await store.append();
  const took = [];
  for (let index = 0; index < 500; index += 1) {
    const begun = performance.now();
    await store.append();
    took.push(performance.now() - begun);
  }
  took.sort((a, b) => a - b);
  const total = 60_000;
  let left = total;
  const cpu = process.cpuUsage();
  const begun = performance.now();
  await Promise.all(
    Array.from({ length: 128 }, async () => {
      while ((left -= 1) >= 0) await store.append();
    })
  );
  const seconds = (performance.now() - begun) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  const reading = performance.now();
  const read = await store.readAll();
  const rate = read / ((performance.now() - reading) / 1000);
  await store.close();
  console.log(
    `${name}: one at a time p50 ${took[250].toFixed(3)} ms, p99 ${took[495].toFixed(3)} ms; 128 at a time ` +
      `${(total / seconds).toFixed(0)}/s, ${((user + system) / total).toFixed(1)} µs of processor each; reads ${rate.toFixed(0)}/s`
  );
}

/** How many of 1000 deliveries are lost when one byte of the largest file is flipped, at 40 places in turn. */
async function faults(name, open) {
  const lost = [];
  let failed = 0;
  const whole = path.join(root, `${name}-whole`);
  const store = open(whole);
  for (let index = 0; index < 1000; index += 1) await store.append();
  await store.close();
  const largest = readdirSync(whole)
    .map((file) => ({ file, size: statSync(path.join(whole, file)).size }))
    .sort((a, b) => b.size - a.size)[0].file;
  for (let attempt = 0; attempt < 40; attempt += 1) {
    const copy = path.join(root, `${name}-copy`);
    rmSync(copy, { recursive: true, force: true });
    cpSync(whole, copy, { recursive: true });
    const bytes = readFileSync(path.join(copy, largest));
    const at = Math.floor((bytes.length * (attempt + 0.5)) / 40);
    bytes[at] ^= 0xff;
    writeFileSync(path.join(copy, largest), bytes);
    let damaged;
    try {
      damaged = open(copy);
      lost.push(1000 - (await damaged.readAll()));
    } catch {
      failed += 1;
    }
    await damaged?.close().catch(() => undefined);
  }
  lost.sort((a, b) => a - b);
  console.log(
    `${name}: a byte of 1000 deliveries flipped, 40 times: ${failed} times not readable at all, else lost ${lost[0]} to ${lost.at(-1)}, median ${lost[lost.length >> 1]}`
  );
}

try {
  for (const [name, open] of [
    ['segments', segments],
    ['classic-level', level]
  ]) {
    await speed(name, open);
    await faults(name, open);
  }
} finally {
  rmSync(root, { recursive: true, force: true });
}
