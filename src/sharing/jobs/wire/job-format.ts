import type { Job } from '../../../archive/queue/job';
import { areHeldIn, isHeldIn } from '../../../store/held-location';
import { locationOf } from '../../../store/stored-recording';
import { asFields, fieldOf, recordField, textField } from '../../../values/fields';
import { asJob } from './job-shape';
import { fromPlain, toPlain, type Plain } from './plain-values';
import type { Sealer } from '../../sealer';

/** Increase it with each change that an earlier version would misread. The version before must still be readable. */
export const FORMAT_VERSION = 1;

/** A job on its way between instances. */
export interface LentJob {
  job: Job;
  /** The instance that accepted it, and keeps it until it is done. */
  origin: string;
  /** How many runs have reported how they ended. */
  reports: number;
  /** Whether it may have run in a way that Redis does not know of. */
  isResumed: boolean;
}

/** How the last run of a lent job ended. It is on its way to the origin, which then keeps the job no longer. */
export interface Ending {
  kind: 'done' | 'follow-up';
  /** Whether a part of it was given up: the instance that ran it has raised the error. */
  isGivenUp: boolean;
  /** Until the follow-up is due. */
  pauseMs: number;
}

/** Whose ending it is. @property list as `queueName` */
export interface EndedJob {
  id: string;
  list: string;
}

/** What was read, or why it cannot be. */
export type ReadJob =
  | { kind: 'job'; lent: LentJob }
  /** Of another version of this package: left to those who understand it. */
  | { kind: 'other-version' }
  /** Encrypted with another key, or although there is none here, or not encrypted although there is one. */
  | { kind: 'other-key' }
  /** About files outside of the destination here: an instance with that destination does it. */
  | { kind: 'other-place' }
  | { kind: 'damaged' };

export interface JobFormatOptions {
  /** Null: jobs are readable in Redis. */
  sealer: Sealer | null;
  /** Id of the download node: a job that was sealed for another one, which has other settings, cannot be read. */
  node?: string | undefined;
  /** Place of the destination. Default: none, so that no job about stored files can be read. */
  place?: string | undefined;
  /** Default: `FORMAT_VERSION`. */
  version?: number;
}

/**
 * How jobs are spelled in Redis. What is read from there is checked like everything from outside. A job holds signed links, but
 * no credentials: an instance uses its own.
 */
export class JobFormat {
  readonly #sealer: Sealer | null;
  readonly #node: string;
  readonly #place: string;
  readonly #version: number;

  constructor({ sealer, node = '', place = '', version = FORMAT_VERSION }: JobFormatOptions) {
    this.#sealer = sealer;
    this.#node = node;
    this.#place = place;
    this.#version = version;
  }

  /** @returns plain JSON */
  write({ job, origin, reports, isResumed }: LentJob): Record<string, Plain> {
    const head = { v: this.#version, id: job.id, origin, reports, resumed: isResumed };
    const content = toPlain(job);
    if (this.#sealer === null) return { ...head, job: content };
    return {
      ...head,
      sealed: this.#sealer.seal(JSON.stringify(content), this.#subject(this.#version, job.id))
    };
  }

  /** @param id under which it was found */
  read(data: unknown, id: string): ReadJob {
    const fields = asFields(data);
    const version = fieldOf(fields, 'v');
    if (typeof version !== 'number') return { kind: 'damaged' };
    if (version !== this.#version && version !== this.#version - 1) return { kind: 'other-version' };
    const origin = textField(fields, 'origin');
    const reports = fieldOf(fields, 'reports');
    if (origin === null || typeof reports !== 'number' || fieldOf(fields, 'id') !== id)
      return { kind: 'damaged' };
    const content = this.#content(recordField(fields, 'job'), textField(fields, 'sealed'), { version, id });
    if (content === 'other-key') return { kind: 'other-key' };
    const job = asJob(fromPlain(content), id);
    if (job === null) return { kind: 'damaged' };
    // It would be written, read back or deleted wherever the job says.
    if (!isAbout(job, this.#place)) return { kind: 'other-place' };
    return { kind: 'job', lent: { job, origin, reports, isResumed: fieldOf(fields, 'resumed') === true } };
  }

  /** The origin of a job whose content may be unreadable; null when even that is. */
  origin(data: unknown): string | null {
    return textField(asFields(data), 'origin');
  }

  /** @returns plain JSON */
  writeEnding({ kind, isGivenUp, pauseMs }: Ending, of: EndedJob): Record<string, Plain> {
    const content = { kind, isGivenUp, pauseMs };
    if (this.#sealer === null) return { v: FORMAT_VERSION, ...content };
    return { v: FORMAT_VERSION, sealed: this.#sealer.seal(JSON.stringify(content), this.#endOf(of)) };
  }

  /** @returns null when there is a key and it was not sealed with that: the job may not have ended at all */
  readEnding(value: unknown, of: EndedJob): Ending | null {
    if (this.#sealer === null) return asEnding(value);
    const text = this.#sealer.open(textField(asFields(value), 'sealed') ?? '', this.#endOf(of));
    return text === null ? null : asEnding(JSON.parse(text));
  }

  #endOf({ id, list }: EndedJob): string {
    return `end\n${this.#node}\n${list}\n${id}`;
  }

  #content(open: unknown, sealed: string | null, { version, id }: { version: number; id: string }): unknown {
    // With a key, only what was written with it counts: everything else may be from a stranger.
    if (this.#sealer === null) return sealed === null ? open : 'other-key';
    const text = sealed === null ? null : this.#sealer.open(sealed, this.#subject(version, id));
    return text === null ? 'other-key' : (JSON.parse(text) as unknown);
  }

  #subject(version: number, id: string): string {
    return `job\n${version}\n${this.#node}\n${id}`;
  }
}

/** Whether all files that a job says are stored can be in a place. */
function isAbout({ files, deletion }: Job, place: string): boolean {
  const published = Object.values(files).every(
    (note) => note.published === undefined || isHeldIn(place, note.published.location)
  );
  const deleted = (deletion?.recordings ?? []).flatMap((recording) => recording.files);
  return (
    published &&
    deleted.every(
      ({ recording, payload }) => payload === locationOf(recording) && areHeldIn(place, recording)
    )
  );
}

/** An ending whose details cannot be read is an end all the same. */
function asEnding(value: unknown): Ending {
  const fields = asFields(value);
  const pauseMs = fieldOf(fields, 'pauseMs');
  return {
    kind: fieldOf(fields, 'kind') === 'follow-up' ? 'follow-up' : 'done',
    isGivenUp: fieldOf(fields, 'isGivenUp') === true,
    pauseMs: typeof pauseMs === 'number' && pauseMs > 0 ? pauseMs : 0
  };
}

/** What BullMQ keeps beside the data of a job, in bytes. */
const BESIDE_DATA = 800;

/** About how many bytes of memory a job takes in Redis. */
export function sizeInRedis(job: Job): number {
  return JSON.stringify(toPlain(job)).length + BESIDE_DATA;
}
