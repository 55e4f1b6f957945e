import { createHash } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Database, open } from 'lmdb';
import { type IndexedFile, StoredRecordings } from '../src/archive/index/stored-index';
import { storedDetails } from '../src/recording/find-recordings';
import type { RecordingDetails } from '../src/recording/recording-details';
import { StateDatabase } from '../src/state/state-database';
import type { StoredRecording } from '../src/store/stored-recording';
import { type BenchResult, median } from './bench-result';

const ENTRIES = 1_000_000;
const STEP = 10_000;
const ROUNDS = 7;
const LOOKUPS = 20_000;
/** A look-up hashes the identity and finds all formats and destinations: at most three times a plain get. */
const TARGET = 0.33;
const MICROSECONDS = 100;
const MIB = 1024 ** 2;

/**
 * Look-ups in the index of a million stored recordings, in random order, half of them for missing recordings,
 * against plain `get`s of the same entries in a database of the same library. The rivals alternate.
 */
export async function run(): Promise<BenchResult[]> {
  const directory = await mkdtemp(join(tmpdir(), 'telnyx-bench-index-'));
  const database = new StateDatabase(join(directory, 'ours'));
  const rival = open<IndexedFile>({ path: join(directory, 'rival') });
  try {
    const recordings = new StoredRecordings(database);
    const heap = heapUsed();
    const written = await fill(database, recordings, rival);
    const grown = heapUsed() - heap;
    const ours: number[] = [];
    const plain: number[] = [];
    for (let round = 0; round <= ROUNDS; round += 1) {
      const identities = randomIdentities(round);
      const rivalTime = timePer(identities, (identity) => rival.get(identity) !== undefined);
      const ownTime = timePer(identities, (identity) => recordings.find(identity).length > 0);
      // The first round warms up both.
      if (round === 0) continue;
      plain.push(rivalTime);
      ours.push(ownTime);
    }
    const details = [
      `this package: median ${median(ours).toFixed(1)} µs a look-up (${ours.map((time) => time.toFixed(1)).join(', ')})`,
      `plain LMDB get: median ${median(plain).toFixed(1)} µs (${plain.map((time) => time.toFixed(1)).join(', ')})`,
      `${ENTRIES} entries written in ${(written / 1000).toFixed(0)} s, ` +
        `${((await stat(join(directory, 'ours', 'state', 'data.mdb'))).size / MIB).toFixed(0)} MB on disk; ` +
        `heap and buffers grew by ${(grown / MIB).toFixed(1)} MB`
    ];
    return [
      {
        name: `look-up among ${ENTRIES} recordings, against a plain LMDB get`,
        ratio: median(plain.map((time, round) => time / ours[round]!)),
        target: TARGET,
        details
      },
      {
        name: `look-up among ${ENTRIES} recordings, how many times in ${MICROSECONDS} µs`,
        ratio: MICROSECONDS / median(ours),
        target: 1,
        details: []
      }
    ];
  } finally {
    await database.close();
    await rival.close();
    await rm(directory, { recursive: true, force: true });
  }
}

/** @returns milliseconds to write the index */
async function fill(
  database: StateDatabase,
  recordings: StoredRecordings,
  rival: Database<IndexedFile>
): Promise<number> {
  let written = 0;
  for (let from = 0; from < ENTRIES; from += STEP) {
    const files = Array.from({ length: STEP }, (_value, offset) => indexedFile(from + offset));
    const begun = performance.now();
    await database.commit(files.map((file) => recordings.entering('/var/recordings', file)));
    written += performance.now() - begun;
    await rival.batch(() => {
      for (const file of files) void rival.put(file.identity, file);
    });
  }
  return written;
}

export function identityOf(number: number): string {
  const hex = createHash('md5').update(String(number)).digest('hex');
  return `telnyx:${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** A file of the index. @param more details that differ */
export function indexedFile(number: number, more: Partial<RecordingDetails> = {}): IndexedFile {
  const identity = identityOf(number);
  const id = identity.slice('telnyx:'.length);
  const file = `/var/recordings/2026/03/04/20260304T091502Z_${id}_dual.mp3`;
  const recording: StoredRecording = {
    ...storedDetails(
      {
        recording_id: id,
        event_type: 'call.recording.saved',
        format: 'mp3',
        channels: 'dual',
        started_at: '2026-03-04T09:15:02.000Z',
        call_session_id: id,
        call_leg_id: id,
        from: '+12025550100',
        to: '+12025550101',
        ...more
      },
      'telnyx'
    ),
    size: 480_000,
    sha256: createHash('sha256').update(id).digest('hex'),
    content_type: 'audio/mpeg',
    destination: 'folder',
    path: file,
    sidecar: `${file}.json`,
    source_host: 'media.example.com',
    attempts: 1,
    resumed: false,
    already_stored: false,
    stored_at: '2026-03-04T09:20:00.000Z',
    deleted_at_source: null
  };
  return { identity, wantedFormat: 'mp3', recording, order: id };
}

/** Half of them are in the index. */
function randomIdentities(seed: number): string[] {
  let state = seed + 1;
  return Array.from({ length: LOOKUPS }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return identityOf(state % (2 * ENTRIES));
  });
}

/** Microseconds for each. */
function timePer(identities: readonly string[], isThere: (identity: string) => boolean): number {
  const begun = performance.now();
  let found = 0;
  for (const identity of identities) if (isThere(identity)) found += 1;
  const time = performance.now() - begun;
  if (Math.abs(found / identities.length - 0.5) > 0.05)
    throw new Error(`${found} were found, not about half`);
  return (time * 1000) / identities.length;
}

function heapUsed(): number {
  const { heapUsed: heap, external } = process.memoryUsage();
  return heap + external;
}
