import type { ApiPace, PacedRequest } from '../http/api-pace';
import { RequestPace } from '../http/request-pace';

/** Daily "Rate limits": about 20 requests a second; lists of recordings, about 2. A tenth is left to others. */
const MOST_CALLS = { requests: 90, span: 5000 };
const LISTS = { requests: 45, span: 30_000 };

/** Keeps the requests of all that use an account below Daily's limits, which no response tells. */
export class DailyPace implements ApiPace {
  readonly #calls: RequestPace;
  readonly #lists: RequestPace;

  /** @param now milliseconds of a monotonic clock; @param parts as `RequestPace` */
  constructor(now?: () => number, parts?: () => number) {
    this.#calls = new RequestPace(MOST_CALLS, now, parts);
    this.#lists = new RequestPace(LISTS, now, parts);
  }

  turn({ method, path, signal }: PacedRequest): Promise<void> {
    const isList = method === 'GET' && path.join('/') === 'recordings';
    return (isList ? this.#lists : this.#calls).turn(signal);
  }
}
