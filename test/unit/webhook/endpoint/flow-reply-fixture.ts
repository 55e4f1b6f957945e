import type { Response } from 'express';
import {
  type FlowAnswer,
  FlowReply,
  type FlowReplyOptions,
  type ReplyOutcome
} from '../../../../src/webhook/endpoint/flow-reply';
import { exchange, type RawAnswer } from '../../../support/http-client';
import { deferred, express, serve } from '../express/real-http';

export interface Asked {
  response: Response;
  reply: FlowReply;
  outcome: Promise<ReplyOutcome>;
  client: Promise<RawAnswer>;
  committed: FlowAnswer[];
  late: number;
}

/** A real client asks; the test answers as a flow would, on a response of Express. */
export async function ask(
  options: Partial<FlowReplyOptions> & { front?: (response: Response) => void } = {}
): Promise<Asked> {
  const settled = deferred<ReplyOutcome>();
  const arrived = deferred<Response>();
  const app = express();
  app.use((_request, response) => {
    options.front?.(response);
    const asked = response as Response;
    result.reply = new FlowReply(asked, {
      timeoutMs: 10_000,
      commit: (answer) => {
        result.committed.push(answer);
        return options.commit?.(answer) ?? Promise.resolve();
      },
      onSettled: settled.resolve,
      onLate: () => (result.late += 1),
      ...(options.timeoutMs !== undefined && { timeoutMs: options.timeoutMs })
    });
    arrived.resolve(asked);
  });
  const port = await serve(app);
  const client = exchange(port, { path: '/', body: Buffer.from('{}') });
  const result = { outcome: settled.promise, client, committed: [], late: 0 } as unknown as Asked;
  result.response = await arrived.promise;
  return result;
}

/** A `commit` that succeeds or fails when the test says so. */
export function slowCommit() {
  const gate = deferred();
  return { gate, commit: () => gate.promise };
}
