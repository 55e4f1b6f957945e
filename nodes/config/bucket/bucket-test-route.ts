import { checkBucket } from '../../../src/store/bucket/bucket-check';
import { deployedNode, serveDialogAction } from '../../admin/dialog-route';
import type { DialogValues } from '../../admin/dialog-values';
import type { NodeRedApi } from '../../lib/node-red';
import { type BucketConfig, readBucket } from './bucket-access';
import { BUCKET_CREDENTIALS, BUCKET_TEST_PATH, BUCKET_TEXTS } from './bucket-test-request';
import { proxyOf } from '../proxy-access';
import type { Finding } from '../../../src/store/bucket/finding';

const TYPE = 'telnyx-bucket';
/** Between two tests. */
const PAUSE_MS = 2000;

/** The route behind the Test button of the dialog: tries a bucket with values that need not be deployed. */
export function serveBucketTest(
  RED: NodeRedApi,
  { check = checkBucket, now = Date.now }: { check?: typeof checkBucket; now?: () => number } = {}
): void {
  const run = async (values: DialogValues): Promise<{ findings: Finding[] }> => {
    const { config, credentials } = bucketOf(RED, values);
    return { findings: await check(readBucket(config, credentials, proxyOf(RED, values.text('proxy')))) };
  };
  // Errors of the store are findings.
  const failed = 'The test itself failed.';
  serveDialogAction(RED, { path: BUCKET_TEST_PATH, run, pauseMs: PAUSE_MS, failed }, now);
}

function bucketOf(
  RED: NodeRedApi,
  values: DialogValues
): { config: BucketConfig; credentials: Record<string, string> } {
  const id = values.text('id');
  const deployed = deployedNode(RED, TYPE, id);
  const texts = BUCKET_TEXTS.map((name) => [name, values.setting(name, deployed)] as const);
  const passwords = BUCKET_CREDENTIALS.map((name) => [name, values.password(name, deployed)] as const);
  return {
    config: { id, type: TYPE, forcePathStyle: values.isOn('forcePathStyle'), ...Object.fromEntries(texts) },
    credentials: Object.fromEntries(passwords)
  };
}
