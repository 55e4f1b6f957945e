/** How far clocks are off when somebody sets them by hand, or the battery of a clock is empty. */
export const THREE_HOURS_MS = 3 * 60 * 60 * 1000;

// In place from the start: objects keep the function that was `Date.now` when they were made.
const { now } = Date;
let shift = 0;
Date.now = () => now() + shift;

/**
 * Runs something while the clock of this process tells another time, as after it was set. Timers are not concerned.
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
