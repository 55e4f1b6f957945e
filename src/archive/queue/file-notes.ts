import { fileKey, type FileNote, type Job } from './job';

/** What a note of a job is about. */
export type NoteSubject =
  /** A recording whose files are not known yet. */
  | { about: 'recording'; identity: string }
  /** @see fileKey for `format` */
  | { about: 'file'; identity: string; format: string | null }
  /** The text beside a file. */
  | { about: 'text'; identity: string; format: string | null };

/**
 * The note of a job about one thing. One that an earlier version wrote is taken, and has the new key from then on.
 *
 * @returns an empty note, which is the job's from now on, when there was none
 */
export function noteOf(job: Job, subject: NoteSubject): FileNote {
  const found = findNote(job, subject);
  if (found !== undefined) return found;
  const note: FileNote = { attempts: 0, failures: 0 };
  job.files[noteKey(subject)] = note;
  return note;
}

/** As `noteOf`, without making one. */
export function findNote({ files }: Pick<Job, 'files'>, subject: NoteSubject): FileNote | undefined {
  const key = noteKey(subject);
  const earlier = earlierKey(subject);
  if (!Object.hasOwn(files, key) && Object.hasOwn(files, earlier)) {
    const note = files[earlier];
    if (note !== undefined) files[key] = note;
    Reflect.deleteProperty(files, earlier);
  }
  return files[key];
}

/** Text of a list: whatever an identity holds, no two subjects have one key. */
function noteKey(subject: NoteSubject): string {
  const { about, identity } = subject;
  return JSON.stringify(about === 'recording' ? [about, identity] : [about, identity, subject.format]);
}

/** As up to version 0.1. An identity that ended in a line and `*` had the key of another recording. */
function earlierKey(subject: NoteSubject): string {
  if (subject.about === 'recording') return `${subject.identity}\n*`;
  const key = fileKey(subject.identity, subject.format);
  return subject.about === 'file' ? key : `${key}\ntext`;
}
