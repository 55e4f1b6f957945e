import should from 'should';
import { BUCKET_PRESETS } from '../../../../src/store/bucket/client/presets';
import { readBucketSettings } from '../../../../src/store/bucket/client/settings';

describe('the presets of buckets', () => {
  for (const { key, endpoint, region, forcePathStyle } of BUCKET_PRESETS)
    it(`${key}: can be used as it is, and names its region in its address`, () => {
      const settings = readBucketSettings({
        ...{ endpoint, region, forcePathStyle, bucket: 'my-calls', prefix: '' },
        ...{ sse: '', kmsKeyId: '', accessKeyId: 'a', secretAccessKey: 'b' }
      });
      should(settings).match({ region, forcePathStyle });
      if (/telnyx|wasabi/.test(key)) should(settings.endpoint).containEql(region);
      // Where the bucket would become a part of the host, a certificate for it is needed.
      if (settings.endpoint?.startsWith('http:') === true) should(forcePathStyle).be.true();
    });

  it('use path style at Telnyx, as its documentation demands', () => {
    should(BUCKET_PRESETS.find(({ key }) => key === 'telnyx-storage')).have.property('forcePathStyle', true);
  });
});
