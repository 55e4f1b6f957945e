// The valid settings of the archive node, shared by the runtime and the dialog. The first choice is the default.

/** What it does with stored recordings. */
export const ACTIONS = ['find', 'sweep', 'hold', 'release', 'erase', 'verify', 'report'] as const;

export type ArchiveAction = (typeof ACTIONS)[number];
