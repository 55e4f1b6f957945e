import { type Effects, entering } from '../../../../src/archive/effects';
import { LocalFacts } from '../../../../src/archive/index/local-facts';
import type { IndexedFile } from '../../../../src/archive/index/stored-index';
import type { RefillTimes } from '../../../../src/sharing/facts/refill';
import { SharedFacts } from '../../../../src/sharing/facts/shared-facts';
import { Sealer } from '../../../../src/sharing/sealer';
import type { StoredRecording } from '../../../../src/store/stored-recording';
import { StateFixture } from '../../archive/state-fixture';
import type { Member } from '../sharing-fixture';

export function fileOf(identity: string, more: Partial<StoredRecording> = {}): IndexedFile {
  const recording = {
    path: `/a/${identity.slice(0, 50)}.mp3`,
    sha256: 'aa',
    stored_at: '2026-03-04T09:00:00.000Z',
    started_at: null,
    transcription: null,
    deleted_at_source: null,
    ...more
  } as StoredRecording;
  return { identity, wantedFormat: 'mp3', recording, order: 'job' };
}

export const stored = (...files: IndexedFile[]): Effects => entering({ place: '/a' }, files);

export interface ArchiveOptions {
  kept?: number;
  key?: string;
  refill?: Partial<RefillTimes>;
  now?: () => number;
}

/** The facts of one instance, with its state. */
export class Archive {
  readonly state = new StateFixture();
  gaps = 0;
  facts: SharedFacts;

  constructor(
    public member: Member,
    readonly options: ArchiveOptions = {}
  ) {
    this.facts = this.#open();
  }

  get local(): LocalFacts {
    return new LocalFacts(this.state.database);
  }

  #open(): SharedFacts {
    const { kept, key = '', refill, now } = this.options;
    const facts = new SharedFacts({
      ...{ local: this.local, database: this.state.database, kept, now, tickMs: 50 },
      ...{ connection: this.member.connection, instance: this.member.instance.id },
      sealer: Sealer.withKey(key),
      refill: { poll: 10, ...refill },
      onGap: () => (this.gaps += 1)
    });
    // That of a download node.
    facts.at('/a');
    return facts;
  }

  async knows(identity: string): Promise<boolean> {
    return (await this.facts.find(identity)).length > 0;
  }

  /** The process ends and another one begins. @param member its connection */
  async restart(member: Member): Promise<void> {
    await this.facts.close();
    await this.state.reopen();
    this.member = member;
    this.facts = this.#open();
  }

  async remove(): Promise<void> {
    await this.facts.close();
    await this.state.remove();
  }
}
