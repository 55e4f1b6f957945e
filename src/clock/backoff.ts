const FIRST_MS = 1000;
const LONGEST_MS = 120_000;
/** No server may delay a recording for longer than this with its Retry-After. */
export const LONGEST_PAUSE_MS = 15 * 60_000;

/**
 * Exponential backoff with full jitter: recordings that failed together do not come back together.
 *
 * @param attempt how many attempts have failed, from 1
 * @param random from 0 to 1
 * @param askedMs what the other side asked for, if it did; never shorter than that
 * @returns milliseconds until the next attempt
 */
export function backoffMs(attempt: number, random: number, askedMs: number | undefined): number {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** (attempt - 1));
  const own = Math.round(ceiling * random);
  return askedMs === undefined ? own : Math.max(own, Math.min(askedMs, LONGEST_PAUSE_MS));
}

/**
 * Waits, unless aborted.
 *
 * @throws `signal.reason`
 */
export function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const wake = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', wake);
      if (signal.aborted) reject(signal.reason as Error);
      else resolve();
    };
    const timer = setTimeout(wake, ms);
    signal.addEventListener('abort', wake, { once: true });
  });
}
