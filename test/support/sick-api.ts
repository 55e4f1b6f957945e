import type { IncomingMessage, ServerResponse } from 'node:http';
import { TELNYX_WITH_KEY } from './archive-source';
import { json } from './daily-server';
import { type LocalServer, localServer } from './media';

/** The behaviour of an API for every request. */
export type ApiHabit = 'answers' | 'hangs' | 'fails' | 'limits' | 'garbage' | 'drips';

export interface SickApi extends LocalServer {
  habit: ApiHabit;
}

/** The delay of slow APIs before their first byte. */
const SLOW_MS = 1500;

/**
 * Telnyx's API in trouble. It accepts every connection.
 *
 * @param storage the target of fresh links
 */
export async function sickApi(storage: () => string): Promise<SickApi> {
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { habit } = api;
    if (habit === 'hangs') return;
    if (habit === 'answers') {
      if (!TELNYX_WITH_KEY.answerApi(request, response, storage())) response.writeHead(404).end();
      return;
    }
    const timer = setTimeout(() => sick(habit, response), SLOW_MS);
    response.on('close', () => clearTimeout(timer));
  };
  const api: SickApi = { ...(await localServer((...about) => answer(...about))), habit: 'answers' };
  return api;
}

function sick(habit: ApiHabit, response: ServerResponse): void {
  if (habit === 'fails') json(response, 500, { errors: [{ code: '10007', title: 'Unexpected error' }] });
  else if (habit === 'limits') response.writeHead(429, { 'retry-after': '31536000' }).end();
  else if (habit === 'garbage') response.writeHead(200).end('<html>\0\u{ffff}'.repeat(5000));
  else {
    response.writeHead(200, { 'content-type': 'application/json' });
    const timer = setInterval(() => response.write(' '), 100);
    response.on('close', () => clearInterval(timer));
  }
}

/** Answers a request with one interim response after the other, and never with a final one. */
export function onlyInterim(response: ServerResponse): void {
  const timer = setInterval(() => response.writeProcessing(), 20);
  response.on('close', () => clearInterval(timer));
}
