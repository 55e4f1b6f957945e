import type { ArchiveSettings } from '../../src/archive/archive-context';
import type { Keeping } from '../../src/archive/download/keeping';
import { CodedError } from '../../src/errors/coded-error';
import { DEFAULT_FOLDER } from '../../src/naming/archive-defaults';
import { archiveFolder } from '../../src/naming/archive-folder';
import { DEFAULT_FILENAME } from '../../src/naming/filename-syntax';
import { compileFilename } from '../../src/naming/filename-template';
import type { FormatChoice } from '../../src/recording/recording-reference';
import type { BucketSettings } from '../../src/store/bucket/client/settings';
import type { ProxyChoice } from '../../src/http/proxy/proxy-choice';
import type { AccountChoices } from '../config/account-choices';
import { telnyxBucketOf } from '../config/bucket/bucket-access';
import { hasAccount } from '../config/provider-accounts';
import { checkProxy, proxyOf } from '../config/proxy-access';
import { keepingOf, telnyxRetentionOf } from '../config/retention/retention-access';
import type { NodeConfig, NodeRedApi, RedNode } from '../lib/node-red';
import { readBoolean, readChoice, readNumber, readText } from '../lib/read-setting';
import { userDirectory } from '../lib/state';
import {
  ANSWERS,
  CONCURRENCY,
  DESTINATIONS,
  FORMATS,
  MAX_SIZE,
  NETWORKS,
  RETRIES,
  STALL_TIMEOUT
} from './download-fields';

/** The properties of a `telnyx-recording-download` node, as saved in a flow. */
export interface RecordingDownloadConfig extends NodeConfig, AccountChoices {
  /** A bucket that holds recordings of Telnyx and Daily; at first it held only those of Daily. */
  dailyBucket?: string;
  destination?: string;
  folder?: string;
  filename?: string;
  bucket?: string;
  format?: string;
  sidecar?: boolean | string;
  concurrency?: string | number;
  retries?: string | number;
  maxSize?: string | number;
  stallTimeout?: string | number;
  network?: string;
  proxy?: string;
  deleteAtSource?: boolean | string;
  answer?: string;
  queue?: string;
  retention?: string;
}

export interface DownloadSettings {
  archive: ArchiveSettings;
  format: FormatChoice;
  answer: 'never' | 'queued' | 'stored';
  /** Only after the stored copy has been read back and matches. */
  deleteAtSource: boolean;
  target: DownloadTarget;
  keeping: Keeping;
  /** Which proxy leads to the recordings; null: none. */
  proxy: ProxyChoice | null;
}

/** Where a node stores, according to its settings. */
export type DownloadTarget =
  /** `folder`: absolute path. */
  | { kind: 'folder'; folder: string }
  | { kind: 'bucket'; settings: BucketSettings }
  /** `maxSize`: bytes of one recording; undefined for the default. */
  | { kind: 'message'; maxSize: number | undefined };

/** @throws CodedError `BAD_SETTING` that names the setting and says what it must be */
export function readDownloadSettings(
  RED: Pick<NodeRedApi, 'settings' | 'util' | 'nodes'>,
  node: RedNode,
  config: RecordingDownloadConfig
): DownloadSettings {
  const archive: ArchiveSettings = {
    scope: node.id,
    filename: compileFilename(readText(config.filename, DEFAULT_FILENAME)),
    sidecar: readBoolean(config.sidecar, true),
    concurrency: readNumber(config.concurrency, 'At once', CONCURRENCY),
    retries: readNumber(config.retries, 'Retries', RETRIES),
    maxSize: readNumber(config.maxSize, 'Largest file', MAX_SIZE),
    stallTimeoutMs: 1000 * readNumber(config.stallTimeout, 'Stall limit', STALL_TIMEOUT),
    network: readChoice(config.network, 'Addresses', NETWORKS)
  };
  const target = targetOf(RED, node, config, archive.maxSize);
  const proxy = proxyOf(RED, config.proxy);
  checkProxy(proxy);
  const deleteAtSource = readBoolean(config.deleteAtSource, false);
  if (deleteAtSource && target.kind === 'message') {
    throw new CodedError(
      'BAD_SETTING',
      'Recordings that go to the message only are not stored, so they cannot be deleted at the source. Store them in ' +
        'a folder or bucket, or untick "Delete recordings at Telnyx or Daily once they are safely stored".'
    );
  }
  if (deleteAtSource && !hasAccount(config)) {
    throw new CodedError(
      'BAD_SETTING',
      'Recordings can be deleted at the source only with an API key. Choose an account that has one, or ' +
        'untick "Delete recordings at Telnyx or Daily once they are safely stored".'
    );
  }
  return {
    archive,
    format: readChoice(config.format, 'Format', FORMATS),
    answer: readChoice(config.answer, 'Answer', ANSWERS),
    deleteAtSource,
    target,
    keeping: keepingFor(RED, config, target),
    proxy
  };
}

function keepingFor(
  RED: Pick<NodeRedApi, 'nodes'>,
  config: RecordingDownloadConfig,
  target: DownloadTarget
): Keeping {
  const keeping = keepingOf(telnyxRetentionOf(RED, config.retention)?.policy ?? null);
  if (keeping.lockMode !== 'none' && target.kind !== 'bucket')
    throw new CodedError(
      'BAD_SETTING',
      'Recordings can be locked only in a bucket with object lock. Set "Store in" to a bucket, or "Lock" of the ' +
        'retention to no lock.'
    );
  return keeping;
}

function targetOf(
  RED: Pick<NodeRedApi, 'settings' | 'util' | 'nodes'>,
  node: RedNode,
  config: RecordingDownloadConfig,
  maxSize: number
): DownloadTarget {
  const kind = readChoice(config.destination, 'Store in', DESTINATIONS);
  if (kind === 'folder') return { kind, folder: folderOf(RED, node, config.folder) };
  if (kind === 'bucket') return { kind, settings: telnyxBucketOf(RED, config.bucket) };
  return { kind, maxSize: maxSize === 0 ? undefined : maxSize };
}

/**
 * The absolute path of the setting `folder`.
 *
 * @param node whose environment variables count
 * @throws CodedError `BAD_SETTING`
 */
export function folderOf(
  RED: Pick<NodeRedApi, 'settings' | 'util'>,
  node: RedNode,
  folder: string | undefined
): string {
  return archiveFolder(readText(folder, DEFAULT_FOLDER), {
    userDir: userDirectory(RED),
    env: (name) => {
      let found: unknown;
      // Also knows the variables of the tab and its groups, and the editor's global ones.
      RED.util.evaluateNodeProperty(name, 'env', node, {}, (_error, value) => {
        found = value;
      });
      return typeof found === 'string' && found !== '' ? found : undefined;
    }
  });
}
