import { S3_USER } from '../../test/support/ceph';
import { account, config, functionNode, node, tab, webhookIn } from '../../test/support/flows';
import type { FlowNode } from '../../test/support/node-red-process';
import { TRUSTED } from '../../test/support/sign';

const ends = (id: string): FlowNode => functionNode(id, 'return null;');

/** What the probe writes about: deliveries, what was stored, what failed, and ends of lists. */
export const DELIVERED = 'seen';
export const STORED = 'seen-2';
export const FAILED = 'seen-3';
export const LISTED = 'seen-4';

export interface FlowOptions {
  /** Recordings that it fetches at a time. */
  concurrency: number;
  bucket: { url: string; name: string };
  /** Undefined: the instance shares nothing. */
  redisPort: number | undefined;
  /** The stand-in of Telnyx's API, for the list. */
  apiUrl: string;
  apiKey: string;
}

/**
 * The flow of each instance, with the same ids everywhere: a webhook node, a download node, and a list that `POST /list`
 * starts.
 */
export function flowOf({ concurrency, bucket, redisPort, apiUrl, apiKey }: FlowOptions): FlowNode[] {
  const shared = redisPort === undefined ? {} : { queue: 'queue' };
  return [
    tab(),
    account({ publicKeys: TRUSTED.publicKey }),
    { ...account({ publicKeys: TRUSTED.publicKey, apiUrl, credentials: { apiKey } }), id: 'list-account' },
    ...(redisPort === undefined ? [] : [queueNode(redisPort)]),
    config('bucket', 'telnyx-bucket', {
      endpoint: bucket.url,
      region: '',
      bucket: bucket.name,
      prefix: '',
      forcePathStyle: true,
      sse: '',
      kmsKeyId: '',
      credentials: S3_USER
    }),
    webhookIn({ ...shared, wires: [[DELIVERED, 'switch']] }),
    ends(DELIVERED),
    node('switch', 'telnyx-event-switch', {
      property: 'event.event_type',
      propertyType: 'msg',
      rules: [{ t: 'event', v: 'call.recording.saved' }],
      checkall: 'false',
      outputs: 1,
      wires: [['archive']]
    }),
    node('archive', 'telnyx-recording-download', {
      ...shared,
      account: 'account',
      dailyAccount: '',
      destination: 'bucket',
      bucket: 'bucket',
      filename: '{{year}}/{{recording_id}}.{{ext}}',
      format: 'any',
      sidecar: true,
      concurrency,
      retries: 20,
      network: 'any',
      wires: [[STORED]]
    }),
    ends(STORED),
    node('list-in', 'http in', { url: '/list', method: 'post', wires: [['list-answer', 'list']] }),
    node('list-answer', 'http response', { statusCode: '202', headers: {} }),
    node('list', 'telnyx-recording-list', {
      ...shared,
      provider: 'telnyx',
      account: 'list-account',
      dailyAccount: '',
      from: '30d',
      to: '',
      filter: '',
      only: 'missing',
      wires: [['archive'], [LISTED]]
    }),
    ends(LISTED),
    node('catch', 'catch', { scope: null, uncaught: false, wires: [[FAILED]] }),
    ends(FAILED)
  ];
}

/** The queue of a flow. @param port of Redis, or of the way there */
export function queueNode(port: number): FlowNode {
  return config('queue', 'telnyx-queue', {
    url: `redis://127.0.0.1:${port}`,
    prefix: 'telnyx',
    whenAway: 'hold',
    credentials: {}
  });
}
