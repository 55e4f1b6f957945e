/**
 * Loaded by every test run (.mocharc.json). A rejection that nobody handles ends Node-RED; mocha hands it on to listeners of
 * the process, of which it has none. Here it fails the test in which it appears.
 */
const rejections: unknown[] = [];

function note(reason: unknown): void {
  rejections.push(reason);
}

function failIfRejected(): void {
  const [first, ...others] = rejections.splice(0);
  if (first === undefined) return;
  const more = others.length === 0 ? '' : `, and ${others.length} more`;
  const text = first instanceof Error ? (first.stack ?? first.message) : JSON.stringify(first);
  throw new Error(`Nobody handled a rejection, which would end Node-RED: ${text}${more}`);
}

export const mochaHooks = {
  beforeAll(): void {
    process.on('unhandledRejection', note);
  },
  afterEach: failIfRejected,
  afterAll(): void {
    process.off('unhandledRejection', note);
    failIfRejected();
  }
};
