/** Further back than a nightly run needs, so that a late one misses nothing. */
export const DEFAULT_FROM = '36h';
