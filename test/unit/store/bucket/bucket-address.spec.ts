import should from 'should';
import { isHostOf, keyInBucket } from '../../../../src/store/bucket/bucket-address';

const AWS = { endpoint: null, bucket: 'own' };
const WRITTEN = { endpoint: 'https://s3.eu-central-1.amazonaws.com', bucket: 'own' };
const STORE = { endpoint: 'http://minio.example.com:9000', bucket: 'own' };
const BELOW = { endpoint: 'https://example.com/s3', bucket: 'own' };
const GOOGLE = { endpoint: 'https://storage.googleapis.com', bucket: 'own' };

describe('store/bucket/bucket-address', () => {
  const keys: [typeof AWS | typeof STORE, string, string | null][] = [
    [AWS, 's3://own/a/b c%20.wav', 'a/b c%20.wav'],
    [STORE, 'S3://own/a', 'a'],
    [AWS, 's3://other/a', null],
    [AWS, 's3://own', null],
    [AWS, 's3://own/', null],
    [AWS, 's3://own.evil/a', null],
    [AWS, 's3://own@other/a', null],
    [GOOGLE, 'gs://own/a', 'a'],
    [AWS, 'gs://own/a', null],
    [STORE, 'gs://own/a', null],
    [GOOGLE, 'https://storage.googleapis.com/own/a', 'a'],
    [GOOGLE, 'https://own.storage.googleapis.com/a', 'a'],
    [AWS, 'https://own.s3.eu-central-1.amazonaws.com/a/b%20c', 'a/b c'],
    [AWS, 'https://own.s3.amazonaws.com/a?X-Amz-Signature=x', 'a'],
    [AWS, 'https://s3-us-west-2.amazonaws.com/own/a', 'a'],
    [AWS, 'https://own.s3.cn-north-1.amazonaws.com.cn/a', 'a'],
    [AWS, 'https://own.s3.dualstack.eu-central-1.amazonaws.com/a', 'a'],
    [AWS, 'https://own.s3-fips.us-gov-west-1.amazonaws.com/a', 'a'],
    [WRITTEN, 'https://own.s3.eu-central-1.amazonaws.com/a', 'a'],
    [WRITTEN, 'https://own.s3.amazonaws.com/a?X-Amz-Signature=x', 'a'],
    [WRITTEN, 'https://s3-eu-central-1.amazonaws.com/own/a', 'a'],
    [WRITTEN, 'https://other.s3.amazonaws.com/a', null],
    [AWS, 'https://s3-evil.s3.amazonaws.com/own/a', null],
    [AWS, 'https://s3-evil-1.us-east-1.elb.amazonaws.com/own/a', null],
    [AWS, 'http://own.s3.amazonaws.com/a', null],
    [AWS, 'https://own.s3.amazonaws.com.evil.example/a', null],
    [AWS, 'https://own.s3.evil-amazonaws.com/a', null],
    [AWS, 'https://own.ec2.amazonaws.com/a', null],
    [AWS, 'https://s3.amazonaws.com/telephony-recorder-prod/own/a', null],
    [AWS, 'https://other.s3.amazonaws.com/own/a', null],
    [STORE, 'http://minio.example.com:9000/own/a', 'a'],
    [STORE, 'http://own.minio.example.com:9000/a', 'a'],
    [STORE, 'https://minio.example.com:9000/own/a', null],
    [STORE, 'http://minio.example.com/own/a', null],
    [STORE, 'http://minio.example.com:9000/owner/a', null],
    [STORE, 'http://minio.example.com:9000/own/../other/a', null],
    [STORE, 'http://minio.example.com:9000/own/%2e%2e/other/a', null],
    [STORE, 'http://minio.example.com:9000/own/%ff', null],
    [STORE, 'http://minio.example.com:9000/own/', null],
    [STORE, 'http://minio.example.com:9000@evil.example/own/a', null],
    [BELOW, 'https://example.com/s3/own/a', 'a'],
    [BELOW, 'https://example.com/own/a', null],
    [STORE, 'not an address', null]
  ];
  for (const [settings, address, expected] of keys)
    it(`${settings.endpoint ?? 'AWS'} ${expected === null ? 'does not have' : 'has'} ${address}`, () => {
      should(keyInBucket(settings, address)).equal(expected);
    });

  it('knows the hosts of a bucket', () => {
    should(isHostOf(AWS, 'own.s3.eu-central-1.amazonaws.com')).be.true();
    should(isHostOf(AWS, 's3.eu-central-1.amazonaws.com')).be.false();
    should(isHostOf(STORE, 'minio.example.com:9000')).be.true();
    should(isHostOf(STORE, 'own.minio.example.com:9000')).be.true();
    should(isHostOf(STORE, 'minio.example.com')).be.false();
    should(isHostOf(WRITTEN, 's3.eu-central-1.amazonaws.com')).be.false();
    should(isHostOf(WRITTEN, 'own.s3.eu-central-1.amazonaws.com')).be.true();
  });
});
