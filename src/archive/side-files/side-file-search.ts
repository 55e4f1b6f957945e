import { LONGEST_PAUSE_MS } from '../../clock/backoff';
import { CodedError } from '../../errors/coded-error';
import { rootCause } from '../../errors/root-cause';
import { storedDetails } from '../../recording/find-recordings';
import { deletionKey } from '../../recording/recording-reference';
import type { RecordingProvider, SideFiles } from '../../providers/provider';
import type { StoredFile } from '../../store/stored-recording';
import type { Archiver } from '../archiver';
import { type Effects, NO_EFFECTS, entering, together } from '../effects';
import type { StoredIndex } from '../index/stored-index';
import type { AwaitedRecording, Job, JobRun, SideFilesNote } from '../queue/job';
import type { Again, FileOutcome } from '../queue/run-result';

const FIRST_PAUSE_MS = 15_000;
/** A list that seems complete may still be growing: it counts from this look on. */
const LOOKS_TO_BELIEVE = 4;
/** With their pauses, more than three hours: for an API that is away, and for a clock that is set back. */
const MOST_LOOKS = 20;
/** Recordings whose last look is remembered. */
const MOST_SHARED = 1000;

export interface SideFileSearchDeps {
  archiver: Pick<Archiver, 'run'>;
  index: Pick<StoredIndex, 'place'>;
  sideFilesUntil: NonNullable<RecordingProvider['sideFilesUntil']>;
  findSideFiles: NonNullable<RecordingProvider['findSideFiles']>;
  /** Milliseconds since 1970. */
  now: () => number;
  /** From 0 to 1. */
  random: () => number;
  /** What a recording stays without, for the log. Must not throw. */
  onMissing: (message: string) => void;
}

/** What happens to the files that a search has found. None of these may throw; `noted` may reject. */
export interface SideFileEvents {
  /** They are stored, or failed for good. @returns what to note of them */
  noted: (outcomes: FileOutcome[]) => Promise<Effects>;
  /** As `JobRun.mayReport`. */
  mayEnd?: () => Promise<boolean>;
  /** The flow may have them. */
  ended: (outcomes: FileOutcome[]) => void;
  /** Another attempt follows. */
  again: (again: Again) => void;
  /** A recording with this key stays at its source. @param reason a sentence; begins in lower case */
  keepAtSource: (key: string, reason: string) => void;
}

/** What the API said when it was asked; milliseconds. */
type Look =
  | { kind: 'found'; files: SideFiles }
  | { kind: 'later'; reason: string; askedMs: number }
  | { kind: 'gone'; reason: string }
  | { kind: 'refused'; reason: string };

/** What a step of a search has achieved. */
export interface SearchStep {
  effects: Effects;
  /** Milliseconds until the next step; null when the search is over. */
  pauseMs: number | null;
}

/**
 * Looks for the files that come later than their recording, and stores them. A recording never waits for them: the
 * flow has it before the search begins.
 */
export class SideFileSearch {
  readonly #deps: SideFileSearchDeps;
  /** The last look for each recording: several events may announce one, each with a job of its own. */
  readonly #shared = new Map<string, { at: number; look: Promise<Look> }>();

  constructor(deps: SideFileSearchDeps) {
    this.#deps = deps;
  }

  /** The recordings of a job that may have side files, each once. */
  awaited(outcomes: readonly FileOutcome[]): AwaitedRecording[] {
    const { sideFilesUntil, now } = this.#deps;
    const awaited = new Map<string, AwaitedRecording>();
    for (const outcome of outcomes) {
      if (outcome.kind !== 'stored') continue;
      const { file, reference } = outcome;
      const details = storedDetails({ ...file.recording }, reference.details.provider);
      const described = { ...reference, details, links: [] };
      const until = sideFilesUntil(described, now());
      const key = deletionKey(described);
      // The tracks of a recording share its side files.
      if (until !== null && key !== null && !awaited.has(key))
        awaited.set(key, { reference: described, until, found: [] });
    }
    return [...awaited.values()];
  }

