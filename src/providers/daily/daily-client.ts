import type { ApiDialect } from '../http/api-dialect';
import { JsonApi, type ApiRequest, type JsonApiOptions } from '../http/json-api';
import { RequestPace } from '../http/request-pace';
import { asFields, asText } from '../../values/fields';

/** Daily "Errors": `error` names the kind, `info` is free text. */
const DAILY: ApiDialect = {
  provider: 'Daily',
  defaultUrl: 'https://api.daily.co/v1',
  keyPlace: 'the Daily dashboard (Developers)',
  readError: (body) => {
    const fields = asFields(body);
    return { code: asText(fields?.['error']), title: asText(fields?.['info']) };
  },
  meanings: {
    'authentication-error': 'unauthorized',
    'authorization-header-error': 'unauthorized',
    'forbidden-error': 'unauthorized',
    'rate-limit-error': 'rate-limited',
    'server-error': 'passing'
  }
};

/** Daily "Rate limits": about 20 requests a second; lists of recordings, about 2. A tenth is left to others. */
const MOST_CALLS = { requests: 90, span: 5000 };
const LISTS = { requests: 45, span: 30_000 };

/** Daily's REST API. Requests wait for their turn, so that many concurrent recordings stay below the limits. */
export class DailyApi extends JsonApi {
  readonly #calls: RequestPace;
  readonly #lists: RequestPace;

  /** @throws CodedError `BAD_SETTING` when `apiUrl` is not the address of an API */
  constructor(options: JsonApiOptions) {
    super(options, DAILY);
    this.#calls = new RequestPace(MOST_CALLS, options.monotonic);
    this.#lists = new RequestPace(LISTS, options.monotonic);
  }

  protected override turn({ method, path, signal }: ApiRequest): Promise<void> {
    const isList = method === 'GET' && path.join('/') === 'recordings';
    return (isList ? this.#lists : this.#calls).turn(signal);
  }
}
