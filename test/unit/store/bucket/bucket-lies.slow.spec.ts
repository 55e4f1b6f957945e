import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import should from 'should';
import { StateDatabase } from '../../../../src/state/state-database';
import { ANSWER_LIMITS } from '../../../../src/store/bucket/client/capped-responses';
import { BucketSidecars } from '../../../../src/store/bucket/bucket-sidecar';
import { createBucketStore, type BucketStore } from '../../../../src/store/bucket/bucket-store';
import { LIES, LyingStore } from '../../../support/lying-store';
import { processorMsSince } from '../../../support/processor-time';
import { MIB, noise, storeBytes } from './bucket-fixture';

/** A deadline that a test can wait for. */
const LIMITS = { ...ANSWER_LIMITS, responseMs: 1000, completeMs: 1000 };
const RECORD = { sha256: 'a'.repeat(64), recording_id: 'rec-1' };

describe('bucket store, with a lying store', function () {
  this.timeout(60_000);
  let liar: LyingStore;
  let directory: string;
  let database: StateDatabase;
  let store: BucketStore;

  beforeEach(async () => {
    liar = await LyingStore.start();
    directory = await mkdtemp(join(tmpdir(), 'telnyx-liar-'));
    database = new StateDatabase(directory);
    store = createBucketStore({
      settings: {
        endpoint: liar.url,
        region: 'us-east-1',
        bucket: 'archive',
        prefix: 'calls/',
        forcePathStyle: true,
        sse: '',
        kmsKeyId: null,
        credentials: { accessKeyId: 'TESTKEY', secretAccessKey: 'test-secret' }
      },
      uploadLog: database.collection('bucket-uploads'),
      closingMs: 100,
      limits: LIMITS
    });
    // Loads the SDK and compiles the code of a request.
    await storeBytes(store, 'first.wav', noise(10));
  });

  afterEach(async () => {
    await store.close();
    await liar.close();
    await database.close();
    await rm(directory, { recursive: true, force: true });
  });

  const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

  for (const [what, lie] of Object.entries(LIES)) {
    it(`that ${what}: reports nothing as stored, reads little, and succeeds later`, async () => {
      const bytes = noise(200_000);
      liar.lie = lie;
      const before = process.memoryUsage().rss;
      const error = await storeBytes(store, 'a.wav', bytes).then(
        () => null,
        (reason: unknown) => reason
      );
      should(error).have.properties({ code: 'STORE_FAILED', retryable: true });
      should((error as Error).message).not.match(/test-secret|Signature=/);
      should((error as Error).message.length).be.below(1000);
      // This includes Node's own limits for a stand-in in the same process.
      should(process.memoryUsage().rss - before).be.below(150 * MIB);
      liar.endLies();
      liar.objects.clear();
      const { location } = await storeBytes(store, 'a.wav', bytes);
      should(location).equal('s3://archive/calls/a.wav');
      should(sha256(liar.objects.get('calls/a.wav') ?? Buffer.alloc(0))).equal(sha256(bytes));
    });
  }

  it('does not parse what is too long to be an error of S3', async () => {
    const text = `<?xml version="1.0"?><Error><Code>AccessDenied</Code>${'<a>b</a>'.repeat(2_500_000)}</Error>`;
    const body = Buffer.from(text);
    liar.lie = (_call, response) => {
      response.writeHead(403, { 'content-type': 'application/xml' }).end(body);
      return true;
    };
    const lag = monitorEventLoopDelay({ resolution: 5 });
    lag.enable();
    const begun = process.cpuUsage();
    await should(storeBytes(store, 'a.wav', noise(10))).be.rejectedWith({
      message: /does not answer as an S3 store does: its answer \(403\) has more than 32768 bytes/
    });
    lag.disable();
    // Parsing it all takes seconds. On a busy machine the loop also stands still because others run.
    should(Math.min(lag.max / 1e6, processorMsSince(begun))).be.below(250);
  });

  it('reads no more of an object than its size', async () => {
    const { location } = await storeBytes(store, 'a.wav', noise(1000));
    liar.lie = LIES['pours an object without length'];
    await should(store.readBack(location!)).be.rejectedWith({ message: /how long an object is/ });
    const read = await store.readBack(location!, { size: 1000, versionId: null });
    should(read.size).equal(1001);
    liar.lie = LIES['drips its objects'];
    await should(store.readBack(location!, { size: 1000, versionId: null })).be.rejectedWith({
      message: /its response never ends/
    });
  });

  it('takes neither an HTML page nor an oversized object for a sidecar', async () => {
    const sidecars = new BucketSidecars(store);
    liar.objects.set('calls/a.wav.json', Buffer.alloc(5 * MIB, 32));
    should(await sidecars.read('s3://archive/calls/a.wav')).eql({ ok: false, reason: 'unreadable' });
    await should(sidecars.write('s3://archive/calls/a.wav', RECORD)).be.rejectedWith({
      message: /left alone/
    });
    liar.lie = LIES['answers 200 to a page of HTML'];
    await should(sidecars.read('s3://archive/calls/a.wav')).be.rejectedWith({ code: 'STORE_FAILED' });
  });

  describe('by a redirect', () => {
    let other: Server;
    let requests = 0;
    beforeEach(async () => {
      requests = 0;
      other = createServer((_request, response) => {
        requests += 1;
        response.end();
      });
      other.listen(0, '127.0.0.1');
      await once(other, 'listening');
    });
    afterEach(() => void other.close());

    for (const status of [301, 302, 303, 307, 308])
      it(`sends nothing to another host (${status})`, async () => {
        const location = `http://127.0.0.1:${(other.address() as AddressInfo).port}/archive/calls/a.wav`;
        liar.lie = (_call, response) => {
          const endpoint = `<Endpoint>${location}</Endpoint>`;
          response.writeHead(status, { location, 'x-amz-bucket-region': 'eu-west-1' });
          response.end(`<Error><Code>TemporaryRedirect</Code>${endpoint}</Error>`);
          return true;
        };
        await should(storeBytes(store, 'a.wav', noise(10))).be.rejectedWith({
          code: 'STORE_FAILED',
          message: /another region/
        });
        should(requests).equal(0);
      });
  });

  it('about the time, gets three requests, not endlessly many', async () => {
    let now = Date.parse('2001-01-01T00:00:00Z');
    liar.lie = ({ name }, response) => {
      if (name !== 'GetObject') return false;
      now += 400 * 24 * 3_600_000;
      response.writeHead(403, { date: new Date(now).toUTCString(), 'content-type': 'application/xml' });
      response.end('<Error><Code>RequestTimeTooSkewed</Code><Message>none</Message></Error>');
      return true;
    };
    const before = liar.calls.length;
    await should(storeBytes(store, 'a.wav', noise(10))).be.rejectedWith({ message: /clock is wrong/ });
    should(liar.calls.length - before).be.belowOrEqual(3);
    liar.endLies();
    await storeBytes(store, 'a.wav', noise(10));
  });

  it('sends Content-MD5 where checksums are not implemented: buckets with a lock need one of them', async () => {
    liar.lie = ({ headers }, response) => {
      const sent = headers['x-amz-checksum-sha256'] ?? headers['x-amz-checksum-algorithm'];
      if (sent === undefined) return false;
      response.writeHead(501).end('<Error><Code>NotImplemented</Code></Error>');
      return true;
    };
    for (const size of [1000, 6 * MIB]) {
      await storeBytes(store, `${size}.wav`, noise(size));
      should(sha256(liar.objects.get(`calls/${size}.wav`)!)).equal(sha256(noise(size)));
    }
    const sent = liar.calls.filter(
      ({ name, headers }) =>
        /^(PutObject|UploadPart)$/.test(name) && headers['x-amz-checksum-sha256'] === undefined
    );
    should(sent.length).be.aboveOrEqual(3);
    for (const { headers, body } of sent)
      should(headers['content-md5']).equal(createHash('md5').update(body).digest('base64'));
  });
});
