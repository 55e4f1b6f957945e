import { createHash } from 'node:crypto';
import should from 'should';
import type { TransferResult } from '../../../../src/transfer/transfer-types';
import { localServer, wav, type LocalServer } from '../../../support/media';
import { Transfers } from '../../transfer/transfer-fixture';
import { TestBucket } from './bucket-fixture';

/** Bytes after which a connection breaks, in turn. */
const CUTS = [300_000, 6_000_000, 900_000, 5_300_000, 4_000_000, 5_242_880];

describe('a transfer into a bucket', function () {
  const file = wav({ seconds: 700, channels: 2 });
  const sha256 = createHash('sha256').update(file).digest('hex');
  let bucket: TestBucket;
  let transfers: Transfers;
  let media: LocalServer;
  let cuts: number[];
  let etag: string;

  beforeEach(async function () {
    bucket = await TestBucket.create(this);
    transfers = new Transfers();
    cuts = [];
    etag = '"v1"';
    media = await localServer((request, response) => {
      const range = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
      const from = range !== undefined && request.headers['if-range'] === etag ? Number(range) : 0;
      response.writeHead(from > 0 ? 206 : 200, {
        'content-type': 'audio/wav',
        'content-length': file.length - from,
        ...(from > 0 ? { 'content-range': `bytes ${from}-${file.length - 1}/${file.length}` } : {}),
        etag
      });
      const cut = cuts.shift();
      if (cut === undefined) response.end(file.subarray(from));
      else response.write(file.subarray(from, from + cut), () => response.destroy());
    });
  });
  afterEach(async () => {
    await transfers.close();
    await media.close();
    await TestBucket.removeAll();
  });

  /** Like the archive: again, with the rest of earlier attempts. */
  async function untilStored(): Promise<{ result: TransferResult; held: number[] }> {
    const store = bucket.store();
    const held: number[] = [];
    const known: { etag: string | null } = { etag: null };
    for (;;) {
      const part = await store.openPart('job1');
      held.push(part.size);
      try {
        const result = await transfers.run(`${media.url}/a.wav`, part, {
          ...(known.etag === null ? {} : { resumeEtag: known.etag }),
          onValidator: (found) => (known.etag = found),
          onMedia: ({ contentType, size }) => part.begin!({ name: 'a.wav', contentType, size })
        });
        await part.publish({ name: 'a.wav', ...result });
        return { result, held };
      } catch (error) {
        should(error).have.property('retryable', true);
        await part.suspend();
      }
    }
  }

  it('resumes after every cut with the parts in the bucket', async () => {
    cuts = [...CUTS];
    const { result, held } = await untilStored();
    should(result).have.properties({ sha256, size: file.length, resumed: true });
    const part = 5 * 1024 * 1024;
    should(held).matchEach((size: number) => size % part === 0);
    should(held.at(-1)).be.aboveOrEqual(2 * part);
    should(await bucket.server.keys()).eql(['calls/a.wav']);
    const stored = await bucket.server.bytes('calls/a.wav');
    should(createHash('sha256').update(stored).digest('hex')).equal(sha256);
    should(await bucket.server.incompleteUploads()).eql([]);
  });

  it('starts over when the file has changed', async () => {
    cuts = [12_000_000];
    const changing = untilStored();
    await new Promise<void>((resolve) => {
      bucket.server.pause = ({ name }) => {
        if (name === 'UploadPart') {
          etag = '"v2"';
          resolve();
        }
        return undefined;
      };
    });
    const { result } = await changing;
    should(result).have.properties({ sha256, resumed: false });
    should(await bucket.server.keys()).eql(['calls/a.wav']);
    should(await bucket.server.incompleteUploads()).eql([]);
  });
});
