import { CodedError } from '../../src/errors/coded-error';
import type { AdminHandler, NodeRedApi, RedNode } from '../lib/node-red';
import { isFromAnotherSite, isJson } from './admin-route';
import { DialogValues } from './dialog-values';

/** What a button of a dialog makes the runtime do. */
export interface DialogAction<Reply extends object> {
  /** Below the admin root. */
  path: string;
  /**
   * Does it. @throws CodedError whose text is shown in the dialog; the text of any other error is not
   */
  run: (values: DialogValues) => Promise<Reply>;
  /** Milliseconds between two requests. Default 0: the next one may come when the last one has its answer. */
  pauseMs?: number;
  /** What the dialog says when the action fails for a reason of our own. */
  failed: string;
}

/**
 * Serves a button of a dialog that works with values which need not be deployed. It is as powerful as a deploy, so it
 * needs the same permission.
 *
 * The answer is what `run` returns, or `{error, code}` with 400 (the values, or the other side, are to blame), 403
 * (another site), 415 (no JSON), 429 (another request is under way) or 500. The dialog finds a sentence for the code.
 *
 * @param now milliseconds
 */
export function serveDialogAction<Reply extends object>(
  RED: NodeRedApi,
  { path, run, pauseMs = 0, failed }: DialogAction<Reply>,
  now: () => number = Date.now
): void {
  let isRunning = false;
  let last = -Infinity;
  const handle: AdminHandler = (request, response) => {
    const reply = (status: number, body: Reply | { error: string; code?: string }): void => {
      response.statusCode = status;
      response.json(body);
    };
    // Node-RED also reads forms, which a page of any other site can make the user's browser send.
    if (!isJson(request.headers['content-type'])) {
      reply(415, { error: 'Expected the values of the dialog as JSON.' });
      return;
    }
    if (isFromAnotherSite(request)) {
      reply(403, { error: 'Requests from other sites are refused.' });
      return;
    }
    // Also works when the clock is set back.
    if (isRunning || Math.abs(now() - last) < pauseMs) {
      reply(429, {
        error: 'Another request has just run. Wait a few seconds, then try again.',
        code: 'BUSY'
      });
      return;
    }
    isRunning = true;
    const act = async (): Promise<Reply> => run(new DialogValues(RED, (request as { body?: unknown }).body));
    act()
      .then((done) => {
        last = now();
        reply(200, done);
      })
      .catch((error: unknown) => {
        if (error instanceof CodedError) {
          reply(400, { error: error.message, code: error.code });
          return;
        }
        last = now();
        reply(500, { error: failed, code: 'UNEXPECTED' });
      })
      .finally(() => {
        isRunning = false;
      });
  };
  RED.httpAdmin.post(path, RED.auth.needsPermission('flows.write'), handle);
}

/** The node of a type that is deployed, or null: it may be new, disabled, or the id that of something else. */
export function deployedNode(RED: Pick<NodeRedApi, 'nodes'>, type: string, id: string): RedNode | null {
  const found = id === '' ? null : (RED.nodes.getNode(id) as RedNode | null | undefined);
  return found?.type === type ? found : null;
}
