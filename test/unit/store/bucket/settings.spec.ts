import should from 'should';
import { readBucketSettings, type BucketFields } from '../../../../src/store/bucket/client/settings';

const BLANK: BucketFields = {
  endpoint: '',
  region: '',
  bucket: 'my-recordings',
  prefix: '',
  forcePathStyle: false,
  sse: '',
  kmsKeyId: '',
  accessKeyId: '',
  secretAccessKey: ''
};

describe('bucket settings', () => {
  const read = (fields: Partial<BucketFields>) => readBucketSettings({ ...BLANK, ...fields });

  it('need only the name of the bucket', () => {
    should(read({})).eql({
      endpoint: null,
      region: null,
      bucket: 'my-recordings',
      prefix: '',
      forcePathStyle: false,
      sse: '',
      kmsKeyId: null,
      credentials: null
    });
  });

  it('use a default region for stores without regions', () => {
    should(read({ endpoint: 'https://s3.example.com/' })).have.properties({
      endpoint: 'https://s3.example.com',
      region: 'us-east-1'
    });
    should(read({ endpoint: 'http://192.0.2.7:9000', region: 'garage' }).region).equal('garage');
  });

  for (const [typed, prefix] of [
    ['calls', 'calls/'],
    ['/calls/', 'calls/'],
    ['calls/2026', 'calls/2026/'],
    ['/', ''],
    ['Anrufe ü', 'Anrufe ü/']
  ] as const) {
    it(`read the prefix ${JSON.stringify(typed)} as ${JSON.stringify(prefix)}`, () => {
      should(read({ prefix: typed }).prefix).equal(prefix);
    });
  }

  it('keep both halves of a key together', () => {
    const credentials = { accessKeyId: 'SOMEKEY', secretAccessKey: 'some secret' };
    should(read(credentials).credentials).eql(credentials);
  });

  const wrong: [label: string, Partial<BucketFields>][] = [
    ['Bucket', { bucket: '' }],
    ['Bucket', { bucket: 'a' }],
    ['Bucket', { bucket: 'a/b/c' }],
    ['Bucket', { bucket: 'a..b' }],
    ['Bucket', { bucket: 'arn:aws:s3:::x' }],
    ['Bucket', { bucket: '-abc' }],
    ['Endpoint', { endpoint: 's3.example.com' }],
    ['Endpoint', { endpoint: 'ftp://s3.example.com' }],
    ['Endpoint', { endpoint: 'https://user:secret@s3.example.com' }],
    ['Endpoint', { endpoint: 'https://s3.example.com/?a=secret' }],
    ['Region', { region: 'eu central' }],
    ['Region', { region: 'eu/../x' }],
    ['Prefix', { prefix: '../other' }],
    ['Prefix', { prefix: 'a/./b' }],
    ['Prefix', { prefix: 'a//b' }],
    ['Prefix', { prefix: 'a\\b' }],
    ['Prefix', { prefix: 'a\u0000b' }],
    ['Prefix', { prefix: 'ü'.repeat(300) }],
    ['Encryption', { sse: 'aes256' }],
    ['KMS key', { kmsKeyId: 'alias/x' }],
    ['KMS key', { sse: 'AES256', kmsKeyId: 'alias/x' }],
    ['Access key', { secretAccessKey: 'some secret' }],
    ['Secret key', { accessKeyId: 'SOMEKEY' }]
  ];
  for (const [setting, fields] of wrong) {
    it(`reject ${JSON.stringify(fields)}, and name the field`, () => {
      let said: unknown;
      try {
        read(fields);
      } catch (error) {
        said = error;
      }
      should(said).have.property('code', 'BAD_SETTING');
      const { message } = said as Error;
      message.should.startWith(`"${setting}"`);
      message.should.not.match(/secret@|some secret|=secret/);
    });
  }
});
