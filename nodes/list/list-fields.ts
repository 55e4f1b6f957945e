// The valid settings of the list node, shared by the runtime and the dialog. The first choice is the default.

/** Further back than a nightly run needs, so that a late one misses nothing. */
export const DEFAULT_FROM = '36h';

/** What is listed. */
export const LISTED = ['recordings', 'transcripts', 'both'] as const;

/** Which recordings are sent. */
export const SELECTIONS = ['missing', 'all'] as const;
