import { isDeepStrictEqual } from 'node:util';
import type { Key, StateCollection } from './state-database';

/** Entries looked at in one go, so that the event loop stays free. */
const STEP = 500;

/**
 * Goes through a collection in the order of its keys, in small steps, with turns for others in between.
 * Entries of a step may be removed before the next one.
 *
 * @param size of a step, at least 2
 */
export async function* inSteps<Value>(
  collection: Pick<StateCollection<Value>, 'range'>,
  size = STEP
): AsyncGenerator<readonly { key: Key; value: Value }[]> {
  let last: Key | undefined;
  for (;;) {
    const found = [...collection.range({ ...(last !== undefined && { start: last }), limit: size })];
    // The range begins with the last one of the step before, unless that was removed.
    yield last !== undefined && isDeepStrictEqual(found[0]?.key, last) ? found.slice(1) : found;
    last = found.at(-1)?.key;
    if (last === undefined || found.length < size) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Removes old entries, in small steps. What cannot be removed now is left. */
export async function sweepCollection<Value>(
  collection: Pick<StateCollection<Value>, 'range' | 'remove'>,
  isOld: (value: Value) => boolean
): Promise<void> {
  for await (const step of inSteps(collection)) {
    const old = step.filter(({ value }) => isOld(value));
    await Promise.allSettled(old.map(({ key }) => collection.remove(key)));
  }
}
