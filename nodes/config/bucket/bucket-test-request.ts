import type { Finding } from '../../../src/store/bucket/finding';

/** Below the admin root: where the Test button of the dialog sends its values. */
export const BUCKET_TEST_PATH = '/telnyx-bucket/test';

/** The settings that are text; `proxy` is the id of a deployed node, or blank. */
export const BUCKET_TEXTS = ['endpoint', 'region', 'bucket', 'prefix', 'sse', 'kmsKeyId', 'proxy'] as const;

export const BUCKET_CREDENTIALS = ['accessKeyId', 'secretAccessKey'] as const;

/** The current values of the dialog. A password that the editor does not know is `HIDDEN_PASSWORD`. */
export type BucketTestRequest = { id: string; forcePathStyle: boolean } & Record<
  (typeof BUCKET_TEXTS)[number] | (typeof BUCKET_CREDENTIALS)[number],
  string
>;

export type BucketTestReply = { findings: Finding[] } | { error: string };
