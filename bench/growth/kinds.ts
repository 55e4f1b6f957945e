import { createHash } from 'node:crypto';
import path from 'node:path';
import { NO_EFFECTS } from '../../src/archive/effects';
import { LocalFacts } from '../../src/archive/index/local-facts';
import { StoredRecordings } from '../../src/archive/index/stored-index';
import type { JobItem } from '../../src/archive/queue/job';
import { JobQueue } from '../../src/archive/queue/job-queue';
import { JobRepository, ORPHANS_KEPT_MS } from '../../src/archive/queue/job-repository';
import { storedDetails } from '../../src/recording/find-recordings';
import { OwnedState } from '../../src/state/owned-state';
import type { StateDatabase } from '../../src/state/state-database';
import type { AcceptedDelivery } from '../../src/webhook/journal/delivery-journal';
import { LogJournal } from '../../src/webhook/journal/log-journal';
import { delivery } from '../log';
import { identityOf, indexedFile } from '../stored-index';

/** One kind of entry that grows with the use of the package, in the code that Node-RED runs. */
export interface Kind {
  label: string;
  /** Writes the entries with the numbers from 0 to `count`, excluded. */
  fill(directory: string, count: number): Promise<void>;
  /** Opens the state as the start of Node-RED does, until the next delivery, recording or job can be handled. */
  open(directory: string): Opened;
}

export interface Opened {
  /** @param number of an entry, which need not exist @returns whether it was found */
  lookUp(number: number): boolean;
  /** Removes all entries, as if they were too old; absent for those that are kept for good. */
  prune?(): Promise<void>;
  close(): Promise<void>;
}

export const KINDS: Readonly<Record<string, Kind>> = {
  deliveries: {
    label: 'remembered deliveries',
    fill: fillDeliveries,
    open: openDeliveries
  },
  recordings: {
    label: 'entries of the index',
    fill: fillRecordings,
    open: openRecordings
  },
  jobs: {
    label: 'waiting jobs',
    fill: (directory, count) => fillJobs(directory, count),
    open: openJobs
  }
};

const SCOPE = 'a1b2c3d4e5f60718';
/** The download node that the jobs wait for. */
export const JOBS_NODE = 'b2c3d4e5f6071829';
const PLACE = '/var/recordings';
const DAY_MS = 24 * 60 * 60 * 1000;
const KEPT_DAYS = 7;
/** Callers that wait for the disk at the same time. */
const TOGETHER = 1000;
/** Entries of the index that are entered in one commit. */
const STEP = 10_000;

interface Journaled {
  state: OwnedState;
  database: StateDatabase;
  journal: LogJournal;
}

function journalOf(directory: string, now: () => number): Journaled {
  const state = new OwnedState(directory, { log: console.error });
  const database = state.database();
  const journal = new LogJournal({
    database,
    directory: path.join(directory, 'deliveries'),
    guard: (when) => state.guard(when),
    log: console.error,
    days: new Map([[SCOPE, KEPT_DAYS]]),
    // Without its limit: the log keeps every delivery of the seven days.
    mostBytes: Infinity,
    now
  });
  return { state, database, journal };
}

function accepted(number: number, now: () => number): AcceptedDelivery {
  return { ...delivery(), scope: SCOPE, id: idOf(number), receivedAt: now() };
}

async function fillDeliveries(directory: string, count: number): Promise<void> {
  const { journal } = journalOf(directory, Date.now);
  await inTurns(count, async (number) => (await journal.accept(accepted(number, Date.now))).done());
  await journal.written();
}

function openDeliveries(directory: string): Opened {
  let ahead = 0;
  const now = (): number => Date.now() + ahead;
  const { state, journal } = journalOf(directory, now);
  return {
    lookUp: (number) => journal.find(SCOPE, idOf(number)) !== undefined,
    prune: async () => {
      ahead = (KEPT_DAYS + 1) * DAY_MS;
      // The time is believed because a signed delivery proves it.
      (await journal.accept(accepted(-1, now))).done();
      await journal.tidy({ isHourly: true });
    },
    close: async () => {
      await journal.written();
      await journal.dispose();
      await state.close();
    }
  };
}

