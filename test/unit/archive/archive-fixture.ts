import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ArchiveDeps, ArchiveSettings } from '../../../src/archive/archive-context';
import { ArchiveProgress } from '../../../src/archive/archive-progress';
import { Archiver } from '../../../src/archive/archiver';
import type { BegunFile, ResumeStates } from '../../../src/archive/download/partial-copies';
import type { IndexedFile, StoredIndex } from '../../../src/archive/index/stored-index';
import type { Job, JobItem, JobRun } from '../../../src/archive/queue/job';
import type { FileOutcome, RunResult } from '../../../src/archive/queue/run-result';
import { CodedError } from '../../../src/errors/coded-error';
import { DEFAULT_FILENAME } from '../../../src/naming/filename-syntax';
import { compileFilename } from '../../../src/naming/filename-template';
import { unknownDetails } from '../../../src/recording/extract/announcement';
import { type RecordingReference, mediaLink } from '../../../src/recording/recording-reference';
import { createFolderStore } from '../../../src/store/folder/folder-store';
import type { StoredFile } from '../../../src/store/stored-recording';
import { transfer } from '../../../src/transfer/transfer';
import { testOwner } from '../store/folder/store-fixture';

export const STORED_AT = Date.UTC(2026, 2, 4, 10, 0, 0);

/** The first run of a job, as far as is known. */
export const FRESH: JobRun = { isResumed: false };

/** For what asks whether a recording is held. */
export const NOTHING_HELD = {
  holds: { permitted: <T>(_asked: unknown, work: () => Promise<T>): Promise<T> => work() },
  keepForRelease: (): Promise<void> => Promise.reject(new Error('Nothing is held.')),
  actor: 'node:node-1'
};

/** An archive in its own folder. It records pauses instead of waiting. */
export class ArchiveFixture {
  readonly pauses: number[] = [];
  readonly progress = new ArchiveProgress();
  readonly partials = new MemoryPartials();

  private constructor(readonly folder: string) {}

  static async create(): Promise<ArchiveFixture> {
    return new ArchiveFixture(await mkdtemp(path.join(tmpdir(), 'telnyx-archive-')));
  }

  archiver(settings: Partial<ArchiveSettings> = {}, deps: Partial<ArchiveDeps> = {}): TestArchiver {
    const index = new MemoryIndex();
    return new TestArchiver(this.plainArchiver(index, settings, deps), index, this.pauses);
  }

  plainArchiver(
    index: StoredIndex,
    settings: Partial<ArchiveSettings> = {},
    deps: Partial<ArchiveDeps> = {}
  ): Archiver {
    return new Archiver(
      {
        scope: 'node-1',
        filename: compileFilename(DEFAULT_FILENAME),
        sidecar: true,
        concurrency: 4,
        retries: 3,
        maxSize: 0,
        stallTimeoutMs: 5000,
        network: 'any',
        ...settings
      },
      {
        store: createFolderStore({ folder: this.folder, owner: testOwner() }),
        partials: this.partials,
        transfer,
        authorize: () => undefined,
        holds: NOTHING_HELD.holds,
        now: () => STORED_AT,
        random: () => 1,
        ...deps
      },
      this.progress,
      index
    );
  }

  /** The sorted names of everything in the folder, including hidden partial copies. */
  async files(): Promise<string[]> {
    const entries = await readdir(this.folder, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => path.relative(this.folder, path.join(entry.parentPath, entry.name)))
      .map((name) => name.split(path.sep).join('/'))
      .sort();
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Why a file was not stored. */
export function errorOf(outcome: Exclude<FileOutcome, { kind: 'stored' }>): CodedError {
  return outcome.kind === 'failed' ? outcome.error : new CodedError('GAVE_UP', 'It was deleted before.');
}

export type Outcome = { ok: true; file: StoredFile } | { ok: false; error: Error };

/** Runs a job to its end; records pauses instead of waiting. */
export class TestArchiver {
  #orders = 0;

  constructor(
    private readonly archiver: Archiver,
    private readonly index: MemoryIndex,
    private readonly pauses: number[]
  ) {}

  async archive(...jobs: JobItem[]): Promise<Outcome[]> {
    const job = this.order(...jobs);
    for (;;) {
      const result = await this.pass(job);
      if (result.kind === 'stopped') return [{ ok: false, error: new CodedError('GAVE_UP', 'closed') }];
      if (result.kind === 'again') this.pauses.push(result.pauseMs);
      else
        return result.outcomes.map((outcome) =>
          outcome.kind === 'stored'
            ? { ok: true, file: outcome.file }
            : { ok: false, error: errorOf(outcome) }
        );
    }
  }

  order(...jobs: JobItem[]): Job {
    this.#orders += 1;
    return { id: `order-${this.#orders}`, acceptedAt: 0, message: {}, items: jobs, files: {} };
  }

  /** One run; between runs a job is kept as text, as on disk. */
  async pass(job: Job): Promise<RunResult> {
    const kept = JSON.parse(JSON.stringify(job)) as Job;
    const result = await this.archiver.run(kept, FRESH);
    for (const entry of result.entries) this.index.enter(entry);
    Object.assign(job, kept);
    return result;
  }

  close(): Promise<void> {
    return this.archiver.close();
  }
}

class MemoryIndex implements StoredIndex {
  readonly place = '/memory';
  readonly #files: IndexedFile[] = [];

  async find(identity: string): Promise<readonly IndexedFile[]> {
    return Promise.resolve(this.#files.filter((file) => file.identity === identity));
  }

  deleted(): Promise<[]> {
    return Promise.resolve([]);
  }

  enter(file: IndexedFile): void {
    const place = this.#files.findIndex(
      (known) => known.identity === file.identity && known.wantedFormat === file.wantedFormat
    );
    this.#files.splice(place < 0 ? this.#files.length : place, 1, file);
  }
}

class MemoryPartials implements ResumeStates {
  readonly files = new Map<string, BegunFile>();

  begun(copyId: string): BegunFile | undefined {
    return this.files.get(copyId);
  }

  note(copyId: string, file: BegunFile): Promise<void> {
    this.files.set(copyId, file);
    return Promise.resolve();
  }

  forget(copyId: string): Promise<void> {
    this.files.delete(copyId);
    return Promise.resolve();
  }
}

/** A dual-channel recording of 2026-03-04 at the given addresses; their ending gives the format. */
export function recordingAt(...urls: string[]): RecordingReference {
  return {
    kind: 'audio',
    identity: 'telnyx:rec-1',
    details: {
      ...unknownDetails({
        provider: 'telnyx',
        event_type: 'call.recording.saved',
        event_id: 'evt-1',
        announced_at: null
      }),
      recording_id: 'rec-1',
      channels: 'dual',
      started_at: '2026-03-04T09:15:02.118Z'
    },
    links: urls.map((url) => mediaLink(url, /\.(mp3|wav)/.exec(url)?.[1] ?? null)),
    media_index: null,
    announced_at: '2026-03-04T09:20:00.000Z',
    storage_key: null
  };
}

/** The only file of a successful job. */
export async function onlyFile(outcomes: Promise<Outcome[]>): Promise<StoredFile> {
  const [outcome, ...others] = await outcomes;
  if (outcome === undefined || others.length > 0)
    throw new Error(`${others.length + 1} outcomes instead of one`);
  if (!outcome.ok) throw outcome.error;
  return outcome.file;
}