  /**
   * Looks once for side files of recordings whose time is over, so that those without any need not wait.
   *
   * @returns those that have some, may get some, or could not be looked at
   */
  async without(awaited: readonly AwaitedRecording[], signal: AbortSignal): Promise<AwaitedRecording[]> {
    const left: AwaitedRecording[] = [];
    for (const recording of awaited) {
      const isOver = recording.until <= this.#deps.now();
      const look = isOver ? await this.#look(recording, signal) : null;
      const isWithout = look?.kind === 'gone' || (look?.kind === 'found' && look.files.ready.length === 0);
      if (!isWithout) left.push(recording);
    }
    return left;
  }

  /** Makes a search the next thing that a job does. */
  begin(job: Job, recordings: AwaitedRecording[]): void {
    job.sideFiles = { recordings, looks: 0 };
    job.items = [];
    job.files = {};
  }

  /**
   * Makes the next step of the search of a job: looks, and stores what is there.
   *
   * @param job updated in place
   * @returns nothing else counts when `signal` is aborted
   */
  async advance(job: Job, run: JobRun, events: SideFileEvents, signal: AbortSignal): Promise<SearchStep> {
    const note = job.sideFiles;
    if (note === undefined) return { effects: NO_EFFECTS, pauseMs: null };
    let askedMs = 0;
    if (job.items.length === 0) {
      note.looks += 1;
      for (const recording of [...note.recordings])
        askedMs = Math.max(askedMs, await this.#search(job, recording, events, signal));
    }
    let effects = NO_EFFECTS;
    if (job.items.length > 0 && !signal.aborted) {
      const result = await this.#deps.archiver.run(job, run);
      effects = entering(this.#deps.index, result.entries);
      if (result.kind === 'again') {
        events.again(result);
        return { effects, pauseMs: result.pauseMs };
      }
      if (result.kind === 'ended')
        effects = together(effects, await this.#ended(job, result.outcomes, events, signal));
    }
    if (signal.aborted) return { effects, pauseMs: null };
    if (note.recordings.length > 0) return { effects, pauseMs: this.#pauseMs(note, askedMs) };
    delete job.sideFiles;
    return { effects, pauseMs: null };
  }

  /** @returns how long the API asked to wait. Milliseconds */
  async #search(
    job: Job,
    recording: AwaitedRecording,
    events: SideFileEvents,
    signal: AbortSignal
  ): Promise<number> {
    const note = job.sideFiles;
    const look = await this.#sharedLook(recording, note?.looks ?? 1, signal);
    if (note === undefined || signal.aborted) return 0;
    const isLastLook = note.looks >= MOST_LOOKS;
    const isTimeUp = this.#deps.now() >= recording.until || isLastLook;
    if (look.kind !== 'found') {
      // Time may be up because Node-RED or the network was down. Then nobody knows yet what is there.
      if (look.kind === 'later' && !isLastLook) return look.askedMs;
      const key = deletionKey(recording.reference);
      if (look.kind !== 'gone' && key !== null)
        events.keepAtSource(key, `nobody knows whether files that belong to it are missing. ${look.reason}`);
      this.#end(note, recording, look.reason);
      return 0;
    }
    const { ready, missing, isComplete } = look.files;
    const fresh = ready.filter(({ identity }) => !recording.found.includes(identity));
    recording.found.push(...fresh.map(({ identity }) => identity));
    job.items.push(...fresh.map((reference) => ({ reference, format: 'any' as const })));
    const isAll = isComplete && note.looks >= LOOKS_TO_BELIEVE;
    const late = missing.length > 0 ? `${missing.join(', ')} did not come within an hour.` : null;
    if (!isTimeUp && !isAll) return 0;
    const key = deletionKey(recording.reference);
    // What is listed may still come, and a deletion would take it along.
    if (late !== null && key !== null)
      events.keepAtSource(key, `a file that belongs to it is missing. ${late}`);
    this.#end(note, recording, late);
    return 0;
  }

  #end(note: SideFilesNote, recording: AwaitedRecording, reason: string | null): void {
    note.recordings = note.recordings.filter((one) => one !== recording);
    if (reason === null) return;
    const { recording_id } = recording.reference.details;
    this.#deps.onMissing(
      `The recording ${recording_id ?? ''} is stored, but perhaps not all files that belong to it: ${reason}`
    );
  }

  async #ended(
    job: Job,
    outcomes: FileOutcome[],
    events: SideFileEvents,
    signal: AbortSignal
  ): Promise<Effects> {
    const noted = await events.noted(outcomes);
    const mayEnd = (await events.mayEnd?.()) ?? true;
    // The flow does not have them; the next run of the job finds them stored.
    if (signal.aborted || !mayEnd) return NO_EFFECTS;
    for (const outcome of outcomes) {
      const key = deletionKey(outcome.reference);
      if (key === null) continue;
      if (outcome.kind === 'failed')
        events.keepAtSource(key, `a file that belongs to it could not be stored. ${outcome.error.message}`);
      else if (outcome.kind === 'stored') addToDeletion(job, key, outcome.file);
    }
    events.ended(outcomes);
    job.items = [];
    job.files = {};
    return noted;
  }

