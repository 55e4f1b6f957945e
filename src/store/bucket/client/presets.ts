/** What a store needs; capital letters stand for what only its owner knows. */
export interface BucketPreset {
  key: string;
  /** Blank: AWS. */
  endpoint: string;
  region: string;
  forcePathStyle: boolean;
}

/** What the documentation of usual stores says. The owner of a bucket changes the region to that of the bucket. */
export const BUCKET_PRESETS: readonly BucketPreset[] = [
  // docs.aws.amazon.com/general/latest/gr/s3.html
  { key: 'aws', endpoint: '', region: 'us-east-1', forcePathStyle: false },
  // developers.telnyx.com/docs/cloud-storage/api-endpoints: https://REGION.telnyxcloudstorage.com.
  // developers.telnyx.com/docs/cloud-storage/sdk/node: path style always; the secret is not checked.
  {
    key: 'telnyx-storage',
    endpoint: 'https://us-central-1.telnyxcloudstorage.com',
    region: 'us-central-1',
    forcePathStyle: true
  },
  // developers.cloudflare.com/r2/api/s3/api: the region of every bucket is "auto".
  {
    key: 'r2',
    endpoint: 'https://ACCOUNT-ID.r2.cloudflarestorage.com',
    region: 'auto',
    forcePathStyle: false
  },
  // github.com/minio/minio/discussions/15997: the region is us-east-1 unless it was configured, and path style works without
  // a domain of its own. 9000 is the default port.
  { key: 'minio', endpoint: 'http://127.0.0.1:9000', region: 'us-east-1', forcePathStyle: true },
  // docs.wasabi.com/docs/service-urls-for-wasabis-storage-regions: https://s3.REGION.wasabisys.com, also for us-east-1.
  {
    key: 'wasabi',
    endpoint: 'https://s3.us-east-1.wasabisys.com',
    region: 'us-east-1',
    forcePathStyle: false
  }
];
