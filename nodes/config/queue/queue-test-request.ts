/** Below the admin root: where the Test button of the dialog sends its values. */
export const QUEUE_TEST_PATH = '/telnyx-queue/test';

/** The current values of the dialog. A password that the editor does not know is `HIDDEN_PASSWORD`. */
export type QueueTestRequest = Record<'id' | 'url' | 'prefix' | 'password' | 'encryptionKey', string>;