async function fillRecordings(directory: string, count: number): Promise<void> {
  const database = new OwnedState(directory, { log: console.error }).database();
  const recordings = new StoredRecordings(database);
  for (let from = 0; from < count; from += STEP) {
    const length = Math.min(STEP, count - from);
    const files = Array.from({ length }, (_value, offset) => recording(from + offset));
    await database.commit(files.map((file) => recordings.entering(PLACE, file)));
  }
  await database.written();
}

/** One call in a minute. */
function recording(number: number): ReturnType<typeof indexedFile> {
  return indexedFile(number, { started_at: new Date(Date.UTC(2024, 0, 1) + number * 60_000).toISOString() });
}

function openRecordings(directory: string): Opened {
  const state = new OwnedState(directory, { log: console.error });
  const recordings = new StoredRecordings(state.database());
  const lookUp = (number: number): boolean => recordings.find(identityOf(number)).length > 0;
  lookUp(0);
  return { lookUp, close: () => state.close() };
}

/** @param origin of the recordings, where they are to be fetched */
export async function fillJobs(
  directory: string,
  count: number,
  origin = 'https://media.example.com'
): Promise<void> {
  const database = new OwnedState(directory, { log: console.error }).database();
  const jobs = new JobRepository(database);
  await inTurns(count, async (number) =>
    jobs.add(JOBS_NODE, jobs.job(messageOf(number), [itemOf(number, origin)]))
  );
  await database.written();
}

function openJobs(directory: string): Opened {
  let ahead = 0;
  const state = new OwnedState(directory, { log: console.error });
  const database = state.database();
  const jobs = new JobRepository(database, undefined, () => Date.now() + ahead);
  const facts = new LocalFacts(database);
  const { givenUp } = facts;
  let first = '';
  let stop = (): void => undefined;
  const stopped = new Promise<void>((resolve) => (stop = resolve));
  const queue = new JobQueue(jobs, {
    list: JOBS_NODE,
    facts,
    concurrency: 1,
    // The first one begins; it ends when the node does.
    work: async (job) => {
      first = job.id;
      await stopped;
      return { kind: 'stopped', effects: NO_EFFECTS };
    },
    onWaiting: () => undefined,
    onFault: (error) => console.error(error)
  });
  queue.start();
  const nothing = new Set<string>();
  return {
    // A queue asks for the next job, not for a certain one.
    lookUp: (number) => jobs.next(JOBS_NODE, number % 2 === 0 ? nothing : new Set([first])) !== undefined,
    prune: async () => {
      await jobs.nodeGone(JOBS_NODE);
      ahead = ORPHANS_KEPT_MS + DAY_MS;
      await jobs.sweep(
        () => false,
        (node, job) =>
          job.items.map(({ reference: { identity, details } }) =>
            givenUp.entering({
              node,
              identity,
              details,
              at: Date.now(),
              code: 'GAVE_UP',
              message: '',
              attempts: 0
            })
          )
      );
      await givenUp.sweep();
    },
    close: async () => {
      stop();
      await queue.close();
      await state.close();
    }
  };
}

function messageOf(number: number): Record<string, unknown> {
  const { rawBody, ...rest } = delivery();
  const payload: unknown = JSON.parse(rawBody.toString());
  return {
    _msgid: idOf(number),
    topic: rest.eventType,
    payload,
    event: { id: rest.id, type: rest.eventType }
  };
}

function itemOf(number: number, origin: string): JobItem {
  const { identity, recording: stored } = recording(number);
  // Not the whole entry of the index: a job with fields that no reference has is refused by who reads it from Redis.
  const details = storedDetails({ ...stored }, stored.provider);
  const url = `${origin}/${idOf(number)}.wav?size=4000&${'X-Amz-Signature=0123456789abcdef&'.repeat(8)}`;
  return {
    reference: {
      identity,
      kind: 'audio',
      details,
      links: [{ format: 'wav', url, sha256: null, size: null }],
      media_index: null,
      announced_at: details.started_at,
      storage_key: null,
      resource: 'recording'
    },
    format: 'wav'
  };
}

function idOf(number: number): string {
  const hex = createHash('md5').update(`delivery ${number}`).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

async function inTurns(count: number, work: (number: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) {
      const number = next;
      next += 1;
      await work(number);
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, worker));
}
