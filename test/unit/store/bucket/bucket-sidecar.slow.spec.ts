import should from 'should';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { BucketSidecars } from '../../../../src/store/bucket/bucket-sidecar';
import { TestBucket } from './bucket-fixture';

const RECORD = { sha256: 'a'.repeat(64), recording_id: 'rec-1', stored_at: '2026-03-04T10:00:00.000Z' };

describe('sidecars in a bucket', function () {
  let bucket: TestBucket;
  let sidecars: BucketSidecars;
  let location: string;

  beforeEach(async function () {
    bucket = await TestBucket.create(this);
    sidecars = new BucketSidecars(bucket.store({ sse: 'AES256' }));
    location = `s3://${bucket.server.bucket}/calls/a.wav`;
  });

  afterEach(async () => {
    await TestBucket.removeAll();
  });

  const put = (text: string): Promise<unknown> =>
    bucket.server.direct.send(
      new PutObjectCommand({ Bucket: bucket.server.bucket, Key: 'calls/a.wav.json', Body: Buffer.from(text) })
    );
  const stored = async (): Promise<unknown> =>
    JSON.parse((await bucket.server.bytes('calls/a.wav.json')).toString('utf8'));

  it('are beside the recording, as JSON, without links and keys', async () => {
    should(sidecars.pathOf(location)).equal(`${location}.json`);
    await sidecars.write(location, { ...RECORD, url: 'https://example.com/x?X-Amz-Signature=secret' });
    should(await stored()).eql(RECORD);
    should(await sidecars.read(location)).eql({ ok: true, record: RECORD });
    const { headers } = bucket.server.calls.find(({ name }) => name === 'PutObject')!;
    should(headers).have.properties({
      'if-none-match': '*',
      'content-type': 'application/json',
      'x-amz-server-side-encryption': 'AES256'
    });
  });

  it('are updated, never blindly', async () => {
    await sidecars.write(location, RECORD);
    await sidecars.write(location, { ...RECORD, deleted_at_source: '2026-03-05T00:00:00.000Z' });
    should(await stored()).have.property('deleted_at_source', '2026-03-05T00:00:00.000Z');
    const last = bucket.server.calls.findLast(({ name }) => name === 'PutObject')!;
    should(last.headers['if-match']).be.a.String();
    should(last.headers).not.have.property('if-none-match');
  });

  it('are not replaced when they change at the same time', async () => {
    await sidecars.write(location, RECORD);
    bucket.server.pause = async ({ name, headers }) => {
      if (name === 'PutObject' && headers['if-match'] !== undefined) await put('{"by":"somebody"}');
    };
    await should(sidecars.write(location, RECORD)).be.rejectedWith({ code: 'STORE_FAILED', retryable: true });
    should(await stored()).eql({ by: 'somebody' });
  });

  for (const text of ['{"sha256":"another"}', 'no JSON', '[]', '']) {
    it(`leave ${JSON.stringify(text)} alone, which is not a sidecar`, async () => {
      await put(text);
      await should(sidecars.write(location, RECORD)).be.rejectedWith({
        code: 'STORE_FAILED',
        retryable: false
      });
      should((await bucket.server.bytes('calls/a.wav.json')).toString()).equal(text);
    });
  }

  it('distinguish missing from damaged', async () => {
    should(await sidecars.read(location)).eql({ ok: false, reason: 'missing' });
    await put('{"sha256":');
    should(await sidecars.read(location)).eql({ ok: false, reason: 'unreadable' });
  });
});
