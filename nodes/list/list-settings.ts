import { CodedError } from '../../src/errors/coded-error';
import { archiveFolder } from '../../src/naming/archive-folder';
import { type Query, readFilter } from '../../src/providers/list-filter';
import type { ProviderDefinition } from '../../src/providers/provider';
import { providers } from '../../src/providers/registry';
import { type TimeRange, readRange } from '../../src/reconcile/read-moment';
import { type AccountChoices, choiceOf } from '../config/account-choices';
import type { FlowMessage, NodeConfig, NodeRedApi } from '../lib/node-red';
import { readChoice, readText } from '../lib/read-setting';
import { userDirectory } from '../lib/state';
import { SELECTIONS } from './list-fields';

/** The properties of a `telnyx-recording-list` node, as saved in a flow. */
export interface RecordingListConfig extends NodeConfig, AccountChoices {
  provider?: string;
  from?: string;
  to?: string;
  filter?: unknown;
  only?: string;
}

export interface ListSettings {
  provider: ProviderDefinition;
  only: 'missing' | 'all';
}

/** What one message asks for. */
export interface ListRequest {
  range: TimeRange;
  filter: Query;
  /** Absolute; null: the index is not rebuilt. */
  rebuild: string | null;
  verify: boolean;
  /** Whether the provider is asked. */
  list: boolean;
}

/** @throws CodedError `BAD_SETTING` that names the setting */
export function readListSettings(config: RecordingListConfig): ListSettings {
  const provider =
    providers.find(readChoice(config.provider, 'Provider', providers.names)) ?? providers.usual;
  // Invalid settings are reported on deploy, and read again for every message.
  readRange(config.from, config.to, Date.now());
  readFilter(config.filter, provider.filters);
  return { provider, only: readChoice(config.only, 'Send', SELECTIONS) };
}

/**
 * What a message asks for: its own `from`, `to` and `filter` override the node's. `msg.verify` also reads the
 * stored files again, or with `"only"` does nothing else; `msg.rebuild` reads sidecars and nothing else, unless
 * `msg.verify` is set too.
 *
 * @throws CodedError `BAD_SETTING`
 */
export function readListRequest(
  RED: Pick<NodeRedApi, 'settings'>,
  config: RecordingListConfig,
  provider: ProviderDefinition,
  message: FlowMessage
): ListRequest {
  const { from = config.from, to = config.to, filter = config.filter, verify, rebuild } = message;
  const isRebuild = readSwitch('rebuild', rebuild) === true;
  const check = readSwitch('verify', verify, 'only');
  const account = config[choiceOf(provider.name).property];
  // Without an account there is nothing to list, but stored files can still be checked.
  const isCheckOnly = check === 'only' || (check && readText(account) === '');
  return {
    range: readRange(from, to, Date.now()),
    filter: readFilter(filter, provider.filters),
    rebuild: isRebuild ? folderOf(RED, message['folder']) : null,
    verify: check !== false,
    list: !isRebuild && !isCheckOnly
  };
}

/** Anything but yes or no is refused: a list instead of a check would look like success. */
function readSwitch<Word extends string>(name: string, value: unknown, word?: Word): boolean | Word {
  const text = typeof value === 'string' ? value.trim().toLowerCase() : value;
  if (text === undefined || text === null || text === '' || text === false || text === 'false') return false;
  if (text === true || text === 'true') return true;
  if (word !== undefined && text === word) return word;
  throw new CodedError(
    'BAD_SETTING',
    `msg.${name} must be true or false${word === undefined ? '' : ` or "${word}"`}. Correct it where the message is made.`
  );
}

function folderOf(RED: Pick<NodeRedApi, 'settings'>, folder: unknown): string {
  if (folder !== undefined && typeof folder !== 'string')
    throw new CodedError(
      'BAD_SETTING',
      'msg.folder must be text: the folder of the recording download node.'
    );
  return archiveFolder(readText(folder), {
    userDir: userDirectory(RED),
    env: (name) => process.env[name]
  });
}
