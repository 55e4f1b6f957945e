/** One line of what a test button of a dialog found. */
export interface TestFinding {
  /** `failed`: it cannot work like this. `warning`: it can, but the user should know. */
  result: 'ok' | 'warning' | 'failed';
  /** Says what to do, and contains no secret. */
  text: string;
}

/** Below the admin root: what the test buttons ask. */
export const TELNYX_ACCOUNT_TEST_PATH = '/telnyx-account/test';
export const DAILY_ACCOUNT_TEST_PATH = '/daily-account/test';
export const FOLDER_TEST_PATH = '/telnyx-recording-download/test';
