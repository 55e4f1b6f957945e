import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { StateDatabase } from '../src/state/state-database';
import { createBucketStore, type BucketStore } from '../src/store/bucket-store';
import { createTransferAgents, type TransferAgents } from '../src/transfer/transfer-agents';
import { transfer } from '../src/transfer/transfer';
import type { BenchResult } from './bench-result';

const SIZE = 2 * 1024 ** 3;
const AT_ONCE = 4;
const MEMORY_LIMIT = 64 * 1024 * 1024;

/**
 * Four recordings of 2 GB at the same time, from one server into a bucket on another: by how much the
 * memory of this process grows. Both servers are processes of their own; the one of the bucket counts
 * and hashes what comes and keeps none of it.
 */
export async function run(): Promise<BenchResult> {
  const servers = startServers();
  const directory = await mkdtemp(join(tmpdir(), 'telnyx-bench-'));
  const database = new StateDatabase(directory);
  const agents = createTransferAgents();
  try {
    const [source, sink] = await addressesOf(servers);
    const store = createBucketStore({
      settings: {
        endpoint: sink,
        region: 'us-east-1',
        bucket: 'bench',
        prefix: '',
        forcePathStyle: true,
        sse: '',
        kmsKeyId: null,
        credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' }
      },
      ledger: database.collection('bucket-uploads')
    });
    // A Node-RED that has stored nothing yet loads the AWS SDK at its first recording, whatever its size.
    for (const size of [1024 * 1024, 12 * 1024 * 1024])
      await bring(agents, store, source, sink, size, 'warm-up');

    const before = process.memoryUsage.rss();
    let peak = before;
    const sampler = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 10);
    const start = performance.now();
    const names = Array.from({ length: AT_ONCE }, (_value, index) => `recording-${index}`);
    await Promise.all(names.map((name) => bring(agents, store, source, sink, SIZE, name)));
    const seconds = (performance.now() - start) / 1000;
    clearInterval(sampler);
    await store.close();
    const growth = peak - before;
    return {
      name: `memory for ${AT_ONCE} recordings of 2 GB at once into a bucket, limit 64 MB`,
      ratio: MEMORY_LIMIT / growth,
      target: 1,
      details: [
        `memory grew by ${mebibytes(growth)} MB at most, from ${mebibytes(before)} MB`,
        `${mebibytes((AT_ONCE * SIZE) / seconds)} MB a second, each hash compared with what the bucket got`
      ]
    };
  } finally {
    servers.kill();
    await agents.close();
    await database.close();
    await rm(directory, { recursive: true, force: true });
  }
}

/** Brings one file over and compares hashes with what the bucket's server counted. */
async function bring(
  agents: TransferAgents,
  store: BucketStore,
  source: string,
  sink: string,
  size: number,
  jobId: string
): Promise<void> {
  const name = `${jobId}-${size}.wav`;
  const part = await store.openPart(jobId);
  const result = await transfer(
    {
      url: `${source}/${size}`,
      network: 'any',
      kind: 'audio',
      maxSize: 0,
      stallTimeoutMs: 60_000,
      into: part,
      onMedia: (media) => part.begin?.({ name, ...media }) ?? Promise.resolve(),
      signal: new AbortController().signal
    },
    { agents }
  );
  await part.publish({ name, ...result });
  const counted = await (await fetch(`${sink}/hash/${name}`)).text();
  if (counted !== result.sha256 || result.size !== size)
    throw new Error(`${name} arrived damaged: ${counted}`);
}

/**
 * Two servers in one process. The source sends `/<bytes>`: a WAV header and noise from one buffer. The
 * bucket takes what the S3 protocol needs, hashes parts in their order, and forgets them.
 */
const SERVERS = `
const { createServer } = require('node:http');
const { createHash, randomBytes } = require('node:crypto');
const piece = randomBytes(1024 * 1024);
const source = createServer((request, response) => {
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
const uploads = new Map();
const objects = new Map();
const xml = (response, body) => response.writeHead(200, { 'content-type': 'application/xml' }).end(body);
const bucket = createServer((request, response) => {
  const { pathname, searchParams: query } = new URL(request.url, 'http://bench');
  const key = pathname.split('/').pop();
  if (pathname.startsWith('/hash/')) return response.end(objects.get(key).hash);
  if (request.method === 'GET') {
    const found = objects.get(key);
    if (found === undefined)
      return response.writeHead(404, { 'content-type': 'application/xml' }).end('<Error><Code>NoSuchKey</Code></Error>');
    return response.writeHead(206, { 'content-range': 'bytes 0-0/' + found.size, 'content-length': 1 }).end('x');
  }
  if (query.has('uploads')) {
    uploads.set(key, { hash: createHash('sha256'), size: 0 });
    return xml(response, '<InitiateMultipartUploadResult><UploadId>' + key + '</UploadId></InitiateMultipartUploadResult>');
  }
  const upload = uploads.get(key) ?? { hash: createHash('sha256'), size: 0 };
  if (request.method === 'POST') {
    request.resume();
    objects.set(key, { hash: upload.hash.digest('hex'), size: upload.size });
    return xml(response, '<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>');
  }
  request.on('data', (bytes) => { upload.hash.update(bytes); upload.size += bytes.length; });
  request.on('end', () => {
    if (!query.has('partNumber')) objects.set(key, { hash: upload.hash.digest('hex'), size: upload.size });
    response.writeHead(200, { etag: '"x"' }).end();
  });
});
source.listen(0, '127.0.0.1', () => bucket.listen(0, '127.0.0.1', () =>
  console.log(source.address().port + ' ' + bucket.address().port)));
`;

function startServers(): ChildProcess {
  return spawn(process.execPath, ['-e', SERVERS], { stdio: ['ignore', 'pipe', 'inherit'] });
}

async function addressesOf(servers: ChildProcess): Promise<[string, string]> {
  const lines = createInterface({ input: servers.stdout! });
  const [ports] = (await once(lines, 'line')) as [string];
  lines.close();
  const [source = '', sink = ''] = ports.split(' ').map((port) => `http://127.0.0.1:${port}`);
  return [source, sink];
}

function mebibytes(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1);
}
