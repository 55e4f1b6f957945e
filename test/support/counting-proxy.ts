import { type IncomingMessage, request, type ServerResponse } from 'node:http';
import { localServer } from './media';

export interface CountingProxy {
  /** `http://127.0.0.1:<port>` */
  url: string;
  /** The number of responses per status. */
  statuses: Map<number, number>;
  /** Path and query of each request. */
  requests: string[];
  close(): Promise<void>;
}

/**
 * Passes requests on to a server and counts its responses.
 *
 * @param intercept answers a request itself and returns true, or leaves it to the server
 */
export async function countingProxy(
  target: string,
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean = () => false
): Promise<CountingProxy> {
  const statuses = new Map<number, number>();
  const server = await localServer((incoming: IncomingMessage, response: ServerResponse) => {
    if (intercept(incoming, response)) return;
    const { method, headers } = incoming;
    const outgoing = request(new URL(incoming.url ?? '/', target), { method, headers }, (answer) => {
      const status = answer.statusCode ?? 0;
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      response.writeHead(status, answer.headers);
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    incoming.pipe(outgoing);
  });
  return { url: server.url, requests: server.requests, statuses, close: () => server.close() };
}
