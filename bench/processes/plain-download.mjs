// The rival of the archive: a script that only puts files on disk. Fetches over kept connections, writes a
// stream and syncs the file, a number of them at the same time.
// Arguments: JSON {origin, size, count, warmUp, concurrency, directory}. Prints one line of JSON.
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { pipeline } from 'node:stream/promises';

const { origin, size, count, warmUp, concurrency, directory } = JSON.parse(process.argv[2] ?? '{}');
const agent = new Agent({ keepAlive: true });

await all('warm', warmUp);
const cpuBefore = process.cpuUsage();
const begun = performance.now();
await all('call', count);
const milliseconds = performance.now() - begun;
const { user, system } = process.cpuUsage(cpuBefore);
console.log(JSON.stringify({ milliseconds, cpu: (user + system) / 1000 }));
agent.destroy();

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
  const [body] = await once(get(`${origin}/${name}?size=${size}`, { agent }), 'response');
  if (body.statusCode !== 200) throw new Error(`${name}: ${body.statusCode}`);
  const file = createWriteStream(join(directory, `${name}.wav`), { flags: 'wx', flush: true });
  await pipeline(body, file);
}
