import { timeStampUrl } from '../../../src/evidence/timestamp/time-stamp-anchor';
import { readPolicySettings } from '../../../src/retention/policy-settings';
import { RetentionPolicy } from '../../../src/retention/retention-policy';
import type { NodeConfig } from '../../lib/node-red';
import { readText } from '../../lib/read-setting';

/** The properties of a `telnyx-retention` node, as saved in a flow. */
export interface RetentionConfig extends NodeConfig {
  policy?: string;
  keepUntil?: string | number;
  deleteAfter?: string | number;
  lockMode?: string;
  timestampUrl?: string;
  rules?: unknown;
}

export interface RetentionSettings {
  policy: RetentionPolicy;
  /** Of the authority that stamps the custody log; null: none. */
  timestampUrl: URL | null;
}

/** @throws CodedError `BAD_SETTING` that names the setting */
export function readRetentionSettings(config: RetentionConfig): RetentionSettings {
  const { policy, keepUntil, deleteAfter, lockMode, rules } = config;
  const url = readText(config.timestampUrl);
  return {
    policy: new RetentionPolicy(readPolicySettings({ policy, keepUntil, deleteAfter, lockMode, rules })),
    timestampUrl: url === '' ? null : timeStampUrl(url)
  };
}
