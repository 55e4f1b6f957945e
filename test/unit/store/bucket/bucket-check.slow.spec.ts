import { PutObjectLockConfigurationCommand } from '@aws-sdk/client-s3';
import should from 'should';
import { checkBucket } from '../../../../src/store/bucket/bucket-check';
import type { Finding } from '../../../../src/store/bucket/finding';
import type { BucketSettings } from '../../../../src/store/bucket/client/settings';
import { S3_USER } from '../../../support/ceph';
import { inEnglish } from '../../../support/in-english';
import { S3Server, type Fault, type S3Call } from '../../../support/s3-server';
import { noise, storeBytes, TestBucket } from './bucket-fixture';

describe('the test of a bucket', function () {
  let bucket: TestBucket;

  beforeEach(async function () {
    bucket = await TestBucket.create(this);
    await storeBytes(bucket.store(), 'mine.wav', noise(100));
  });

  afterEach(async () => {
    await TestBucket.removeAll();
  });

  const check = (over: Partial<BucketSettings> = {}): Promise<Finding[]> =>
    checkBucket(bucket.settings(over));
  const results = (findings: Finding[]): Record<string, string> =>
    Object.fromEntries(findings.map(({ check: name, result }) => [name, result]));
  const textOf = (findings: Finding[], name: string): string =>
    findings
      .filter((finding) => finding.check === name)
      .map(({ said }) => inEnglish(said))
      .join('\n');
  const denying =
    (...names: string[]): ((call: S3Call) => Fault | undefined) =>
    ({ name }) =>
      names.includes(name) ? { answer: 403, code: 'AccessDenied' } : undefined;

  it('passes, and leaves nothing behind', async () => {
    const findings = await check();
    should(results(findings)).eql({
      reach: 'ok',
      list: 'ok',
      versions: 'ok',
      lock: 'ok',
      write: 'ok',
      condition: 'ok',
      read: 'ok',
      parts: 'ok',
      delete: 'ok'
    });
    should(await bucket.server.keys()).eql(['calls/mine.wav']);
    should(await bucket.server.incompleteUploads()).eql([]);
    for (const { name, key } of bucket.server.calls.filter((call) => call.name === 'PutObject').slice(1))
      should(`${name} ${key}`).startWith('PutObject calls/telnyx-test-');
  });

  it('deletes all versions of its object in a versioned bucket, and notices that conditions are ignored', async () => {
    await bucket.keepVersions();
    const findings = await check();
    should(results(findings)).have.properties({ versions: 'ok', condition: 'warning', delete: 'ok' });
    should(textOf(findings, 'condition')).match(/ignores conditional writes/);
    should(textOf(findings, 'versions')).match(/keeps versions/);
    const key = bucket.server.calls.findLast(({ name }) => name === 'PutObject')!.key;
    should(await bucket.versions(key)).eql([]);
    should(await bucket.server.keys()).eql(['calls/mine.wav']);
  });

  it('writes nothing that it could not delete', async function () {
    const server = await S3Server.start(this, { locked: true });
    const locked = await TestBucket.create(this, server);
    await server.direct.send(
      new PutObjectLockConfigurationCommand({
        Bucket: server.bucket,
        ObjectLockConfiguration: {
          ObjectLockEnabled: 'Enabled',
          Rule: { DefaultRetention: { Mode: 'COMPLIANCE', Years: 10 } }
        }
      })
    );
    const findings = await checkBucket(locked.settings());
    should(textOf(findings, 'lock')).match(/locked for 10 years \(COMPLIANCE\)/);
    should(results(findings)).have.property('write', 'warning');
    should(server.names()).not.containEql('PutObject');
  });

  const rights: [string[], string, string, RegExp][] = [
    [['GetBucket', 'ListObjectsV2'], 'list', 'warning', /s3:ListBucket/],
    [['GetBucketVersioning'], 'versions', 'warning', /s3:GetBucketVersioning/],
    [['GetObjectLockConfiguration'], 'lock', 'warning', /s3:GetBucketObjectLockConfiguration/],
    [['PutObject'], 'write', 'failed', /s3:PutObject/],
    [['GetObject'], 'read', 'failed', /s3:GetObject/],
    [['CreateMultipartUpload'], 'parts', 'failed', /s3:PutObject/],
    [['AbortMultipartUpload'], 'parts', 'warning', /s3:AbortMultipartUpload/],
    [
      ['DeleteObject'],
      'delete',
      'warning',
      /lacks s3:DeleteObject\. The test object calls.telnyx-test-[^ ]{1,80} stays in the bucket/
    ]
  ];
  for (const [requests, name, result, text] of rights) {
    it(`names the permission when ${requests[0]} is denied`, async () => {
      bucket.server.fault = denying(...requests);
      const findings = await check();
      should(results(findings)).have.property(name, result);
      should(textOf(findings, name)).match(text);
    });
  }

  it('names the permission to list versions', async () => {
    await bucket.keepVersions();
    bucket.server.fault = denying('ListObjectVersions');
    const findings = await check();
    should(textOf(findings, 'versions')).match(/s3:ListBucketVersions/);
    should(results(findings)).have.property('delete', 'ok');
  });

  const wrong: [string, Partial<BucketSettings>, RegExp][] = [
    ['a bucket that does not exist', { bucket: 'no-such-bucket' }, /no bucket of that name/],
    [
      'a wrong secret',
      { credentials: { accessKeyId: S3_USER.accessKeyId, secretAccessKey: 'wrong-secret-of-the-test' } },
      /secret access key does not belong/
    ],
    ['an address without a server', { endpoint: 'http://127.0.0.1:9' }, /nothing answers/]
  ];
  for (const [what, over, text] of wrong) {
    it(`says what is wrong with ${what}, in one line and without secrets`, async () => {
      const findings = await check(over);
      should(findings).have.length(1);
      should(findings[0]).have.properties({ check: 'reach', result: 'failed' });
      const told = inEnglish(findings[0]!.said);
      should(told).match(text);
      for (const { accessKeyId, secretAccessKey } of [S3_USER, over.credentials ?? S3_USER]) {
        should(told).not.containEql(secretAccessKey);
        should(told).not.containEql(accessKeyId);
      }
    });
  }
});
