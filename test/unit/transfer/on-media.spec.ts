import { createHash } from 'node:crypto';
import should from 'should';
import { CodedError } from '../../../src/errors/coded-error';
import type { PartialCopy } from '../../../src/store/destination';
import type { MediaFound } from '../../../src/transfer/transfer-types';
import { localServer, sha256, wav, type LocalServer } from '../../support/media';
import { newCopy, Transfers } from './transfer-fixture';

describe('transfer/transfer: what is reported before the first byte is written', () => {
  const file = wav({ seconds: 20 });
  const half = 100_000;
  let server: LocalServer;
  let transfers: Transfers;
  let copy: PartialCopy;

  beforeEach(async () => {
    transfers = new Transfers();
    copy = await newCopy();
    server = await localServer((request, response) => {
      if (request.url === '/page')
        response.writeHead(200, { 'content-type': 'audio/wav' }).end('<html></html>');
      else if (request.url === '/chunked') response.writeHead(200).end(file);
      else {
        const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
        response.writeHead(from > 0 ? 206 : 200, {
          'content-type': 'audio/wav',
          'content-length': file.length - from,
          'content-range': `bytes ${from}-${file.length - 1}/${file.length}`,
          etag: '"v1"'
        });
        response.end(file.subarray(from));
      }
    });
  });
  afterEach(async () => {
    await transfers.close();
    await server.close();
  });

  it('is format, type and size', async () => {
    const told: [MediaFound, number][] = [];
    for (const name of ['file', 'chunked']) {
      await transfers.run(`${server.url}/${name}`, await newCopy(), {
        onMedia: (media) => {
          told.push([media, copy.size]);
          return Promise.resolve();
        }
      });
    }
    should(told).eql([
      [{ format: 'wav', contentType: 'audio/wav', size: file.length }, 0],
      [{ format: 'wav', contentType: 'application/octet-stream', size: null }, 0]
    ]);
  });

  it('is waited for', async () => {
    let size: number | undefined;
    await transfers.run(`${server.url}/file`, copy, {
      onMedia: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        size = copy.size;
      }
    });
    should(size).equal(0);
    should(copy.size).equal(file.length);
  });

  it('is nothing for a page or for the rest of a file', async () => {
    let told = 0;
    const onMedia = (): Promise<void> => {
      told += 1;
      return Promise.resolve();
    };
    await transfers.fail(`${server.url}/page`, copy, { onMedia });
    await copy.write(file.subarray(0, half));
    const result = await transfers.run(`${server.url}/file`, copy, { onMedia, resumeEtag: '"v1"' });
    should(result).have.properties({ resumed: true, sha256: sha256(file) });
    should(told).equal(0);
  });

  it('may be rejected by the store', async () => {
    const error = await transfers.fail(`${server.url}/file`, copy, {
      onMedia: () => Promise.reject(new CodedError('TOO_LARGE', 'too large for this store'))
    });
    should(error.code).equal('TOO_LARGE');
    should(copy.size).equal(0);
  });

  it('a store may remember its bytes instead of reading them', async () => {
    await copy.write(file.subarray(0, half));
    const first = file.subarray(0, half);
    const remembering: PartialCopy = Object.assign(copy, {
      read: () => {
        throw new Error('cannot be read');
      },
      remembered: () => ({
        hash: createHash('sha256').update(first),
        size: half,
        head: first.subarray(0, 4096),
        tail: first.subarray(-4096)
      })
    });
    const result = await transfers.run(`${server.url}/file`, remembering, { resumeEtag: '"v1"' });
    should(result).have.properties({ resumed: true, sha256: sha256(file), size: file.length, format: 'wav' });
  });
});
