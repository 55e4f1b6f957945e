import { CodedError } from '../../src/errors/coded-error';
import { archiveFolder } from '../../src/naming/archive-folder';
import { type Query, readFilter } from '../../src/providers/list-filter';
import { type ProviderDefinition, withoutTranscripts } from '../../src/providers/provider';
import { providers } from '../../src/providers/registry';
import { type TimeRange, readRange } from '../../src/reconcile/read-moment';
import { type AccountChoices, choiceOf } from '../config/account-choices';
import type { FlowMessage, NodeConfig, NodeRedApi } from '../lib/node-red';
import { readChoice, readText } from '../lib/read-setting';
import { userDirectory } from '../lib/state';
import { LISTED, SELECTIONS } from './list-fields';

/** The properties of a `telnyx-recording-list` node, as saved in a flow. */
export interface RecordingListConfig extends NodeConfig, AccountChoices {
  provider?: string;
  from?: string;
  to?: string;
  filter?: unknown;
  what?: string;
  only?: string;
  health?: boolean;
  queue?: string;
}

export interface ListSettings {
  provider: ProviderDefinition;
  only: 'missing' | 'all';
}

/** What one message asks for. */
export interface ListRequest {
  range: TimeRange;
  /** Absolute; null: the index is not rebuilt. */
  rebuild: string | null;
  verify: boolean;
  /** The filters of the list of recordings; null: it is not asked for. */
  recordings: Query | null;
  /** The same of the list of transcripts. */
  transcripts: Query | null;
}

/** @throws CodedError `BAD_SETTING` that names the setting */
export function readListSettings(config: RecordingListConfig): ListSettings {
  const provider =
    providers.find(readChoice(config.provider, 'Provider', providers.names)) ?? providers.usual;
  // Invalid settings are reported on deploy, and read again for every message.
  readRange(config.from, config.to, Date.now());
  readFilters(config.what, config.filter, provider);
  return { provider, only: readChoice(config.only, 'Send', SELECTIONS) };
}

/**
 * What a message asks for: its own `what`, `from`, `to` and `filter` override the node's. `msg.verify` also reads the
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
  const { from = config.from, to = config.to, what = config.what, filter = config.filter } = message;
  const { verify, rebuild } = message;
  const isRebuild = readSwitch('rebuild', rebuild) === true;
  const check = readSwitch('verify', verify, 'only');
  const account = config[choiceOf(provider.name).property];
  // Without an account there is nothing to list, but stored files can still be checked.
  const isCheckOnly = check === 'only' || (check && readText(account) === '');
  const filters = readFilters(what, filter, provider);
  return {
    range: readRange(from, to, Date.now()),
    rebuild: isRebuild ? folderOf(RED, message['folder']) : null,
    verify: check !== false,
    ...(isRebuild || isCheckOnly ? NOTHING : filters)
  };
}

const NOTHING = { recordings: null, transcripts: null };

/** Reads what is listed, and the filters of each of the lists. */
function readFilters(
  listed: unknown,
  filter: unknown,
  provider: ProviderDefinition
): Pick<ListRequest, 'recordings' | 'transcripts'> {
  const what = readChoice(listed, 'List', LISTED);
  const recordings = what === 'transcripts' ? null : readFilter(filter, provider.filters);
  if (what === 'recordings') return { recordings, transcripts: null };
  if (provider.transcriptFilters === undefined) throw withoutTranscripts(provider);
  return { recordings, transcripts: readFilter(filter, provider.transcriptFilters) };
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
