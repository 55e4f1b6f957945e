import { CodedError } from '../../errors/coded-error';
import type { StateCollection, StateDatabase } from '../../state/state-database';
import type { ClockGuard } from '../custody/clock-guard';
import { sha256Hex } from '../custody/custody-line';
import type { CustodySink } from '../custody/custody-recorder';
import { type AccountCertificate, type Certificate, reasonsOf, statementOf } from './certificate';
import { certificatePage } from './certificate-page';
import { CoveredSpans } from './covered-spans';
import type { ListRun, ListRuns } from './list-runs';
import { readLogOfPeriod } from './log-of-period';
import { type Period, monthBefore, monthPeriod } from './period';
import { type CountParts, type DaySource, countRecordings } from './recording-counts';

/** One account of a provider, and who knows of its recordings. */
export interface AccountSources {
  provider: string;
  /** Id of the account's node, as the runs of lists have it. */
  account: string;
  /** The provider's list. */
  list: DaySource | null;
  /** Detail records, accepted deliveries, the index. */
  others: readonly DaySource[];
  fateOf: CountParts['fateOf'];
}

export interface CertificateDeps {
  accounts: readonly AccountSources[];
  runs: Pick<ListRuns, 'endedFrom'>;
  /** `directory`: of the log. */
  custody: Pick<CustodySink, 'append'> & { directory: string; clock: Pick<ClockGuard, 'doubt'> };
  database: Pick<StateDatabase, 'collection' | 'commit'>;
  /** Cases that are not released, and how many recordings they hold. */
  holds: () => Certificate['holds'];
  /** How the destinations are shown; no secrets. */
  destinations: readonly string[];
  installation: string;
  /** Name and version. */
  software: string;
  settingsSha256: string | null;
  /** Who asked: `node:<id>`. */
  actor: string;
  /** Milliseconds since 1970. */
  now: () => number;
  signal: AbortSignal;
}

export interface IssuedCertificate {
  certificate: Certificate;
  /** These bytes are what the log has the hash of. */
  json: Buffer;
  /** The same for people: one page without scripts. */
  html: string;
  /** Of `json`, hex. */
  sha256: string;
  /** The line of the log that has it. */
  seq: number;
}

/**
 * Makes the certificate of a month, and enters its hash into the custody log, whose next checkpoint signs it. Nothing is given
 * out whose hash is not in the log. Recordings are streamed, not collected.
 *
 * @param month such as `2026-11`
 * @throws CodedError `BAD_SETTING` for a month that is none or has not begun; as `fateOf`, the log and the state do;
 *   `signal.reason`
 */
export async function issueCertificate(month: string, deps: CertificateDeps): Promise<IssuedCertificate> {
  const { custody, database, actor, now } = deps;
  const period = monthPeriod(month);
  if (now() < period.from)
    throw new CodedError(
      'BAD_SETTING',
      `The month ${month} has not begun, so there is nothing to certify. Choose another one, or look at the clock of the machine.`
    );
  const earlier: StateCollection<string> = database.collection('certificates');
  const certificate = await assemble(period, deps, earlier);
  const json = Buffer.from(`${JSON.stringify(certificate, null, 2)}\n`);
  const sha256 = sha256Hex(json);
  const { unexplained, isComplete } = {
    unexplained: certificate.accounts.reduce((sum, { totals }) => sum + totals.unexplained, 0),
    isComplete: certificate.verdict === 'complete'
  };
  const { seq } = await custody.append({
    event: 'certified',
    sha256,
    actor,
    details: { from: certificate.from, complete: isComplete, unexplained }
  });
  await database.commit([earlier.putting([month], sha256)]);
  return { certificate, json, html: certificatePage(certificate, { sha256, seq }), sha256, seq };
}

async function assemble(
  period: Period,
  deps: CertificateDeps,
  earlier: StateCollection<string>
): Promise<Certificate> {
  const { custody, installation, software, settingsSha256, destinations, now, signal } = deps;
  const accounts: AccountCertificate[] = [];
  for (const account of deps.accounts) accounts.push(await certify(period, account, deps));
  const before = monthBefore(period).name;
  const previous = earlier.get([before]);
  const known = {
    from: iso(period.from),
    to: iso(period.to),
    // After the sources were asked: what they told is not older than that.
    made_at: iso(now()),
    accounts,
    fixity: fixityOf(period, deps.runs),
    log: await readLogOfPeriod(custody.directory, period, signal),
    clock_doubt: custody.clock.doubt()
  };
  const reasons = reasonsOf(known);
  // The order of the fields is that of the file.
  return {
    v: 1,
    kind: 'completeness-certificate',
    month: period.name,
    from: known.from,
    to: known.to,
    made_at: known.made_at,
    installation,
    software,
    settings_sha256: settingsSha256,
    verdict: reasons.length === 0 ? 'complete' : 'not-complete',
    reasons,
    statement: statementOf(period.name, reasons),
    accounts,
    destinations: [...destinations].sort(),
    fixity: known.fixity,
    holds: deps.holds(),
    log: known.log,
    clock_doubt: known.clock_doubt,
    previous: previous === undefined ? null : { month: before, sha256: previous }
  };
}

async function certify(
  period: Period,
  { provider, account, list, others, fateOf }: AccountSources,
  { runs, signal }: Pick<CertificateDeps, 'runs' | 'signal'>
): Promise<AccountCertificate> {
  const counted = await countRecordings(period, { list, others, fateOf, signal });
  const covered = new CoveredSpans(period);
  const told = { ended: 0, complete: 0 };
  for (const run of runs.endedFrom(period.from)) {
    if (run.provider !== provider || run.account !== account || !run.isWhole) continue;
    const span = spanOf(run);
    if (!(span.from < period.to && span.to > period.from)) continue;
    told.ended += 1;
    if (!run.complete) continue;
    told.complete += 1;
    covered.add(span);
  }
  return {
    provider,
    account,
    sources: [...(list === null ? [] : [list]), ...others].map(({ name }) => name),
    has_list: list !== null,
    totals: counted.totals,
    days: counted.days,
    runs: told,
    gaps: covered.gaps().map(({ from, to }) => ({ from: iso(from), to: iso(to) })),
    incomplete_sources: counted.incomplete,
    unexplained: counted.unexplained,
    given_up: counted.givenUp
  };
}

/** What a run can have seen: nothing that came after it began. */
function spanOf({ from, to, startedAt }: ListRun): { from: number; to: number } {
  return { from: from ?? -Infinity, to: Math.min(to, startedAt) };
}

function fixityOf({ from }: Period, runs: Pick<ListRuns, 'endedFrom'>): Certificate['fixity'] {
  let last: Certificate['fixity'] = null;
  for (const { verify, endedAt } of runs.endedFrom(from))
    if (verify !== null) {
      const { files, intact, changed, missing, unreadable } = verify;
      last = { files, intact, changed, missing, unreadable, checked_at: iso(endedAt) };
    }
  return last;
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
