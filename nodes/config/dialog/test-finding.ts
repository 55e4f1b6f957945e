import type { Said } from '../../../src/errors/notice';
import type { Finding } from '../../../src/store/bucket/finding';

/** One line of what a test button of a dialog found. */
export interface TestFinding {
  /** What was tried. */
  check: 'key' | 'recordings' | 'webhooks' | 'folder' | 'link' | 'space' | 'redis' | Finding['check'];
  /** `failed`: it cannot work like this. `warning`: it can, but the user should know. */
  result: 'ok' | 'warning' | 'failed';
  /** What to do, without secrets. */
  said: readonly Said[];
}

/** Below the admin root: what the test buttons ask. */
export const TELNYX_ACCOUNT_TEST_PATH = '/telnyx-account/test';
export const DAILY_ACCOUNT_TEST_PATH = '/daily-account/test';
export const FOLDER_TEST_PATH = '/telnyx-recording-download/test';
