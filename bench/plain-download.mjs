// The rival of the archive: what somebody writes who wants the files on disk and nothing more. Fetches by
// undici, writes a stream, syncs the file; so many at once.
// Arguments: JSON {origin, size, count, warmUp, concurrency, directory}. Prints one line of JSON.
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { pipeline } from 'node:stream/promises';
import { Agent, request } from 'undici';

const { origin, size, count, warmUp, concurrency, directory } = JSON.parse(process.argv[2] ?? '{}');
const dispatcher = new Agent();

await all('warm', warmUp);
const cpuBefore = process.cpuUsage();
const begun = performance.now();
await all('call', count);
const milliseconds = performance.now() - begun;
const { user, system } = process.cpuUsage(cpuBefore);
console.log(JSON.stringify({ milliseconds, cpu: (user + system) / 1000 }));
await dispatcher.close();

async function all(name, many) {
  let next = 0;
  const lane = async () => {
    while (next < many) {
      const index = next++;
      await one(`${name}-${index}`);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
}

async function one(name) {
  const { statusCode, body } = await request(`${origin}/${name}?size=${size}`, { dispatcher });
  if (statusCode !== 200) throw new Error(`${name}: ${statusCode}`);
  const file = createWriteStream(join(directory, `${name}.wav`), { flags: 'wx', flush: true });
  await pipeline(body, file);
}
