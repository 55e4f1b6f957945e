import { createHash } from 'node:crypto';
import type { RecordingDetails } from '../../recording/recording-details';
import { inSteps } from '../../state/in-steps';
import type { Key, StateChange, StateCollection, StateDatabase } from '../../state/state-database';
import { losslessText } from '../../values/fields';

/** A recording that is not in the archive, and why. */
export interface FailedRecording {
  /** Id of the download node. */
  node: string;
  identity: string;
  /** Milliseconds since 1970. */
  at: number;
  code: string;
  message: string;
  attempts: number;
  details: RecordingDetails;
}

/** The id of the download node, and one of the recording that is unique there. */
export type FailedKey = readonly [node: string, id: string];

/** The recordings that were given up, by download node. */
export interface GivenUpList {
  /** @param id as `newest` tells it; undefined when the recording is no longer listed */
  at(node: string, id: string): Promise<FailedRecording | undefined>;
  /** Durable when resolved. Nothing happens when the recording is not listed. */
  remove(node: string, id: string): Promise<void>;
  /** Some of the list, the one that was given up last at the beginning, and how many there are. */
  newest(span: { skip: number; most: number }): Promise<{
    total: number;
    recordings: { id: string; failed: FailedRecording }[];
  }>;
}

const KEPT_MS = 90 * 24 * 60 * 60 * 1000;
const MOST_KEPT = 10_000;
const REMOVED_AT_ONCE = 500;

/**
 * The recordings that were given up, on disk. One leaves the list when it is stored after all, after 90
 * days, or when there are 10,000 newer ones.
 */
export class FailedRecordings implements GivenUpList {
  readonly #now: () => number;
  readonly #entries: StateCollection<FailedRecording>;

  constructor(database: StateDatabase, now: () => number = Date.now) {
    this.#now = now;
    this.#entries = database.collection('archive-given-up');
  }

  /** The change that lists a recording, replacing its earlier entry. */
  entering(entry: FailedRecording): StateChange {
    return this.#entries.putting(keyOf(entry.node, entry.identity), entry);
  }

  /** The change that takes a recording off the list; null when it is not on it. */
  leaving(node: string, identity: string): StateChange | null {
    const key = keyOf(node, identity);
    return this.#entries.get(key) === undefined ? null : this.#entries.removing(key);
  }

  /** A recording of the list by the id in its key. */
  async at(node: string, id: string): Promise<FailedRecording | undefined> {
    const entry = this.#entries.get([node, id]);
    return Promise.resolve(entry !== undefined && this.#now() - entry.at < KEPT_MS ? entry : undefined);
  }

  /** The change that takes a recording off the list, whether it is on it by then or not. */
  clearing(node: string, identity: string): StateChange {
    return this.#entries.removing(keyOf(node, identity));
  }

  /** As `clearing`, by the id in its key. */
  removing(node: string, id: string): StateChange {
    return this.#entries.removing([node, id]);
  }

  /** Takes a recording off the list. Durable when resolved. */
  async remove(node: string, id: string): Promise<void> {
    await this.#entries.remove([node, id]);
  }

  /** As `newestFirst`, and some of them as `some`. */
  async newest({ skip, most }: { skip: number; most: number }): Promise<{
    total: number;
    recordings: { id: string; failed: FailedRecording }[];
  }> {
    const keys = await this.newestFirst();
    return { total: keys.length, recordings: await this.some(keys.slice(skip, skip + most)) };
  }

  /** What is on the list, the one that was given up last at the beginning. Goes through all of it in small steps. */
  async newestFirst(): Promise<readonly FailedKey[]> {
    const all: { key: FailedKey; at: number }[] = [];
    for await (const step of inSteps(this.#entries))
      for (const { key, value } of step)
        if (this.#now() - value.at < KEPT_MS) all.push({ key: key as [string, string], at: value.at });
    return all.sort((a, b) => b.at - a.at).map(({ key }) => key);
  }

  /** Some of what was on the list, without what has left it since. */
  async some(keys: readonly FailedKey[]): Promise<{ id: string; failed: FailedRecording }[]> {
    const found = keys.map(async ([node, id]) => ({ id, failed: await this.at(node, id) }));
    return (await Promise.all(found)).flatMap(({ id, failed }) =>
      failed === undefined ? [] : [{ id, failed }]
    );
  }

  /** @param node default: those of all nodes */
  *list(node?: string): Iterable<FailedRecording> {
    const span = node === undefined ? {} : { start: [node], end: [node, '\u{10ffff}'] };
    for (const { value } of this.#entries.range(span)) {
      if (this.#now() - value.at < KEPT_MS) yield value;
    }
  }

  /** Removes entries that are too old or too many, in small steps. Resolves when done. */
  async sweep(): Promise<void> {
    let kept: { key: Key; at: number }[] = [];
    for await (const step of inSteps(this.#entries)) {
      const old = step.filter(({ value }) => this.#now() - value.at >= KEPT_MS);
      for (const { key, value } of step)
        if (this.#now() - value.at < KEPT_MS) kept.push({ key, at: value.at });
      await this.#removeAll(old);
      // Sorted in between: a deleted node may leave a million, and sorting them at once would block the event loop.
      if (kept.length >= 2 * MOST_KEPT) kept = await this.#onlyNewest(kept);
    }
    await this.#onlyNewest(kept);
  }

  /** Removes all but the newest ones. */
  async #onlyNewest(entries: { key: Key; at: number }[]): Promise<{ key: Key; at: number }[]> {
    entries.sort((a, b) => b.at - a.at);
    const surplus = entries.slice(MOST_KEPT);
    for (let at = 0; at < surplus.length; at += REMOVED_AT_ONCE)
      await this.#removeAll(surplus.slice(at, at + REMOVED_AT_ONCE));
    return entries.slice(0, MOST_KEPT);
  }

  /** With one sync for all of them. */
  async #removeAll(entries: readonly { key: Key }[]): Promise<void> {
    await Promise.all(entries.map(({ key }) => this.#entries.remove(key)));
  }
}

function keyOf(node: string, identity: string): [string, string] {
  return [node, createHash('sha256').update(losslessText(identity)).digest('base64url')];
}
