import type { ArchiveFacts } from '../../src/archive/archive-facts';
import { loadOf } from '../../src/archive/queue/jobs';
import { CodedError } from '../../src/errors/coded-error';
import { type ListRun, ListRuns } from '../../src/evidence/certificate/list-runs';
import {
  type ListQuery,
  type ProviderOptions,
  type RecordingProvider,
  withoutAccount,
  withoutTranscripts
} from '../../src/providers/provider';
import { type ProviderAccounts, providers } from '../../src/providers/registry';
import { CopyReader } from '../../src/reconcile/copy-reader';
import type { Deletions } from '../../src/evidence/deletion/deletions';
import { Tombstones } from '../../src/evidence/deletion/tombstones';
import { listRunOf } from '../../src/reconcile/ended-run';
import { EmissionPace, MOST_ORDERS } from '../../src/reconcile/emission-pace';
import {
  type Emitted,
  type Phase,
  type RunPlan,
  type RunSummary,
  reconcile
} from '../../src/reconcile/reconcile';
import { apiBreakers } from '../config/provider-accounts';
import type { ArchiveState } from '../lib/archive-state';
import type { ListRequest, ListSettings } from './list-settings';

/** What a run reports to the node. None of these may throw. */
export interface ListEvents {
  emit: (emitted: Emitted) => void;
  onProgress: (summary: RunSummary, phase: Phase) => void;
  /** Why the run waits: the API, or the download nodes; null when it continues. */
  onWaiting: (reason: 'api' | 'downloads' | null) => void;
}

export interface ListRunDeps {
  accounts: ProviderAccounts;
  state: ArchiveState;
  /** What is known of the archive, here or in all Node-REDs with the queue of the node. */
  facts: ArchiveFacts;
  /** Takes the times that the API tells. */
  onDate: NonNullable<ProviderOptions['onDate']>;
  /** Opens what deletes again. */
  deletions: () => Promise<Deletions>;
  events: ListEvents;
  /** Ids of the node, and of the account's node; blank: none. */
  ids: { node: string; account: string };
}

/**
 * Runs the request of one message.
 *
 * @returns the summary, and the first failure
 * @throws CodedError `BAD_SETTING` when there is no account; `signal.reason` when aborted
 */
export async function runList(
  request: ListRequest,
  settings: ListSettings,
  { accounts, state, facts, onDate, deletions, events, ids }: ListRunDeps,
  signal: AbortSignal
): Promise<{ summary: RunSummary; failure: CodedError | null }> {
  const account = accounts.get(settings.provider.name) ?? null;
  const { rebuild, range, verify } = request;
  const isListing = request.recordings !== null || request.transcripts !== null;
  if (isListing && account === null) throw withoutAccount(settings.provider);
  const provider = isListing ? settings.provider.open(account, { breakers: apiBreakers, onDate }) : null;
  const begun = Date.now();
  const pace = new EmissionPace(
    () => loadOf(state.nodes.values(), MOST_ORDERS),
    (isWaiting) => events.onWaiting(isWaiting ? 'downloads' : null)
  );
  const copies = new CopyReader(() => state.buckets.values(), signal);
  const onWait = (reason: CodedError | null): void => events.onWaiting(reason === null ? null : 'api');
  // The flow may receive a file a moment before it is in the index.
  await facts.settled();
  try {
    const outcome = await reconcile(
      {
        origin: settings.provider,
        only: settings.only,
        from: range.from,
        to: range.to ?? begun,
        rebuild:
          rebuild === null
            ? null
            : {
                folder: rebuild,
                index: facts.at(rebuild),
                origins: providers,
                commit: (effects) => facts.commit(effects),
                deletions: await deletions()
              },
        ...listsOf(request, settings, provider, { begun, onWait, signal }),
        verify: verify ? { read: (recording) => copies.read(recording) } : null
      },
      {
        facts,
        tombstones: new Tombstones(state.database),
        emit: async (emitted) => {
          await pace.turn(signal);
          events.emit(emitted);
        },
        onProgress: events.onProgress,
        now: Date.now,
        signal
      }
    );
    const ended = { ...ids, provider: settings.provider.name, ...spanOf(request, begun) };
    const unnoted = await noteRun(state, listRunOf(outcome.summary, ended));
    return { ...outcome, failure: outcome.failure ?? unnoted };
  } finally {
    await provider?.close();
  }
}

/** The span of a request, and whether everything in it is listed: a filter leaves recordings out. */
function spanOf(
  { range, recordings }: ListRequest,
  begun: number
): Pick<ListRun, 'from' | 'to' | 'startedAt' | 'isWhole'> {
  const isWhole = recordings !== null && Object.keys(recordings).length === 0;
  return { from: range.from, to: range.to ?? begun, startedAt: begun, isWhole };
}

/** @returns why the run could not be noted; the list itself is not affected */
async function noteRun(
  { database }: Pick<ArchiveState, 'database'>,
  run: ListRun
): Promise<CodedError | null> {
  try {
    await new ListRuns(database).note(run);
    return null;
  } catch (cause) {
    return new CodedError(
      'STORE_FAILED',
      'The list has ended, but the state could not note which span it covered, so a certificate would show a gap. Look at the ' +
        'free space of the user directory, and run the list again.',
      { cause, retryable: true }
    );
  }
}

/** What the provider is asked for, in the order of the run. */
function listsOf(
  { range, recordings, transcripts }: ListRequest,
  settings: ListSettings,
  provider: RecordingProvider | null,
  { signal, ...common }: Pick<ListQuery, 'begun' | 'onWait'> & { signal: AbortSignal }
): Pick<RunPlan, 'list' | 'transcripts'> {
  if (transcripts !== null && provider?.listTranscripts === undefined)
    throw withoutTranscripts(settings.provider);
  const query = { ...range, ...common };
  return {
    list:
      recordings === null
        ? null
        : (provider?.listRecordings({ ...query, filter: recordings }, signal) ?? null),
    transcripts:
      transcripts === null
        ? null
        : (provider?.listTranscripts?.({ ...query, filter: transcripts }, signal) ?? null)
  };
}
