import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import should from 'should';
import type { StoredContent } from '../../../../src/library/content/stored-content';
import { WaveformCache } from '../../../../src/library/waveform/waveform-cache';
import { Waveforms } from '../../../../src/library/waveform/waveforms';

describe('a waveform whose thread cannot start', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'telnyx-waveforms-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  it('is missing, and nothing else fails, while a slow store is asked for the first bytes', async () => {
    let closed = 0;
    let failing: Worker | undefined;
    const content: StoredContent = {
      size: 10,
      version: '',
      async *read() {
        // The thread ends before anything is asked of it, as it does while an update of the package replaces its file.
        // Not by `once` of node:events, which would listen to its error.
        await new Promise((resolve) => failing?.on('exit', resolve));
        yield Buffer.alloc(10);
      },
      close: () => {
        closed += 1;
        return Promise.resolve();
      }
    };
    const waveforms = new Waveforms(new WaveformCache(folder), (workerData) => {
      failing = new Worker(path.join(folder, 'missing.js'), { workerData });
      return failing;
    });
    const signal = AbortSignal.timeout(60_000);
    await should(waveforms.of('a'.repeat(64), () => Promise.resolve(content), signal)).be.rejectedWith({
      code: 'STORE_FAILED'
    });
    should(closed).equal(1);
    should(signal.aborted).be.false();
  });
});
