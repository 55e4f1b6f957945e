import type { Custody } from '../../src/evidence/custody/custody';
import type { Deletions } from '../../src/evidence/deletion/deletions';
import { Holds } from '../../src/evidence/deletion/holds';
import type { CodedError } from '../../src/errors/coded-error';
import {
  clockInDoubt,
  deleteFiles,
  type DeletionSummary,
  expired,
  finishDecided
} from '../../src/library/actions/delete-files';
import { findFiles } from '../../src/library/actions/find-files';
import { holdRecordings, releaseRecordings } from '../../src/library/actions/hold-recordings';
import { meantFiles } from '../../src/library/actions/meant-files';
import type { RecordingQuery } from '../../src/library/actions/recording-query';
import { reportArchive } from '../../src/library/actions/report-archive';
import { verifyArchive } from '../../src/library/actions/verify-archive';
import { textInFile } from '../../src/library/content/recording-text';
import type { FoundFile } from '../../src/library/search/archive-search';
import { CopyReader } from '../../src/reconcile/copy-reader';
import type { ArchiveState } from '../lib/archive-state';
import type { ArchiveRequest } from './archive-settings';

/** What a run tells while it works. */
export interface ArchiveProgress {
  /** Files that were looked at. */
  looked: number;
  /** Files or recordings that were found, held, released or deleted. */
  done: number;
}

export interface ArchiveWorkDeps {
  state: ArchiveState;
  /** Opens what deletes. Called only by actions that hold, release or delete. */
  deletions: () => Promise<Deletions>;
  custody: () => Promise<Pick<Custody, 'clock' | 'directory'>>;
  /** As `MeantFilesOptions.places`. */
  places: readonly string[] | null;
  /** Id of the node. */
  node: string;
  onProgress: (progress: Readonly<ArchiveProgress>) => void;
}

/** `msg.payload`. */
export type ArchiveResult = { action: ArchiveRequest['action'] } & Record<string, unknown>;

/**
 * Carries out one request.
 *
 * @returns the result, and the first failure, which Catch nodes get after the result
 * @throws CodedError when nothing could be done; `signal.reason` when aborted
 */
export async function runArchive(
  request: ArchiveRequest,
  deps: ArchiveWorkDeps,
  signal: AbortSignal
): Promise<{ result: ArchiveResult; failure: CodedError | null }> {
  const progress: ArchiveProgress = { looked: 0, done: 0 };
  const onDone = (done: number): void => {
    progress.done = done;
    deps.onProgress(progress);
  };
  // The flow may get a recording a moment before it is in the index.
  await deps.state.facts.settled();
  const files = filesOf(request, deps, progress, signal);
  const { action } = request;
  const whole = (result: object): { result: ArchiveResult; failure: null } => ({
    result: { action, ...result, looked: progress.looked },
    failure: null
  });
  switch (request.action) {
    case 'find': {
      const holds = new Holds(deps.state.database);
      return whole(await findFiles(files, { holds, most: request.most, onFound: onDone }));
    }
    case 'hold': {
      const parts = { deletions: await deps.deletions(), onProgress: onDone };
      return whole({
        case: request.given.id,
        ...(await holdRecordings(files, request.given, parts, signal))
      });
    }
    case 'release': {
      const parts = { deletions: await deps.deletions(), onProgress: onDone };
      const { summary, failure } = await releaseRecordings(files, request.given, parts, signal);
      return { ...whole({ case: request.given.id, ...summary }), failure };
    }
    case 'verify': {
      const { summary, failure } = await runVerify(files, deps, { onDone, signal });
      return { result: { action, ...summary, looked: progress.looked }, failure };
    }
    case 'report': {
      // The certificate of completeness of a month belongs here, too.
      const parts = {
        deletions: await deps.deletions(),
        clock: (await deps.custody()).clock,
        now: Date.now()
      };
      return whole(await reportArchive(files, parts, signal));
    }
    case 'sweep':
    case 'erase': {
      const { summary, failure, resumed } = await runDeletion(request, files, deps, { onDone, signal });
      const result = { action, dry_run: request.isDryRun, ...summary, resumed, looked: progress.looked };
      return { result, failure };
    }
  }
}

async function runDeletion(
  { action, isDryRun, most }: Extract<ArchiveRequest, { action: 'sweep' | 'erase' }>,
  files: AsyncIterable<FoundFile>,
  { state, deletions: open, custody, node }: ArchiveWorkDeps,
  { onDone, signal }: { onDone: (done: number) => void; signal: AbortSignal }
): Promise<{ summary: DeletionSummary; failure: CodedError | null; resumed: number }> {
  const deletions = await open();
  const isSweep = action === 'sweep';
  const { clock } = await custody();
  const doubt = isSweep ? clock.doubt() : null;
  if (doubt !== null) return { ...clockInDoubt(doubt), resumed: 0 };
  const before = isDryRun ? { finished: 0, failure: null } : await finishDecided(deletions);
  const outcome = await deleteFiles(
    isSweep ? expired(files, Date.now) : files,
    {
      reason: isSweep ? 'expired' : 'erased',
      actor: isSweep ? 'sweep' : `node:${node}`,
      isDryRun,
      most,
      onProgress: ({ deleted }) => onDone(deleted)
    },
    { deletions, places: () => [...state.buckets.values()].map(({ place }) => place) },
    signal
  );
  return { ...outcome, failure: outcome.failure ?? before.failure, resumed: before.finished };
}

async function runVerify(
  files: AsyncIterable<FoundFile>,
  { state, custody }: ArchiveWorkDeps,
  { onDone, signal }: { onDone: (done: number) => void; signal: AbortSignal }
): ReturnType<typeof verifyArchive> {
  const copies = new CopyReader(() => state.buckets.values(), signal);
  const { directory } = await custody();
  const current = (key: FoundFile['key']): FoundFile['file'] | undefined => state.facts.recordings.get(key);
  const read = (recording: FoundFile['file']['recording']): ReturnType<CopyReader['read']> =>
    copies.read(recording);
  return await verifyArchive(files, { read, current, directory, onChecked: onDone }, signal);
}

function filesOf(
  { action, query }: { action: string; query: RecordingQuery },
  { state, places, onProgress }: ArchiveWorkDeps,
  progress: ArchiveProgress,
  signal: AbortSignal
): AsyncGenerator<FoundFile> {
  const { facts, database, buckets } = state;
  return meantFiles(
    query,
    {
      places,
      isPartEnough: action === 'find',
      onLooked: (looked) => {
        progress.looked = looked;
        onProgress(progress);
      }
    },
    { recordings: facts.recordings, database, textOf: (found) => textInFile(found, buckets.values()) },
    signal
  );
}
