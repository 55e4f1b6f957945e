/** Below the admin root: where "Run now" of the list nodes is asked for. */
export const RUN_LIST_PATH = '/telnyx-recording-list/run';
