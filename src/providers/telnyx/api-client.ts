import type { ApiDialect } from '../http/api-dialect';
import { JsonApi, type JsonApiOptions } from '../http/json-api';
import { ServerPace } from '../http/server-pace';
import { asFields, asText } from '../../values/fields';

/** Telnyx "API errors": 10036 means that something exists but is not ready. */
const TELNYX: ApiDialect = {
  provider: 'Telnyx',
  defaultUrl: 'https://api.telnyx.com/v2',
  keyPlace: 'the Telnyx portal',
  readError: (body) => {
    const errors = asFields(body)?.['errors'];
    const first = asFields(Array.isArray(errors) ? (errors[0] as unknown) : null);
    // Meeting sessions have one error, with a message in place of a title.
    const only = first === null ? asFields(asFields(body)?.['error']) : null;
    return {
      code: asText((first ?? only)?.['code']),
      title: asText(first?.['title'] ?? only?.['message'])
    };
  },
  meanings: { '10036': 'processing' }
};

/** Telnyx's API v2. Requests wait for their turn while the API says that there are too many. */
export class TelnyxApi extends JsonApi {
  /** @throws CodedError `BAD_SETTING` when `apiUrl` is not the address of an API */
  constructor(options: JsonApiOptions) {
    super({ ...options, pace: options.pace ?? new ServerPace(options.monotonic) }, TELNYX);
  }
}
