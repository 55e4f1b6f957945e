import { CodedError } from '../../src/errors/coded-error';
import { checkBucket } from '../../src/store/bucket/bucket-check';
import type { BucketSettings } from '../../src/store/bucket/client/settings';
import { readBucket, type BucketConfig, type TelnyxBucketNode } from './bucket-access';
import {
  BUCKET_CREDENTIALS,
  BUCKET_TEST_PATH,
  BUCKET_TEXTS,
  type BucketTestReply
} from './bucket-test-request';
import { HIDDEN_PASSWORD } from './hidden-password';
import { proxyOf } from './proxy-access';
import type { AdminHandler, NodeRedApi, RedNode } from '../lib/node-red';

const LONGEST_TEXT = 2048;
/** Between two tests. */
const PAUSE_MS = 2000;

interface Reply {
  status: number;
  body: BucketTestReply;
}

/**
 * The route behind the Test button of the dialog: tries a bucket with values that need not be deployed. It is as
 * powerful as a deploy, so it needs the same permission.
 */
export function serveBucketTest(
  RED: NodeRedApi,
  { check = checkBucket, now = Date.now }: { check?: typeof checkBucket; now?: () => number } = {}
): void {
  let isRunning = false;
  let last = -Infinity;
  const test: AdminHandler = (request, response) => {
    const reply = ({ status, body }: Reply): void => {
      response.statusCode = status;
      response.json(body);
    };
    // Also works when the clock is set back.
    if (isRunning || Math.abs(now() - last) < PAUSE_MS) {
      reply({
        status: 429,
        body: { error: 'Another test has just run. Wait a few seconds, then try again.' }
      });
      return;
    }
    let settings: BucketSettings;
    try {
      settings = settingsOf(RED, (request as { body?: unknown }).body);
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      reply({ status: 400, body: { error: error.message } });
      return;
    }
    isRunning = true;
    last = now();
    check(settings)
      .then((findings) => reply({ status: 200, body: { findings } }))
      // Errors of the store are findings; this is a fault of our own, whose text may contain anything.
      .catch(() => reply({ status: 500, body: { error: 'The test itself failed.' } }))
      .finally(() => {
        isRunning = false;
        last = now();
      });
  };
  RED.httpAdmin.post(BUCKET_TEST_PATH, RED.auth.needsPermission('flows.write'), test);
}

/** @throws CodedError `BAD_SETTING` */
function settingsOf(RED: NodeRedApi, body: unknown): BucketSettings {
  const fields = fieldsOf(body);
  const id = textOf(fields, 'id');
  const found = id === '' ? null : (RED.nodes.getNode(id) as TelnyxBucketNode | null | undefined);
  const deployed = found?.type === 'telnyx-bucket' ? found : null;
  const resolve = (text: string): string => resolved(RED, deployed, text);
  const config: Record<string, unknown> = {
    id,
    type: 'telnyx-bucket',
    forcePathStyle: fields['forcePathStyle'] === true
  };
  for (const name of BUCKET_TEXTS) config[name] = resolve(textOf(fields, name));
  const credentials: Record<string, string> = {};
  for (const name of BUCKET_CREDENTIALS) {
    const given = textOf(fields, name);
    credentials[name] =
      given === HIDDEN_PASSWORD ? (deployed?.credentials?.[name] ?? '') : resolve(given.trim());
  }
  return readBucket(config as unknown as BucketConfig, credentials, proxyOf(RED, config['proxy']));
}

/** Only the runtime knows values such as `${BUCKET}`. */
function resolved(RED: NodeRedApi, node: RedNode | null, text: string): string {
  if (!/^\$\{[^{}]{1,200}\}$/.test(text)) return text;
  let value: unknown = '';
  RED.util.evaluateNodeProperty(text, 'env', node ?? ({} as RedNode), {}, (error, found) => {
    if (error === null) value = found;
  });
  return typeof value === 'string' ? value : '';
}

function fieldsOf(body: unknown): Readonly<Record<string, unknown>> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new CodedError('BAD_SETTING', 'Expected the values of the dialog as JSON.');
  return body as Record<string, unknown>;
}

function textOf(fields: Readonly<Record<string, unknown>>, name: string): string {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (typeof value !== 'string') return '';
  if (value.length > LONGEST_TEXT)
    throw new CodedError('BAD_SETTING', `"${name}" of the bucket is too long.`);
  return value;
}
