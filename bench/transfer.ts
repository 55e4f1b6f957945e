import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFolderStore } from '../src/store/folder/folder-store';
import { partOwner } from '../src/store/folder/parts/part-owner';
import { createTransferAgents } from '../src/transfer/source-request';
import { transfer } from '../src/transfer/transfer';
import { Child } from '../test/support/child-process';
import { addressOf } from './archive-instance';
import { type BenchResult, median } from './bench-result';
import { memoryResult } from './memory-result';
import { ResidentMemory } from './process-cost';

const SIZE = 500 * 1024 * 1024;
const SMALL = 1024 * 1024;
const ROUNDS = 5;
const TARGET = 2.5;

/**
 * A 500 MB recording over loopback, received, checked, hashed, synced and published, against `curl -o f &&
 * sha256sum f && sync f`; also measures the growth of memory. The server is a separate process, the rivals
 * alternate.
 */
export async function run(): Promise<BenchResult[]> {
  const server = new Child(join(__dirname, 'processes/media-server.mjs'), []);
  const directory = await mkdtemp(join(tmpdir(), 'telnyx-bench-'));
  try {
    const origin = await addressOf(server);
    // A new Node-RED compiles code at its first recording, whatever its size.
    await withTransfer(`${origin}/small?size=${SMALL}`, SMALL, directory);
    const url = `${origin}/large?size=${SIZE}`;
    const ours: number[] = [];
    const rival: number[] = [];
    const memory = ResidentMemory.watch(process.pid);
    for (let round = 0; round <= ROUNDS; round++) {
      const curlTime = await withCurl(url, directory);
      const own = await withTransfer(url, SIZE, directory);
      // The first round warms up both.
      if (round === 0) continue;
      rival.push(curlTime);
      ours.push(own);
    }
    // Round by round, so that a change in the load of the machine does not decide.
    const ratio = median(rival.map((time, round) => time / ours[round]!));
    const each = (times: number[]): string =>
      `median ${median(times).toFixed(0)} ms (${times.map((time) => time.toFixed(0)).join(', ')})`;
    return [
      {
        name: '500 MB recording to disk, against curl && sha256sum && sync',
        ratio,
        target: TARGET,
        details: [`this package: ${each(ours)}`, `curl, sha256sum, sync: ${each(rival)}`]
      },
      memoryResult('a 500 MB recording to disk', memory, [])
    ];
  } finally {
    await server.end();
    await rm(directory, { recursive: true, force: true });
  }
}

/** @returns milliseconds */
async function withTransfer(url: string, size: number, directory: string): Promise<number> {
  const folder = join(directory, 'archive');
  const agents = createTransferAgents();
  const store = createFolderStore({ folder, owner: partOwner('0'.repeat(32)) });
  try {
    const start = performance.now();
    const part = await store.openPart('bench');
    const result = await transfer(
      {
        url,
        network: 'any',
        kind: 'audio',
        maxSize: 0,
        stallTimeoutMs: 30_000,
        into: part,
        signal: new AbortController().signal
      },
      { agents }
    );
    await part.publish({ name: 'recording.wav', ...result });
    const time = performance.now() - start;
    if (result.size !== size) throw new Error(`expected ${size} bytes, got ${result.size}`);
    return time;
  } finally {
    await agents.close();
    await rm(folder, { recursive: true, force: true });
  }
}

async function withCurl(url: string, directory: string): Promise<number> {
  const file = join(directory, 'curl.wav');
  const start = performance.now();
  const child = spawn('sh', ['-c', 'curl -sS -o "$1" "$2" && sha256sum "$1" && sync "$1"', 'sh', file, url], {
    stdio: ['ignore', 'ignore', 'inherit']
  });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error('curl, sha256sum or sync failed; this comparison needs all three');
  const time = performance.now() - start;
  await rm(file);
  return time;
}