  /**
   * A look of another job for the same recording counts while it is younger than any pause of this job was: two events of one
   * recording cause about as many requests as one. The last look is always a new one.
   */
  #sharedLook(recording: AwaitedRecording, looks: number, signal: AbortSignal): Promise<Look> {
    const key = deletionKey(recording.reference);
    if (key === null) return this.#look(recording, signal);
    const now = this.#deps.now();
    const last = this.#shared.get(key);
    const age = last === undefined ? Infinity : now - last.at;
    const isShared = age >= 0 && age < 0.2 * FIRST_PAUSE_MS * 2 ** Math.min(looks - 1, 6);
    if (last !== undefined && isShared && now < recording.until && looks < MOST_LOOKS) return last.look;
    const look = this.#look(recording, signal);
    this.#shared.delete(key);
    this.#shared.set(key, { at: now, look });
    const [oldest] = this.#shared.keys();
    if (this.#shared.size > MOST_SHARED && oldest !== undefined) this.#shared.delete(oldest);
    return look;
  }

  async #look({ reference }: AwaitedRecording, signal: AbortSignal): Promise<Look> {
    try {
      return { kind: 'found', files: await this.#deps.findSideFiles(reference, signal) };
    } catch (error) {
      if (!(error instanceof CodedError)) return { kind: 'later', reason: rootCause(error), askedMs: 0 };
      const { code, message: reason, retryable, retryAfterMs: askedMs = 0 } = error;
      if (code === 'API_NOT_FOUND') return { kind: 'gone', reason };
      return retryable || signal.aborted ? { kind: 'later', reason, askedMs } : { kind: 'refused', reason };
    }
  }

  #pauseMs({ recordings, looks }: SideFilesNote, askedMs: number): number {
    const { now, random } = this.#deps;
    const grown = FIRST_PAUSE_MS * 2 ** Math.min(looks - 1, 20) * (0.5 + random() / 2);
    const last = Math.max(...recordings.map(({ until }) => until - now()));
    const pause = Math.max(askedMs, last > 0 ? Math.min(grown, last) : grown);
    return Math.min(Math.round(pause), LONGEST_PAUSE_MS);
  }
}

/** A recording is deleted only when its side files, too, were read back. */
function addToDeletion({ deletion }: Job, key: string, file: StoredFile): void {
  for (const { reference, files } of deletion?.recordings ?? [])
    if (deletionKey(reference) === key) files.push(structuredClone(file));
}
