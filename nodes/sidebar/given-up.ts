import type { EventEmitter } from 'node:events';
import { existsSync } from 'node:fs';
import {
  type FailedKey,
  type FailedRecording,
  FailedRecordings
} from '../../src/archive/queue/failed-recordings';
import { CoalescedRuns } from '../../src/concurrency/keyed-runs';
import { CodedError } from '../../src/errors/coded-error';
import { shownText } from '../../src/text/shown-text';
import { activityOf } from './activity';
import type { NodeRedApi } from '../lib/node-red';
import { ownedState, stateDatabase, stateDirectory } from '../lib/state';
import type { GivenUpPage, GivenUpReply, GivenUpRow } from './now-request';

/**
 * The list is read wholly to sort it, which takes a moment when it is long: it is read again when something was stored or
 * given up, and this often for what sweeps remove. Milliseconds.
 */
const FRESH_MS = 10_000;
/** While much happens, a list that takes longer to read is not read again and again, but a twentieth of the time. */
const LONG_MS = 25;
const PAUSE_FACTOR = 20;
/** But this often in any case. Most of the time that reading takes on a busy machine belongs to others. */
const LONGEST_PAUSE_MS = 5000;

/** The list as it was read. */
interface Known {
  keys: readonly FailedKey[];
  /** What had been stored and given up. */
  stamp: string;
  /** Changes that users had made. */
  changes: number;
  /** Milliseconds of a monotonic clock. */
  at: number;
  /** Milliseconds that reading it took. */
  tookMs: number;
}

/** Reads the list once for all who ask at the same time, however many they are and whatever part they want. */
class ListReader {
  readonly #runs = new CoalescedRuns();
  #known: Known | null = null;
  #changes = 0;
  #forgetting: NodeJS.Timeout | undefined;

  /** The last one that was given up at the beginning. */
  async keys(RED: NodeRedApi, list: FailedRecordings): Promise<readonly FailedKey[]> {
    if (!this.#isFresh(stampOf(RED))) await this.#runs.run('', () => this.#read(RED, list));
    return this.#known?.keys ?? [];
  }

  /** A user has changed the list, and wants to see that. */
  changed(): void {
    this.#changes += 1;
  }

  async #read(RED: NodeRedApi, list: FailedRecordings): Promise<void> {
    const [stamp, changes] = [stampOf(RED), this.#changes];
    // What is given up is counted a moment before it is on the list.
    await stateDatabase(RED).written();
    const begun = performance.now();
    const keys = await list.newestFirst();
    const at = performance.now();
    this.#known = { keys, stamp, changes, at, tookMs: at - begun };
    clearTimeout(this.#forgetting);
    this.#forgetting = setTimeout(() => (this.#known = null), FRESH_MS);
    this.#forgetting.unref();
  }

  #isFresh(now: string): boolean {
    if (this.#known?.changes !== this.#changes) return false;
    const { stamp, at, tookMs } = this.#known;
    const busyMs = tookMs < LONG_MS ? 0 : Math.min(tookMs * PAUSE_FACTOR, LONGEST_PAUSE_MS);
    return performance.now() - at < (stamp === now ? FRESH_MS : busyMs);
  }
}

function stampOf(RED: NodeRedApi): string {
  const { failed, stored } = activityOf(RED).downloads;
  return [failed, stored].join();
}

/** By Node-RED, because one process may run several. */
const readers = new WeakMap<EventEmitter, ListReader>();

function readerOf(RED: NodeRedApi): ListReader {
  const known = readers.get(RED.events) ?? new ListReader();
  readers.set(RED.events, known);
  return known;
}

/** The recordings that were given up, the last one at the beginning. @param skip of them, @param most of the others */
export async function givenUpPage(
  RED: NodeRedApi,
  { skip, most }: { skip: number; most: number }
): Promise<GivenUpPage> {
  const list = listOf(RED);
  if (list === null) return { total: 0, rows: [] };
  const keys = await readerOf(RED).keys(RED, list);
  const recordings = await list.some(keys.slice(skip, skip + most));
  const { running } = activityOf(RED);
  return {
    total: keys.length,
    rows: recordings.map(({ id, failed }): GivenUpRow => {
      const { node, at, code, message, attempts, details } = failed;
      const { recording_id, event_type, started_at } = details;
      return {
        ...{ id, node, at, code, message, attempts },
        recordingId: short(recording_id),
        eventType: short(event_type),
        startedAt: short(started_at),
        canRetry: running.has(node)
      };
    })
  };
}

/**
 * Tries recordings again, or takes them off the list.
 *
 * @param names as of `nameOf`
 * @returns how many, and the first reason why one was left, with its code
 */
export async function changeGivenUp(
  RED: NodeRedApi,
  what: 'retry' | 'discard',
  names: readonly string[]
): Promise<GivenUpReply> {
  const list = listOf(RED);
  let done = 0;
  let error: string | null = null;
  let code: string | undefined;
  for (const name of names) {
    const space = name.lastIndexOf(' ');
    const [node, id] = [name.slice(0, Math.max(0, space)), name.slice(space + 1)];
    try {
      const failed = await list?.at(node, id);
      // Somebody else was faster, or it has been stored meanwhile.
      if (list === null || failed === undefined) continue;
      if (what === 'retry') await retry(RED, failed);
      // The job is on disk. If it fails again, it is listed again.
      await list.remove(node, id);
      done += 1;
    } catch (fault) {
      code ??= fault instanceof CodedError ? fault.code : 'UNEXPECTED';
      error ??= fault instanceof CodedError ? fault.message : 'The list could not be changed.';
    }
  }
  readerOf(RED).changed();
  return { done, error, ...(code !== undefined && { code }) };
}

async function retry(RED: NodeRedApi, failed: FailedRecording): Promise<void> {
  const download = activityOf(RED).running.get(failed.node);
  if (download === undefined)
    throw new CodedError(
      'BAD_SETTING',
      'The download node of this recording does not run: it was deleted or disabled, or its settings are wrong. Have it run ' +
        'again, or list the recording with a recording list node.'
    );
  await download.retry(failed);
}

function listOf(RED: NodeRedApi): FailedRecordings | null {
  // A look at the sidebar creates no state where no node has ever run.
  if (!existsSync(stateDirectory(RED)) || ownedState(RED).problem !== null) return null;
  return new FailedRecordings(stateDatabase(RED));
}

/** Ids of providers are short, but a hostile text in their place may be long. */
export function short(text: string | null | undefined): string | null {
  return text === null || text === undefined ? null : shownText(text);
}
