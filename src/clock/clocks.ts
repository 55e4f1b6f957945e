/**
 * Milliseconds of a monotonic clock. Only differences mean anything, and only within this process:
 * for pauses, windows, limits and caches.
 */
export function monotonicNow(): number {
  return performance.now();
}

/**
 * Milliseconds since 1970, as the machine's clock told them when this process began, plus the time that has
 * passed since. Setting the clock does not move it, so it is the one for times that are on disk and decide when
 * work is due. What people read and what is signed needs the time of day: `Date.now`.
 */
export function steadyNow(): number {
  return Math.floor(performance.timeOrigin + performance.now());
}
