/**
 * Milliseconds of a monotonic clock. Only differences mean anything, and only within this process:
 * for pauses, windows, limits and caches.
 */
export function monotonicNow(): number {
  return performance.now();
}

/**
 * Milliseconds since 1970 by the machine's clock at the start of this process, plus the time since then.
 * Setting the clock does not move it, so use it for times on disk that decide when work is due. Times for
 * people and signatures need the time of day: `Date.now`.
 */
export function steadyNow(): number {
  return Math.floor(performance.timeOrigin + performance.now());
}
