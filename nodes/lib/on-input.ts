import type { FlowMessage, RedNode, Send } from './node-red';

/**
 * Every asynchronous step of this package's nodes runs through one of these functions, because an unhandled rejection
 * would end the user's Node-RED.
 */

/** Turns whatever was thrown into an Error that Node-RED can report. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/**
 * Handles `input`: calls `done()` when `handle` has finished and `done(err)` when it fails, whether it
 * throws or its promise is rejected. Catch nodes see the error with the message.
 */
export function onInput(
  node: RedNode,
  handle: (message: FlowMessage, send: Send) => Promise<void> | void
): void {
  node.on('input', (message, send, done) => {
    settle(
      () => handle(message, send),
      () => done(),
      (error) => done(error)
    );
  });
}

/** Handles `close`: `done` is called whatever happens, so that a deploy never hangs on this node. */
export function onClose(node: RedNode, handle: (removed: boolean) => Promise<void> | void): void {
  node.on('close', (removed, done) => {
    settle(
      () => handle(removed),
      () => done(),
      (error) => {
        node.warn(error.message);
        done();
      }
    );
  });
}

/**
 * Runs work that no message is waiting for. A failure is reported at the node; with a message, Catch
 * nodes see it too.
 */
export function inBackground(
  node: RedNode,
  work: () => Promise<void> | void,
  message: FlowMessage = {}
): void {
  settle(
    work,
    () => undefined,
    (error) => node.error(error, message)
  );
}

function settle(work: () => Promise<void> | void, succeed: () => void, fail: (error: Error) => void): void {
  const run = async (): Promise<void> => {
    await work();
  };
  run().then(succeed, (thrown: unknown) => fail(asError(thrown)));
}
