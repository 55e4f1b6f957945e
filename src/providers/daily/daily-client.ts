import type { ApiDialect } from '../http/api-dialect';
import { JsonApi, type JsonApiOptions } from '../http/json-api';
import { asFields, asText } from '../../values/fields';
import { DailyPace } from './daily-pace';

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

/** Daily's REST API. Requests wait for their turn, so that many concurrent recordings stay below the limits. */
export class DailyApi extends JsonApi {
  /** @throws CodedError `BAD_SETTING` when `apiUrl` is not the address of an API */
  constructor(options: JsonApiOptions) {
    super({ ...options, pace: options.pace ?? new DailyPace(options.monotonic) }, DAILY);
  }
}
