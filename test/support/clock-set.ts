/** How far clocks are off when somebody sets them by hand, or the battery of a clock is empty. */
export const THREE_HOURS_MS = 3 * 60 * 60 * 1000;

/**
 * Runs something while the clock of this process tells another time, as after it was set. Timers are not concerned.
 *
 * @param byMs milliseconds; negative: set back
 */
export async function withClockSet<T>(byMs: number, task: () => T | Promise<T>): Promise<T> {
  const { now } = Date;
  Date.now = () => now() + byMs;
  try {
    return await task();
  } finally {
    Date.now = now;
  }
}
