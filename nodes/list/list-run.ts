import { DailyApi } from '../../src/providers/daily/daily-client';
import { CodedError } from '../../src/errors/coded-error';
import { CopyReader } from '../../src/reconcile/copy-reader';
import { listDaily } from '../../src/providers/daily/recording-list';
import { EmissionPace, MOST_ORDERS } from '../../src/reconcile/emission-pace';
import type { ListedBatch } from '../../src/providers/listed-batch';
import { patientAsk } from '../../src/providers/http/patient-request';
import { reconcile, type Emitted, type Phase } from '../../src/reconcile/reconcile';
import type { RunSummary } from '../../src/reconcile/run-summary';
import { listTelnyx } from '../../src/providers/telnyx/recording-list';
import { TelnyxApi } from '../../src/providers/telnyx/api-client';
import { apiBreakers } from '../config/api-breakers';
import type { ArchiveState } from '../lib/archive-state';
import type { DailyAccount } from '../config/daily-account-access';
import type { ListRequest, ListSettings } from './list-settings';
import type { TelnyxAccount } from '../config/telnyx-account-access';

export interface ListAccounts {
  account: Pick<TelnyxAccount, 'apiUrl' | 'apiKey' | 'pace'> | null;
  dailyAccount: Pick<DailyAccount, 'apiUrl' | 'apiKey'> | null;
}

/** What a run tells the node. None of these may throw. */
export interface ListEvents {
  emit: (emitted: Emitted) => void;
  onProgress: (summary: RunSummary, phase: Phase) => void;
  /** Why the run waits: the API, or the download nodes; null when it continues. */
  onWaiting: (reason: 'api' | 'downloads' | null) => void;
}

/**
 * Carries out what one message asks for.
 *
 * @returns the summary, and the first failure
 * @throws CodedError `BAD_SETTING` when there is no account to ask; `signal.reason` when aborted
 */
export async function runList(
  request: ListRequest,
  settings: ListSettings,
  accounts: ListAccounts,
  state: ArchiveState,
  events: ListEvents,
  signal: AbortSignal
): Promise<{ summary: RunSummary; failure: CodedError | null }> {
  const api = request.list ? apiOf(settings, accounts) : null;
  if (request.list && api === null) throw withoutAccount(settings);
  const begun = Date.now();
  const pace = new EmissionPace(
    () => state.jobs.load(state.nodes, MOST_ORDERS),
    (isWaiting) => events.onWaiting(isWaiting ? 'downloads' : null)
  );
  const { recordings, database, buckets } = state;
  const { rebuild, range, verify } = request;
  const copies = new CopyReader(() => buckets.values(), signal);
  // The flow may have been told of a file a moment before it is in the index.
  await database.written();
  try {
    return await reconcile(
      {
        ...settings,
        from: range.from,
        to: range.to ?? begun,
        rebuild:
          rebuild === null
            ? null
            : {
                folder: rebuild,
                index: recordings.at(rebuild),
                commit: (changes) => database.commit(changes)
              },
        list: api === null ? null : listOf(api, request, begun, events, signal),
        verify: verify ? { read: (recording) => copies.read(recording) } : null
      },
      {
        recordings,
        emit: async (emitted) => {
          await pace.turn(signal);
          events.emit(emitted);
        },
        onProgress: events.onProgress,
        now: Date.now,
        signal
      }
    );
  } finally {
    await api?.close();
  }
}

function listOf(
  api: TelnyxApi | DailyApi,
  { range, filter }: ListRequest,
  begun: number,
  { onWaiting }: ListEvents,
  signal: AbortSignal
): AsyncIterable<ListedBatch> {
  const ask = patientAsk(api, {
    onWait: (error) => onWaiting(error === null ? null : 'api'),
    random: Math.random,
    signal
  });
  return api instanceof DailyApi
    ? listDaily({ ask, filter, ...range })
    : listTelnyx({ ask, filter, from: range.from, to: range.to ?? begun, signal });
}

function apiOf(
  { provider }: ListSettings,
  { account, dailyAccount }: ListAccounts
): TelnyxApi | DailyApi | null {
  if (provider === 'daily')
    return (
      dailyAccount &&
      new DailyApi({
        apiUrl: dailyAccount.apiUrl,
        apiKey: () => dailyAccount.apiKey(),
        breakers: apiBreakers
      })
    );
  return (
    account &&
    new TelnyxApi({
      apiUrl: account.apiUrl,
      apiKey: () => account.apiKey(),
      pace: account.pace,
      breakers: apiBreakers
    })
  );
}

function withoutAccount({ provider }: ListSettings): CodedError {
  return new CodedError(
    'BAD_SETTING',
    `No ${provider === 'daily' ? 'Daily' : 'Telnyx'} account is chosen, or the chosen one is missing or disabled. ` +
      'The list is asked for with the API key of an account: choose one in the node.'
  );
}
