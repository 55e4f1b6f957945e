import type { IncomingMessage, ServerResponse } from 'node:http';
import should from 'should';
import type { PartialCopy } from '../../../src/store/destination';
import { localServer, sha256, wav, type LocalServer } from '../../support/media';
import { held, newCopy, Transfers } from './transfer-fixture';

describe('transfer/transfer: resuming', () => {
  const file = wav({ seconds: 20, seed: 1 });
  const changed = wav({ seconds: 20, seed: 2 });
  const half = 150_001;
  /** Where a transfer resumes: 4 kB before the end of its bytes. */
  const start = half - 4096;
  let server: LocalServer | undefined;
  let seen: IncomingMessage[];
  let transfers: Transfers;
  let copy: PartialCopy;

  beforeEach(async () => {
    transfers = new Transfers();
    copy = await newCopy();
    await copy.write(file.subarray(0, half));
    seen = [];
  });
  afterEach(async () => {
    await transfers.close();
    await server?.close();
    server = undefined;
  });

  async function serve(
    answer: (request: IncomingMessage, response: ServerResponse) => void
  ): Promise<string> {
    server = await localServer((request, response) => {
      seen.push(request);
      answer(request, response);
    });
    return server.url;
  }
  /** Answers 206 as RFC 9110 requires, with deviations. */
  function part(
    request: IncomingMessage,
    response: ServerResponse,
    body: Buffer,
    over: Record<string, string> = {}
  ): void {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? NaN);
    response.writeHead(206, {
      'content-type': 'audio/wav',
      'content-range': `bytes ${from}-${body.length - 1}/${body.length}`,
      'content-length': body.length - from,
      etag: '"v1"',
      ...over
    });
    response.end(body.subarray(from));
  }
  function whole(response: ServerResponse, body: Buffer, etag = '"v1"'): void {
    response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': body.length, etag }).end(body);
  }
  async function isStored(body: Buffer): Promise<void> {
    should((await held(copy)).equals(body)).be.true();
  }

  it('resumes where it was cut off', async () => {
    const url = await serve((request, response) => part(request, response, file));
    const progress: [number, number | null][] = [];
    const result = await transfers.run(url, copy, {
      resumeEtag: '"v1"',
      onProgress: (...step) => progress.push(step)
    });
    should(result).have.properties({ resumed: true, size: file.length, sha256: sha256(file), format: 'wav' });
    await isStored(file);
    should(seen[0]!.headers).have.properties({ range: `bytes=${start}-`, 'if-range': '"v1"' });
    should(progress[0]![0]).be.above(half);
    should(progress.at(-1)).eql([file.length, file.length]);
  });

  it('needs no more than the overlap when it already has everything', async () => {
    await copy.write(file.subarray(half));
    const url = await serve((request, response) => part(request, response, file));
    const result = await transfers.run(url, copy, { resumeEtag: '"v1"' });
    should(result).have.properties({ resumed: true, size: file.length, sha256: sha256(file) });
  });

  it('starts over when the file changed', async () => {
    const url = await serve((_request, response) => whole(response, changed, '"v2"'));
    const validators: (string | null)[] = [];
    const result = await transfers.run(url, copy, {
      resumeEtag: '"v1"',
      onValidator: (etag) => validators.push(etag)
    });
    should(result).have.properties({ resumed: false, sha256: sha256(changed) });
    should(validators).eql(['"v2"']);
    await isStored(changed);
  });

  it('requests no range when it cannot know whether it is the same file', async () => {
    const url = await serve((_request, response) => whole(response, changed));
    for (const etag of [undefined, 'W/"v1"', 'v1']) {
      seen = [];
      const result = await transfers.run(url, copy, etag === undefined ? {} : { resumeEtag: etag });
      should(result).have.properties({ resumed: false, sha256: sha256(changed) });
      should(seen).have.length(1);
      should(seen[0]!.headers).not.have.property('range');
      await isStored(changed);
    }
  });

  const unusable: [string, (request: IncomingMessage, response: ServerResponse) => void][] = [
    ['416', (_request, response) => response.writeHead(416, { 'content-range': 'bytes */10' }).end()],
    ['a part of another version', (request, response) => part(request, response, changed, { etag: '"v2"' })],
    ['a part without an ETag', (request, response) => part(request, response, changed, { etag: '' })],
    [
      'a part from elsewhere',
      (request, response) => part(request, response, file, { 'content-range': 'bytes 7-9/10' })
    ],
    [
      'a part without Content-Range',
      (request, response) => part(request, response, file, { 'content-range': '' })
    ],
    [
      'several parts',
      (request, response) =>
        part(request, response, file, { 'content-type': 'multipart/byteranges', 'content-range': 'none' })
    ],
    [
      'a range beyond the end',
      (request, response) =>
        part(request, response, file, { 'content-range': `bytes ${start}-${file.length}/${file.length}` })
    ]
  ];
  for (const [what, answer] of unusable)
    it(`starts over in the same attempt after ${what}`, async () => {
      const url = await serve((request, response) =>
        request.headers.range === undefined ? whole(response, file) : answer(request, response)
      );
      const result = await transfers.run(url, copy, { resumeEtag: '"v1"' });
      should(result).have.properties({ resumed: false, sha256: sha256(file) });
      should(seen).have.length(2);
      await isStored(file);
    });

  for (const range of [`${start}-${half + 9}/${half + 10}`, `${start}-${half + 9}/*`])
    it(`does not take ${range} for the end of a file that was longer or of unknown length`, async () => {
      const url = await serve((request, response) => {
        if (request.headers.range === undefined) return whole(response, file);
        const headers = { 'content-type': 'audio/wav', 'content-range': `bytes ${range}`, etag: '"v1"' };
        response
          .writeHead(206, { ...headers, 'content-length': half + 10 - start })
          .end(file.subarray(start, half + 10));
      });
      const resume = { resumeEtag: '"v1"', ...(!range.endsWith('*') && { resumeSize: file.length }) };
      const result = await transfers.run(url, copy, resume);
      should(result).have.properties({ resumed: false, sha256: sha256(file) });
      await isStored(file);
    });

  it('resumes with a range of unknown total when the total is known, and notices an early end', async () => {
    let end = file.length;
    const url = await serve((_request, response) => {
      const range = `bytes ${start}-${end - 1}/*`;
      const headers = { 'content-type': 'audio/wav', 'content-range': range, etag: '"v1"' };
      response.writeHead(206, { ...headers, 'content-length': end - start }).end(file.subarray(start, end));
    });
    const known = [{ resumeSize: file.length }, { expected: { size: file.length, sha256: null } }];
    for (const size of known) {
      const resume = { resumeEtag: '"v1"', ...size };
      end = file.length;
      should(await transfers.run(url, copy, resume)).have.properties({ resumed: true, sha256: sha256(file) });
      copy = await newCopy();
      await copy.write(file.subarray(0, half));
      end = half + 10;
      should(await transfers.fail(url, copy, resume)).have.properties({ code: 'TRUNCATED', retryable: true });
      copy = await newCopy();
      await copy.write(file.subarray(0, half));
    }
  });

  it('does not take a shorter range than requested for the end', async () => {
    const end = half + 50_000;
    const url = await serve((_request, response) => {
      const range = `bytes ${start}-${end - 1}/${file.length}`;
      const headers = { 'content-type': 'audio/wav', 'content-range': range, etag: '"v1"' };
      response.writeHead(206, { ...headers, 'content-length': end - start }).end(file.subarray(start, end));
    });
    const error = await transfers.fail(url, copy, { resumeEtag: '"v1"' });
    should(error).have.properties({ code: 'TRUNCATED', retryable: true });
    await isStored(file.subarray(0, end)); // the next attempt resumes here
  });

  for (const before of [1, 2, 2048, 4096])
    it(`drops both ranges when they differ ${before} bytes before their seam`, async () => {
      const wrong = Buffer.from(file);
      wrong[half - before] = (wrong[half - before]! + 1) & 255;
      const url = await serve((request, response) => part(request, response, wrong));
      should(await transfers.fail(url, copy, { resumeEtag: '"v1"' })).have.properties({
        code: 'TRUNCATED',
        retryable: true
      });
      should(copy.size).equal(0);
      should(await transfers.run(url, copy, { resumeEtag: '"v1"' }).catch(() => null)).equal(null);
      should(seen.at(-1)?.headers).not.have.property('range');
    });

  it('does not splice two files with the same ETag, length and byte at the seam', async () => {
    const spliced = Buffer.from(changed);
    spliced[half - 1] = file[half - 1]!;
    const url = await serve((request, response) =>
      request.headers.range === undefined ? whole(response, spliced) : part(request, response, spliced)
    );
    should((await transfers.fail(url, copy, { resumeEtag: '"v1"' })).code).equal('TRUNCATED');
    const result = await transfers.run(url, copy, { resumeEtag: '"v1"' });
    should(result).have.properties({ resumed: false, sha256: sha256(spliced) });
    await isStored(spliced);
  });

  it('compares the overlap, however small its chunks', async () => {
    const url = await serve((request, response) => {
      const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1]);
      const headers = {
        'content-type': 'audio/wav',
        etag: '"v1"',
        'content-range': `bytes ${from}-${file.length - 1}/${file.length}`
      };
      response.writeHead(206, headers);
      for (let at = from; at < half + 100; at += 100) response.write(file.subarray(at, at + 100));
      response.end(file.subarray(from + 100 * Math.ceil((half + 100 - from) / 100)));
    });
    const result = await transfers.run(url, copy, { resumeEtag: '"v1"' });
    should(result).have.properties({ resumed: true, sha256: sha256(file) });
    await isStored(file);
  });

  it('starts over when it has less than an overlap', async () => {
    const url = await serve((_request, response) => whole(response, file));
    for (const little of [1, 4095]) {
      copy = await newCopy();
      await copy.write(file.subarray(0, little));
      const result = await transfers.run(url, copy, { resumeEtag: '"v1"' });
      should(result).have.properties({ resumed: false, sha256: sha256(file) });
      should(seen.at(-1)?.headers).not.have.property('range');
      await isStored(file);
    }
  });

  it('keeps its bytes when the link is rejected', async () => {
    const url = await serve((_request, response) => response.writeHead(503, { 'retry-after': '1' }).end());
    should((await transfers.fail(url, copy, { resumeEtag: '"v1"' })).code).equal('LINK_REFUSED');
    should(copy.size).equal(half);
  });

  it('keeps its bytes when it is cut again, and completes step by step', async () => {
    copy = await newCopy();
    let cuts = 0;
    const url = await serve((request, response) => {
      const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      response.writeHead(from === 0 ? 200 : 206, {
        'content-type': 'audio/wav',
        'content-length': file.length - from,
        etag: '"v1"',
        ...(from === 0 ? {} : { 'content-range': `bytes ${from}-${file.length - 1}/${file.length}` })
      });
      const next = from + 40_000 + 7 * cuts++;
      if (next >= file.length) response.end(file.subarray(from));
      else response.write(file.subarray(from, next), () => response.destroy());
    });
    let result: unknown;
    for (let attempt = 0; attempt < 50 && result === undefined; attempt++)
      result = await transfers.run(url, copy, { resumeEtag: '"v1"' }).catch((error: unknown) => {
        should(error).have.properties({ code: 'TRUNCATED', retryable: true });
        return undefined;
      });
    should(result).have.properties({ resumed: true, sha256: sha256(file), size: file.length });
    should(cuts).be.above(5);
    await isStored(file);
  });

  it('counts the bytes it already has towards the size limit', async () => {
    const url = await serve((request, response) => part(request, response, file));
    const error = await transfers.fail(url, copy, { resumeEtag: '"v1"', maxSize: file.length - 1 });
    should(error.code).equal('TOO_LARGE');
  });
});
