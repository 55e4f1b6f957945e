import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import type { StoredContent } from '../../../../src/library/content/stored-content';
import { WaveformCache } from '../../../../src/library/waveform/waveform-cache';
import { Waveforms } from '../../../../src/library/waveform/waveforms';
import { wavFile } from './wav-file';
import { workerFromSource } from './worker-from-source';

const SHA = 'a'.repeat(64);
const SIGNAL = new AbortController().signal;

describe('waveforms', () => {
  let folder: string;
  let opened = 0;
  let closed = 0;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'telnyx-waveforms-'));
    opened = closed = 0;
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  function contentOf(bytes: Uint8Array): () => Promise<StoredContent> {
    return () => {
      opened += 1;
      return Promise.resolve({
        size: bytes.length,
        version: '',
        async *read(start: number, end: number) {
          for (let at = start; at < end; at += 1000)
            yield await Promise.resolve(bytes.slice(at, Math.min(at + 1000, end)));
        },
        close: () => {
          closed += 1;
          return Promise.resolve();
        }
      });
    };
  }

  const tone = wavFile({
    rate: 8000,
    channels: [Array.from({ length: 16_000 }, (_v, at) => (at < 8000 ? 0.5 : -0.25))]
  });

  it('computes the waveform in a thread of its own, and keeps it', async () => {
    const waveforms = new Waveforms(new WaveformCache(path.join(folder, 'waveforms')), workerFromSource);
    const peaks = await waveforms.of(SHA, contentOf(tone), SIGNAL);
    should(peaks?.duration).equal(2);
    should(peaks?.channels[0]).have.length(1000);
    should(peaks?.channels[0]?.[0]).be.approximately(0.5, 0.001);
    should(peaks?.channels[0]?.[999]).be.approximately(-0.25, 0.001);
    should(await waveforms.of(SHA, contentOf(tone), SIGNAL)).eql(peaks);
    const later = new Waveforms(new WaveformCache(path.join(folder, 'waveforms')), workerFromSource);
    should(await later.of(SHA, contentOf(tone), SIGNAL)).eql(peaks);
    should([opened, closed]).eql([1, 1]);
  });

  it('has none for a file of another kind, for one that is empty, and for a name that is no hash', async () => {
    const waveforms = new Waveforms(new WaveformCache(folder), workerFromSource);
    for (const bytes of [Buffer.from('ID3 an MP3 file'), Buffer.alloc(0), Buffer.from('RIFF')])
      should(await waveforms.of(SHA, contentOf(bytes), SIGNAL)).be.null();
    should(await waveforms.of('../../etc/passwd', contentOf(tone), SIGNAL)).be.null();
    should(await readdir(folder)).be.empty();
    should(opened).equal(closed);
  });

  it('ends when nobody wants it any more', async () => {
    const waveforms = new Waveforms(new WaveformCache(folder), workerFromSource);
    const controller = new AbortController();
    const work = waveforms.of(SHA, contentOf(tone), controller.signal);
    controller.abort();
    await should(work).be.rejected();
    should(opened).equal(closed);
    should(await waveforms.of(SHA, contentOf(tone), SIGNAL)).not.be.null();
  });

  it('keeps a limited number, the latest', async () => {
    const cache = new WaveformCache(folder, 10);
    for (let count = 0; count < 25; count += 1) {
      const name = String(count).padStart(64, '0');
      await cache.put(name, { channels: [[count]], duration: 1 });
      await utimes(path.join(folder, `${name}.json`), count, count);
    }
    should((await readdir(folder)).length).be.within(5, 11);
    should(await cache.get('24'.padStart(64, '0'))).eql({ channels: [[24]], duration: 1 });
    should(await cache.get('0'.padStart(64, '0'))).be.null();
  });
});
