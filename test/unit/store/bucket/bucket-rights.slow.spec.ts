import { PutBucketPolicyCommand } from '@aws-sdk/client-s3';
import should from 'should';
import { checkBucket } from '../../../../src/store/bucket/bucket-check';
import type { Finding } from '../../../../src/store/bucket/finding';
import { S3_GUEST } from '../../../support/ceph';
import { inEnglish } from '../../../support/in-english';
import { TestBucket } from './bucket-fixture';

/** As docs/bucket.md lists them. */
const OF_BUCKET = [
  's3:ListBucket',
  's3:ListBucketMultipartUploads',
  's3:ListBucketVersions',
  's3:GetBucketVersioning',
  's3:GetBucketObjectLockConfiguration'
];
const OF_OBJECTS = [
  's3:PutObject',
  's3:GetObject',
  's3:GetObjectVersion',
  's3:DeleteObject',
  's3:DeleteObjectVersion',
  's3:AbortMultipartUpload',
  's3:ListMultipartUploadParts'
];

describe('the test of a bucket with a key that has real, limited permissions', () => {
  let bucket: TestBucket;

  beforeEach(async function () {
    bucket = await TestBucket.create(this);
  });
  afterEach(() => TestBucket.removeAll());

  /** Tests as a user to whom the policy of the bucket gives everything but some. */
  async function checkWithout(...denied: string[]): Promise<Finding[]> {
    const { bucket: name, direct } = bucket.server;
    const rule = (effect: 'Allow' | 'Deny', actions: string[]): object => ({
      Effect: effect,
      Principal: { AWS: ['arn:aws:iam:::user/guest'] },
      Action: actions,
      Resource: [`arn:aws:s3:::${name}`, `arn:aws:s3:::${name}/*`]
    });
    const statements = [rule('Allow', [...OF_BUCKET, ...OF_OBJECTS])];
    // At Ceph, the writer of an object owns it, and may do what no rule denies.
    if (denied.length > 0) statements.push(rule('Deny', denied));
    const policy = { Version: '2012-10-17', Statement: statements };
    await direct.send(new PutBucketPolicyCommand({ Bucket: name, Policy: JSON.stringify(policy) }));
    return await checkBucket(bucket.settings({ credentials: S3_GUEST }));
  }

  const named = (findings: Finding[]): string[] =>
    findings
      .filter(({ result }) => result !== 'ok')
      .map(({ check, result, said }) => {
        const text = inEnglish(said);
        return `${check} ${result}: ${/s3:\w+/.exec(text)?.[0] ?? text}`;
      });

  it('finds nothing wrong when it has all that docs/bucket.md lists', async () => {
    should(named(await checkWithout())).eql([]);
    should(await bucket.server.keys()).eql([]);
    should(await bucket.server.incompleteUploads()).eql([]);
  });

  for (const [right, said] of [
    ['s3:ListBucket', 'list warning'],
    ['s3:GetBucketVersioning', 'versions warning'],
    ['s3:GetBucketObjectLockConfiguration', 'lock warning'],
    ['s3:PutObject', 'write failed'],
    ['s3:GetObject', 'read failed'],
    ['s3:DeleteObject', 'delete warning'],
    ['s3:AbortMultipartUpload', 'parts warning'],
    ['s3:ListBucketMultipartUploads', 'parts warning'],
    ['s3:ListMultipartUploadParts', 'parts warning']
  ] as const)
    it(`names ${right}, and nothing else`, async () => {
      should(named(await checkWithout(right))).eql([`${said}: ${right}`]);
    });

  for (const [right, said] of [
    ['s3:GetObjectVersion', 'read failed'],
    ['s3:ListBucketVersions', 'versions warning'],
    ['s3:DeleteObjectVersion', 'delete warning']
  ] as const)
    it(`names ${right} in a bucket that keeps versions`, async () => {
      await bucket.keepVersions();
      should(named(await checkWithout(right))).containEql(`${said}: ${right}`);
    });

  it('names several that are missing at once', async () => {
    const [parts = ''] = (await checkWithout('s3:AbortMultipartUpload', 's3:ListMultipartUploadParts'))
      .filter(({ check }) => check === 'parts')
      .map(({ said }) => inEnglish(said));
    should(parts).match(/s3:ListMultipartUploadParts\. The key lacks s3:AbortMultipartUpload/);
  });

  it('says that the key may do nothing at all', async () => {
    const findings = await checkWithout(...OF_BUCKET, ...OF_OBJECTS);
    should(named(findings)).containEql('write failed: s3:PutObject');
  });
});
