import { once } from 'node:events';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { untilEither } from '../../concurrency/either-signal';
import { Semaphore } from '../../concurrency/semaphore';
import { CodedError } from '../../errors/coded-error';
import { asSha256 } from '../../values/fields';
import type { StoredContent } from '../content/stored-content';
import type { PeaksData, PeaksReply } from './peaks-worker';
import type { Peaks } from './wav-peaks';
import type { WaveformCache } from './waveform-cache';

/** Bytes of a file for which peaks are found: a day of a call in stereo, at 8,000 Hz and 16 bits. */
const LARGEST_BYTES = 3 * 1024 ** 3;

/** MiB of memory that the thread may have; it holds one piece of a file at a time. */
const WORKER_MEMORY = 64;

type StartWorker = (workerData: PeaksData) => Worker;

const startWorker: StartWorker = (workerData) =>
  new Worker(path.join(__dirname, 'peaks-worker.js'), {
    workerData,
    resourceLimits: { maxOldGenerationSizeMb: WORKER_MEMORY }
  });

/**
 * The waveforms of WAV files. Their bytes are read here, and looked at by a thread of their own: an hour of a call takes a
 * second of computing. One file at a time; what was found is kept.
 */
export class Waveforms {
  readonly #cache: WaveformCache;
  readonly #startWorker: StartWorker;
  readonly #turns = new Semaphore(1);

  /** @param start default: the compiled file beside this one */
  constructor(cache: WaveformCache, start: StartWorker = startWorker) {
    this.#cache = cache;
    this.#startWorker = start;
  }

  /**
   * @param sha256 of the file, from the index: the waveform is that of these bytes
   * @param open called when the waveform is not known yet
   * @returns null when the file has no waveform: it is too large, or no WAV file of a known kind
   * @throws CodedError `STORE_FAILED` when the file cannot be read; `signal.reason` when aborted
   */
  async of(sha256: string, open: () => Promise<StoredContent>, signal: AbortSignal): Promise<Peaks | null> {
    if (asSha256(sha256) === null) return null;
    return await this.#turns.run(signal, async () => {
      const known = await this.#cache.get(sha256);
      if (known !== null) return known;
      const content = await open();
      try {
        if (content.size > LARGEST_BYTES) return null;
        const peaks = await findPeaks(content, this.#startWorker({ size: content.size }), signal);
        if (peaks !== null) await this.#cache.put(sha256, peaks);
        return peaks;
      } finally {
        await content.close();
      }
    });
  }
}

/** @throws as `content.read`; `signal.reason` when aborted */
async function findPeaks(content: StoredContent, worker: Worker, signal: AbortSignal): Promise<Peaks | null> {
  const ended = new AbortController();
  // Also while a slow store is asked for bytes: an error that nobody listens to ends the process.
  worker.on('error', (error) => ended.abort(error));
  worker.on('exit', () => ended.abort());
  try {
    const ask = async (piece: Uint8Array | null): Promise<PeaksReply> => {
      signal.throwIfAborted();
      ended.signal.throwIfAborted();
      worker.postMessage(piece);
      return await untilEither([signal, ended.signal], async (either) => {
        const [reply] = (await once(worker, 'message', { signal: either })) as [PeaksReply];
        return reply;
      });
    };
    for await (const piece of content.read(0, content.size, signal)) {
      const reply = await ask(piece);
      if ('error' in reply) return null;
      if ('peaks' in reply) return reply.peaks;
    }
    const reply = await ask(null);
    return 'peaks' in reply ? reply.peaks : null;
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof CodedError) throw error;
    throw new CodedError('STORE_FAILED', 'The waveform could not be computed: its thread ended.', {
      cause: error
    });
  } finally {
    await worker.terminate();
  }
}
