/** Clock errors after a change by hand or with an empty clock battery. */
export const THREE_HOURS_MS = 3 * 60 * 60 * 1000;

// Replaced from the start: objects keep the `Date.now` of their creation.
const { now } = Date;
let shift = 0;
Date.now = () => now() + shift;

/**
 * Runs something while the clock of this process shows a different time, as after a change. Timers are not
 * affected.
 *
 * @param byMs milliseconds; negative: set back
 */
export async function withClockSet<T>(byMs: number, task: () => T | Promise<T>): Promise<T> {
  shift = byMs;
  try {
    return await task();
  } finally {
    shift = 0;
  }
}
