import { S3Client } from '@aws-sdk/client-s3';
import should from 'should';
import { BucketConnection } from '../../../../src/store/bucket/client/connection';
import type { BucketSettings } from '../../../../src/store/bucket/client/settings';
import { type BucketIdentity, OwnBucket, bucketLink } from '../../../../src/store/bucket/own-bucket';

const NOW = Date.UTC(2026, 2, 4, 9, 15, 2, 118);
const IDENTITY: BucketIdentity = {
  accessKeyId: 'AKIAMADEUP',
  secretAccessKey: 'made/up+secret',
  region: 'eu-central-1'
};
const AWS = { endpoint: null, bucket: 'made-up-tracks', forcePathStyle: false };
const KEYS = [
  'a/b/1772615702484-52f7-cam-audio-1772615702922',
  "odd/na me/'ü+(1)*!&=?#%.webm",
  '/leading//double'
];

/** The URL that the signer of the AWS SDK makes for the same address. */
async function signedBySdk(
  link: string,
  { region, accessKeyId, secretAccessKey, sessionToken }: BucketIdentity
): Promise<string | null> {
  const url = new URL(link);
  const token = sessionToken === undefined ? {} : { sessionToken };
  const client = new S3Client({ region, credentials: { accessKeyId, secretAccessKey, ...token } });
  const signer = await client.config.signer();
  if (!('presign' in signer) || typeof signer.presign !== 'function') throw new Error('no presigner');
  const request = {
    method: 'GET',
    protocol: url.protocol,
    hostname: url.hostname,
    ...(url.port === '' ? {} : { port: Number(url.port) }),
    path: url.pathname,
    query: {},
    headers: { host: url.host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }
  };
  const options = {
    expiresIn: 3600,
    signingDate: new Date(NOW),
    signingRegion: region,
    signingService: 's3',
    unhoistableHeaders: new Set(['x-amz-content-sha256']),
    unsignableHeaders: new Set(['x-amz-content-sha256'])
  };
  const presign = signer.presign.bind(signer) as (
    ...all: unknown[]
  ) => Promise<{ query: Record<string, string> }>;
  const { query } = await presign(request, options);
  client.destroy();
  return query['X-Amz-Signature'] ?? null;
}

const signature = (link: string) => new URL(link).searchParams.get('X-Amz-Signature');

describe('presigned URL', () => {
  for (const key of KEYS) {
    it(`has the same signature as with the AWS SDK: ${key}`, async () => {
      const link = bucketLink(AWS, IDENTITY, key, NOW);
      should(signature(link)).equal(await signedBySdk(link, IDENTITY));
      should(decodeURIComponent(new URL(link).pathname)).equal(`/${key}`);
    });
  }

  it('escapes what S3 escapes before it compares signatures', () => {
    const { pathname } = new URL(bucketLink(AWS, IDENTITY, KEYS[1] ?? '', NOW));
    should(pathname).equal('/odd/na%20me/%27%C3%BC%2B%281%29%2A%21%26%3D%3F%23%25.webm');
  });

  it('carries the token of a role', async () => {
    const identity = { ...IDENTITY, sessionToken: 'made+up/token==' };
    const link = bucketLink(AWS, identity, 'a', NOW);
    should(new URL(link).searchParams.get('X-Amz-Security-Token')).equal(identity.sessionToken);
    should(signature(link)).equal(await signedBySdk(link, identity));
  });

  it('uses the host of the bucket at AWS, and the style that other stores need', () => {
    const place = (settings: object, region = 'eu-central-1') => {
      const url = new URL(bucketLink({ ...AWS, ...settings }, { ...IDENTITY, region }, 'a/b', NOW));
      return url.origin + url.pathname;
    };
    should(place({})).equal('https://made-up-tracks.s3.eu-central-1.amazonaws.com/a/b');
    should(place({ bucket: 'with.dots' })).equal('https://s3.eu-central-1.amazonaws.com/with.dots/a/b');
    should(place({}, 'cn-north-1')).equal('https://made-up-tracks.s3.cn-north-1.amazonaws.com.cn/a/b');
    const endpoint = 'https://s3.example.com:9000/base/';
    should(place({ endpoint })).equal('https://made-up-tracks.s3.example.com:9000/base/a/b');
    should(place({ endpoint, forcePathStyle: true })).equal(
      'https://s3.example.com:9000/base/made-up-tracks/a/b'
    );
    should(place({ endpoint: 'http://192.0.2.7' })).equal('http://192.0.2.7/made-up-tracks/a/b');
  });

  it('signs the port of another store', async () => {
    const link = bucketLink({ ...AWS, endpoint: 'http://192.0.2.7:9000' }, IDENTITY, 'a', NOW);
    should(signature(link)).equal(await signedBySdk(link, IDENTITY));
  });
});

describe('store/bucket/own-bucket', () => {
  const settings = { endpoint: 'http://192.0.2.7:9000', bucket: 'own' } as BucketSettings;
  const bucket = new OwnBucket(new BucketConnection(settings));
  after(() => bucket.close());

  it('holds the objects of the bucket', () => {
    for (const key of ['a.wav', 'a..b/c.wav', '...', '.hidden'])
      should(bucket.holds(`http://192.0.2.7:9000/own/${key}?X-Amz-Signature=x`)).be.true(key);
    should(bucket.holds('s3://own/a.wav')).be.false();
  });

  it('holds no address that leads out of the bucket when something in between decodes it', () => {
    for (const key of ['..%2Fadmin', '%2e%2e%2fadmin', 'a/..%2F..%2Fadmin', '..%5Cadmin', '.%2e%2f', '..%2f'])
      should(bucket.holds(`http://192.0.2.7:9000/own/${key}`)).be.false(key);
  });
});
