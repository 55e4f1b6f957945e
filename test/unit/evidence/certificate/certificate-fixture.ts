import {
  type CertificateDeps,
  issueCertificate
} from '../../../../src/evidence/certificate/issue-certificate';
import type { IssuedCertificate } from '../../../../src/evidence/certificate/issue-certificate';
import { type ListRun, ListRuns } from '../../../../src/evidence/certificate/list-runs';
import type {
  DaySource,
  Fate,
  KnownRecording,
  SourceBatch
} from '../../../../src/evidence/certificate/recording-counts';
import { CustodyFixture } from '../custody-fixture';
import { MemoryState } from '../deletion/memory-state';

/** A recording that a source of the test knows. */
export interface Told {
  recording: string;
  /** Of the recording; milliseconds since 1970. */
  at: number;
  state?: KnownRecording['state'];
}

export const NOVEMBER = { from: Date.UTC(2026, 10), to: Date.UTC(2026, 11) };

export function sourceOf(name: string, told: readonly Told[], gap: string | null = null): DaySource {
  return {
    name,
    read: (day) => batches(told.filter(({ at }) => at >= day.from && at < day.to).map(known), gap)
  };
}

export async function* batches(
  recordings: readonly KnownRecording[],
  gap: string | null
): AsyncIterable<SourceBatch> {
  await Promise.resolve();
  yield { recordings: recordings.slice(0, 2), gap: null };
  yield { recordings: recordings.slice(2), gap };
}

function known({ recording, state = 'ready' }: Told): KnownRecording {
  return { recording, identities: [recording], state };
}

export function listRun(more: Partial<ListRun> = {}): ListRun {
  return {
    ...{ node: 'list', provider: 'telnyx', account: 'main', ...NOVEMBER },
    ...{ startedAt: NOVEMBER.to + 3600_000, endedAt: NOVEMBER.to + 7200_000 },
    ...{ isWhole: true, complete: true, errors: [] },
    ...{ listed: 0, stored: 0, deleted: 0, missing: 0, notReady: 0, withoutFile: 0, verify: null },
    ...more
  };
}

/** Everything that a certificate is made of. As it begins, November 2026 is complete and empty. */
export class CertificateFixture {
  readonly log = new CustodyFixture();
  readonly state = new MemoryState();
  readonly runs = new ListRuns(this.state.database);
  readonly fates = new Map<string, Fate>();
  list: DaySource | null = sourceOf('list', []);
  others: DaySource[] = [];
  doubt: ReturnType<CertificateDeps['custody']['clock']['doubt']> = null;

  async begin(): Promise<void> {
    this.log.now = NOVEMBER.from - 3600_000;
    await this.log.open();
    for (let day = 0; day <= 30; day += 1) {
      this.log.now += 24 * 3600_000;
      await this.log.custody?.daily();
    }
    this.log.now = NOVEMBER.to + 8 * 3600_000;
    await this.log.custody?.daily();
  }

  issue(month = '2026-11', more: Partial<CertificateDeps> = {}): Promise<IssuedCertificate> {
    const { custody, directory } = this.log;
    if (custody === null) throw new Error('begin() first');
    return issueCertificate(month, {
      accounts: [
        {
          provider: 'telnyx',
          account: 'main',
          list: this.list,
          others: this.others,
          fateOf: ({ identities: [identity = ''] }) => Promise.resolve(this.fates.get(identity) ?? 'unknown')
        }
      ],
      runs: this.runs,
      custody: { append: (entry) => custody.append(entry), directory, clock: { doubt: () => this.doubt } },
      database: this.state.database,
      holds: () => ({ open_cases: 0, recordings: 0 }),
      destinations: ['archive'],
      installation: 'a'.repeat(32),
      software: 'node-red-telnyx 0.1.0',
      settingsSha256: 'b'.repeat(64),
      actor: 'node:1',
      now: () => this.log.now,
      signal: new AbortController().signal,
      ...more
    });
  }
}
