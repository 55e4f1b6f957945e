import { CodedError } from '../../../src/errors/coded-error';
import type { ProxyChoice } from '../../../src/http/proxy/proxy-choice';
import { readBucketSettings, type BucketSettings } from '../../../src/store/bucket/client/settings';
import type { NodeConfig, NodeRedApi, RedNode } from '../../lib/node-red';
import { readBoolean, readText } from '../../lib/read-setting';
import { checkProxy } from '../proxy-access';

/** The properties of a `telnyx-bucket` node, as saved in a flow. */
export interface BucketConfig extends NodeConfig {
  endpoint?: string;
  region?: string;
  bucket?: string;
  prefix?: string;
  forcePathStyle?: boolean | string;
  sse?: string;
  kmsKeyId?: string;
  proxy?: string;
}

/** @throws CodedError `BAD_SETTING` */
export type BucketAccess = () => BucketSettings;

export type TelnyxBucketNode = RedNode & { telnyxBucket?: BucketAccess };

/** @throws CodedError `BAD_SETTING` that names the setting */
export function readBucket(
  config: BucketConfig,
  credentials: RedNode['credentials'],
  proxy: ProxyChoice | null = null
): BucketSettings {
  const settings = readBucketSettings({
    endpoint: readText(config.endpoint),
    region: readText(config.region),
    bucket: readText(config.bucket),
    prefix: readText(config.prefix),
    forcePathStyle: readBoolean(config.forcePathStyle, false),
    sse: readText(config.sse),
    kmsKeyId: readText(config.kmsKeyId),
    accessKeyId: readText(credentials?.['accessKeyId']),
    secretAccessKey: readText(credentials?.['secretAccessKey'])
  });
  checkProxy(proxy);
  return proxy === null ? settings : { ...settings, proxy };
}

/**
 * The bucket that a node has chosen.
 *
 * @throws CodedError `BAD_SETTING` when none is chosen, it is missing or disabled, or its settings are wrong
 */
export function telnyxBucketOf(RED: Pick<NodeRedApi, 'nodes'>, id: unknown): BucketSettings {
  const node =
    typeof id === 'string' && id !== ''
      ? (RED.nodes.getNode(id) as TelnyxBucketNode | null | undefined)
      : null;
  if (node?.telnyxBucket === undefined)
    throw new CodedError(
      'BAD_SETTING',
      'No bucket is chosen, or the chosen one is missing or disabled. Choose a bucket, or store in a folder.'
    );
  return node.telnyxBucket();
}
