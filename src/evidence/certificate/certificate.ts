import type { IncompleteSource, NamedRecording, RecordingCounts, DayCounts } from './recording-counts';
import type { StoredFilesCheck } from './list-runs';
import type { LogOfPeriod } from './log-of-period';

/** Why a certificate does not say "complete". The names are in files, so they never change. */
export type OpenReason =
  | 'month-not-over'
  | 'no-list'
  | 'source-incomplete'
  | 'not-listed'
  | 'unexplained'
  | 'given-up'
  | 'not-ready'
  | 'files-damaged'
  | 'no-log'
  | 'log-begins-later'
  | 'log-damaged'
  | 'log-lost-lines'
  | 'clock';

/** A span that no complete list covers; ISO 8601 UTC. */
export interface Gap {
  from: string;
  to: string;
}

/** What a certificate says of one account of a provider. */
export interface AccountCertificate {
  provider: string;
  account: string;
  /** Names of the sources that were asked, the provider's list first. */
  sources: readonly string[];
  has_list: boolean;
  totals: RecordingCounts;
  days: readonly DayCounts[];
  /** Runs of recording lists that concern the month. */
  runs: { ended: number; complete: number };
  gaps: readonly Gap[];
  incomplete_sources: readonly IncompleteSource[];
  /** The first thousand of each; `totals` has all. */
  unexplained: readonly NamedRecording[];
  given_up: readonly NamedRecording[];
}

/** The certificate of a month. The names of its fields are in files, so they never change. Times are ISO 8601 UTC. */
export interface Certificate {
  v: 1;
  kind: 'completeness-certificate';
  month: string;
  from: string;
  to: string;
  made_at: string;
  /** The id of the installation. */
  installation: string;
  software: string;
  /** SHA-256 over the settings of the nodes, hex; null: not known. */
  settings_sha256: string | null;
  verdict: 'complete' | 'not-complete';
  reasons: readonly OpenReason[];
  statement: string;
  accounts: readonly AccountCertificate[];
  destinations: readonly string[];
  /** The last time that the stored files were read again, since the beginning of the month; null: they were not. */
  fixity: (StoredFilesCheck & { checked_at: string }) | null;
  holds: { open_cases: number; recordings: number };
  log: LogOfPeriod;
  clock_doubt: string | null;
  /** The certificate of the month before; null: none was made here. */
  previous: { month: string; sha256: string } | null;
}

export const REASON_TEXTS: Readonly<Record<OpenReason, string>> = {
  'month-not-over': 'The month was not over when this was made.',
  'no-list': 'An account has no list of its provider to compare with.',
  'source-incomplete': 'Sources did not tell everything; they are named below.',
  'not-listed':
    'Part of the month lies in no complete run of a recording list. Run the list over the gaps that are named below.',
  unexplained: 'Recordings are neither stored nor explained; they are named below.',
  'given-up': 'Recordings were given up; they are named below.',
  'not-ready': 'Recordings were not ready at the provider yet.',
  'files-damaged': 'Stored files were missing, changed or not readable when they were read again.',
  'no-log': 'There is no custody log of this month.',
  'log-begins-later': 'The custody log begins after the month began.',
  'log-damaged': 'The custody log has lines that do not follow one another.',
  'log-lost-lines': 'The custody log could not be written for a while, and lacks lines.',
  clock: 'The clock of the machine could not be trusted.'
};

/** Why a certificate may not say "complete"; none: it may. */
export function reasonsOf(
  certificate: Pick<Certificate, 'accounts' | 'from' | 'to' | 'made_at' | 'fixity' | 'log' | 'clock_doubt'>
): OpenReason[] {
  const { accounts, from, to, made_at, fixity, log, clock_doubt } = certificate;
  const inSome = (is: (account: AccountCertificate) => boolean): boolean => accounts.some(is);
  const has = (name: keyof RecordingCounts): boolean => inSome(({ totals }) => totals[name] !== 0);
  const found: Readonly<Record<OpenReason, boolean>> = {
    'month-not-over': made_at < to,
    'no-list': accounts.length === 0 || inSome(({ has_list }) => !has_list),
    'source-incomplete': inSome(({ incomplete_sources }) => incomplete_sources.length > 0),
    'not-listed': inSome(({ gaps }) => gaps.length > 0),
    unexplained: has('unexplained'),
    'given-up': has('given_up'),
    'not-ready': has('not_ready'),
    'files-damaged': fixity !== null && fixity.intact !== fixity.files,
    'no-log': log.files.length === 0,
    'log-begins-later': log.begins_at !== null && log.begins_at > from,
    'log-damaged': log.faults > 0 || (log.events['damage'] ?? 0) > 0,
    'log-lost-lines': log.lost_lines > 0,
    clock: clock_doubt !== null || log.clock_jumps > 0
  };
  return (Object.keys(found) as OpenReason[]).filter((reason) => found[reason]);
}

/** What a certificate says in one sentence. It can only tell of what the provider lists. */
export function statementOf(month: string, reasons: readonly OpenReason[]): string {
  return reasons.length === 0
    ? `Complete: of what the provider lists for ${month}, and of what is known from elsewhere, every recording is stored, was ` +
        'deleted by policy or on request, or never had a file.'
    : `Not complete: of what the provider lists for ${month}, not everything could be shown to be accounted for.`;
}
