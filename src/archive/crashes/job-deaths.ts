import type { JobMark } from './under-way-file';

/** A job that was under way at so many deaths of its process runs alone. */
export const DEATHS_BEFORE_ALONE = 2;
/** After so many deaths at which no other job can have been the reason, a job is given up. */
export const DEATHS_ALONE_BEFORE_END = 5;

/** Milliseconds from the start that a job waits, by its deaths alone. */
const PAUSES = new Map([
  [3, 10_000],
  [4, 30_000]
]);

const LONGEST_PROOF_MS = 30_000;
/** From so many deaths on, plain kills do not explain them. */
const BEYOND_CHANCE = 10;
const LONGEST_DOUBT_MS = 3_600_000;

/**
 * What a process finds at its start: each job that was under way when the one before it died has one more death. It
 * died alone when all others had been under way for long.
 */
export function countDeaths(found: readonly JobMark[]): JobMark[] {
  const suspects = found.filter(({ state }) => state === 'begun').length;
  return found.map((mark) => {
    if (mark.state === 'resting') return mark;
    const isAlone = mark.state === 'begun' && suspects === 1;
    return { ...mark, deaths: mark.deaths + 1, alone: mark.alone + (isAlone ? 1 : 0), state: 'resting' };
  });
}

/**
 * How long a job has to be under way until it is not suspected any more; so long the others wait for it, when it
 * runs alone. A short time at first: two power cuts must not make many long downloads wait for each other. Past
 * every chance an hour, which catches what ends the process late.
 *
 * @returns milliseconds
 */
export function proofMs(deaths: number): number {
  if (deaths < DEATHS_BEFORE_ALONE) return LONGEST_PROOF_MS;
  if (deaths > BEYOND_CHANCE)
    return Math.min(LONGEST_PROOF_MS * 2 ** (deaths - BEYOND_CHANCE), LONGEST_DOUBT_MS);
  return Math.min(2000 * 2 ** (deaths - DEATHS_BEFORE_ALONE), LONGEST_PROOF_MS);
}

/** @returns milliseconds from the start of the process that a job with so many deaths alone waits */
export function crashPauseMs(alone: number): number {
  return PAUSES.get(alone) ?? 0;
}
