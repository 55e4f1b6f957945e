import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createFolderStore } from '../src/store/folder-store';
import { createTransferAgents } from '../src/transfer/transfer-agents';
import { transfer } from '../src/transfer/transfer';

const SIZE = 500 * 1024 * 1024;
const SMALL = 1024 * 1024;
const ROUNDS = 5;
const TARGET = 1.2;
const MEMORY_LIMIT = 64 * 1024 * 1024;

export interface BenchResult {
  name: string;
  /** How many times as fast as the rival; null when the rival cannot run here. */
  ratio: number | null;
  target: number;
  details: string[];
}

/**
 * A 500 MB recording over loopback, received, checked, hashed, synced and published, against
 * `curl -o f && sha256sum f && sync f`. The server is a process of its own, the rivals alternate.
 */
export async function run(): Promise<BenchResult> {
  const name = '500 MB recording to disk, against curl && sha256sum && sync';
  const server = startServer();
  const directory = await mkdtemp(join(tmpdir(), 'telnyx-bench-'));
  try {
    const origin = await addressOf(server);
    // A Node-RED that has stored nothing yet compiles code at its first recording, whatever its size.
    await withTransfer(`${origin}/${SMALL}`, SMALL, directory);
    const url = `${origin}/${SIZE}`;
    const ours: number[] = [];
    const rival: number[] = [];
    let memory = 0;
    for (let round = 0; round <= ROUNDS; round++) {
      const curlTime = await withCurl(url, directory);
      const own = await withTransfer(url, SIZE, directory);
      memory = Math.max(memory, own.memory);
      // The first round warms up both.
      if (round === 0) continue;
      rival.push(curlTime);
      ours.push(own.time);
    }
    // Round by round, so that a machine that gets busier in between does not decide.
    const ratio = median(rival.map((time, round) => time / ours[round]!));
    return {
      name,
      ratio,
      target: TARGET,
      details: [
        `this package: median ${median(ours).toFixed(0)} ms (${ours.map((time) => time.toFixed(0)).join(', ')})`,
        `curl, sha256sum, sync: median ${median(rival).toFixed(0)} ms (${rival.map((time) => time.toFixed(0)).join(', ')})`,
        `memory grew by ${(memory / 1024 / 1024).toFixed(1)} MB at most; limit ${MEMORY_LIMIT / 1024 / 1024} MB: ` +
          (memory < MEMORY_LIMIT ? 'kept' : 'EXCEEDED')
      ]
    };
  } finally {
    server.kill();
    await rm(directory, { recursive: true, force: true });
  }
}

async function withTransfer(
  url: string,
  size: number,
  directory: string
): Promise<{ time: number; memory: number }> {
  const folder = join(directory, 'archive');
  const agents = createTransferAgents();
  const store = createFolderStore({ folder });
  const before = process.memoryUsage.rss();
  let peak = before;
  const sampler = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 10);
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
    return { time, memory: peak - before };
  } finally {
    clearInterval(sampler);
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
  if (code !== 0) throw new Error('curl, sha256sum or sync failed; all three are needed for this comparison');
  const time = performance.now() - start;
  await rm(file);
  return time;
}

/** Serves `/<bytes>`: a WAV header and noise from one buffer, so that the server costs as little as it can. */
const SERVER = `
const { createServer } = require('node:http');
const piece = require('node:crypto').randomBytes(1024 * 1024);
const server = createServer((request, response) => {
  const size = Number(request.url.slice(1));
  const head = Buffer.alloc(44);
  head.write('RIFF', 0); head.writeUInt32LE(size - 8, 4); head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16); head.writeUInt16LE(1, 20); head.writeUInt16LE(2, 22); head.writeUInt32LE(8000, 24);
  head.writeUInt32LE(32000, 28); head.writeUInt16LE(4, 32); head.writeUInt16LE(16, 34);
  head.write('data', 36); head.writeUInt32LE(size - 44, 40);
  response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': size, etag: '"bench"' });
  let left = size - head.length;
  response.write(head);
  const send = () => {
    while (left > 0) {
      const next = left < piece.length ? piece.subarray(0, left) : piece;
      left -= next.length;
      if (!response.write(next) && left > 0) return response.once('drain', send);
    }
    response.end();
  };
  send();
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
`;

function startServer(): ChildProcess {
  return spawn(process.execPath, ['-e', SERVER], { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function addressOf(server: ChildProcess): Promise<string> {
  const lines = createInterface({ input: server.stdout! });
  const [port] = (await once(lines, 'line')) as [string];
  lines.close();
  return `http://127.0.0.1:${port}`;
}

function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}
