import path from 'node:path';
import { Child } from '../test/support/child-process';
import { addressOf, ArchiveInstance, bucketNode } from './archive-instance';
import type { BenchResult } from './bench-result';
import { memoryResult } from './memory-result';
import { ResidentMemory } from './process-cost';

const SIZE = 2 * 1024 ** 3;
const AT_ONCE = 4;
const MIB = 1024 ** 2;

/**
 * Recordings of 2 GB, four at the same time, through the real node on a real Node-RED: measures the growth of
 * the resident memory of its process, for a folder and a bucket. The servers are separate processes; that of
 * the bucket compares each hash with the sidecar.
 */
export async function run(): Promise<BenchResult[]> {
  return [await toFolder(), await toBucket()];
}

async function toFolder(): Promise<BenchResult> {
  const instance = await ArchiveInstance.start({ concurrency: AT_ONCE });
  try {
    return await measured(instance, 'to a folder');
  } finally {
    await instance.stop();
  }
}

async function toBucket(): Promise<BenchResult> {
  const sink = new Child(path.join(__dirname, 'processes/bucket-server.mjs'), []);
  try {
    const download = { destination: 'bucket', bucket: 'bucket', concurrency: AT_ONCE };
    const instance = await ArchiveInstance.start(download, [bucketNode(await addressOf(sink))]);
    try {
      return await measured(instance, 'to a bucket');
    } finally {
      await instance.stop();
    }
  } finally {
    await sink.end();
  }
}

async function measured(instance: ArchiveInstance, where: string): Promise<BenchResult> {
  // A new Node-RED compiles code at its first recordings, whatever their size.
  for (const [round, size] of [MIB, 12 * MIB].entries()) await instance.store(`warm-${round}`, 16, size);
  const memory = ResidentMemory.watch(instance.nodeRed.pid);
  const begun = performance.now();
  await instance.store('large', AT_ONCE, SIZE);
  const seconds = (performance.now() - begun) / 1000;
  const rate = `${((AT_ONCE * SIZE) / seconds / MIB).toFixed(0)} MB a second`;
  return memoryResult(`${AT_ONCE} recordings of 2 GB at once ${where}`, memory, [rate]);
}
