import type { ErrorCode } from './codes';

/** What users are told that is no error; nodes/parts/<language>/errors.json has the sentences. */
export const NOTICES = [
  // A bucket.
  'bucket-in-use',
  'bucket-there',
  'store-answers',
  'may-list',
  'may-not-list',
  'keeps-versions',
  'versioning-suspended',
  'keeps-no-versions',
  'versions-unknown',
  'no-lock',
  'lock-unknown',
  'lock-only',
  'locks-days',
  'locks-years',
  'no-conditions',
  'locked-not-tried',
  'may-write',
  'name-taken',
  'lacks-right',
  'conditions-honoured',
  'conditions-ignored',
  'conditions-unknown',
  'versions-instead',
  'one-writer-instead',
  'may-not-list-versions',
  'read-back',
  'read-differs',
  'parts-work',
  'parts-stay',
  'test-deleted',
  'test-stays',
  'cannot-list-versions',
  'cannot-take-back',
  // A folder.
  'folder',
  'folder-new',
  'files-written',
  'links-work',
  'no-links',
  'space-free',
  'space-scarce',
  'space-unknown',
  // An account.
  'no-api-key',
  'telnyx-key',
  'telnyx-may-list',
  'telnyx-may-not-list',
  'daily-key',
  'daily-may-list-webhooks',
  'daily-may-not-list-webhooks',
  // A Redis.
  'redis-answers',
  'redis-no-host',
  'redis-nothing-there',
  'redis-silent',
  'redis-wants-password',
  'redis-wrong-password',
  'redis-bad-tls',
  'redis-not-redis',
  'redis-too-old',
  'redis-writes',
  'redis-refuses',
  'redis-keeps',
  'redis-forgets',
  'redis-evicts',
  'redis-clear-text',
  'redis-forgot-files',
  // A flow.
  'answers-nobody'
] as const;

export type NoticeName = (typeof NOTICES)[number];

/** One or two sentences that the editor and the log show in the language of the user. */
export interface Notice {
  notice: NoticeName;
  /** What the sentence names. No secrets. */
  values?: Readonly<Record<string, string | number>>;
}

/** Sentences that are told one after the other; those of errors have their code. */
export type Said = Notice | { code: ErrorCode; text: string };
