import path from 'node:path';
import { Worker } from 'node:worker_threads';

const WORKER = path.join(__dirname, '../../../../src/library/waveform/peaks-worker.ts');

/** The thread for waveforms without a build. */
export function workerFromSource(workerData: unknown): Worker {
  const start = `require('tsx/cjs/api').register(); require(${JSON.stringify(WORKER)});`;
  return new Worker(start, { eval: true, workerData });
}
