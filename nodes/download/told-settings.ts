import { DEFAULT_FILENAME } from '../../src/naming/filename-syntax';
import { fingerprint } from '../../src/sharing/cluster';
import { telnyxRetentionOf } from '../config/retention/retention-access';
import type { NodeRedApi } from '../lib/node-red';
import { readBoolean, readText } from '../lib/read-setting';
import type { DownloadSettings, DownloadTarget, RecordingDownloadConfig } from './download-settings';

/**
 * A fingerprint of each setting that decides what becomes of a recording, by its label in the dialog: these have to be the same in all
 * instances that share the work. No secret is part of them.
 *
 * @param settings as read from the config
 * @throws CodedError `BAD_SETTING`
 */
export function toldSettings(
  RED: Pick<NodeRedApi, 'nodes'>,
  config: RecordingDownloadConfig,
  { target, format, deleteAtSource }: Pick<DownloadSettings, 'target' | 'format' | 'deleteAtSource'>
): Record<string, string> {
  const policy = telnyxRetentionOf(RED, config.retention)?.policy;
  const values: Record<string, unknown> = {
    'Store in': target.kind,
    ...placeOf(target),
    'File name': readText(config.filename, DEFAULT_FILENAME),
    Format: format,
    'Write a JSON file with all details beside each recording': readBoolean(config.sidecar, true),
    'Delete recordings at Telnyx or Daily once they are safely stored': deleteAtSource,
    Retention: policy === undefined ? null : [policy.name, policy.version]
  };
  return Object.fromEntries(Object.entries(values).map(([label, value]) => [label, fingerprint(value)]));
}

function placeOf(target: DownloadTarget): Record<string, unknown> {
  if (target.kind === 'folder') return { Folder: target.folder };
  if (target.kind === 'message') return {};
  const { endpoint, bucket, prefix } = target.settings;
  return { Bucket: [endpoint, bucket, prefix] };
}
