import type { ApiDialect } from '../api/api-dialect';
import { JsonApi, type JsonApiOptions } from '../api/json-api';
import { asFields, asText } from '../recording/read-value';

/** Telnyx "API errors": 10036 is a thing that is there but not ready. */
const TELNYX: ApiDialect = {
  provider: 'Telnyx',
  defaultUrl: 'https://api.telnyx.com/v2',
  keyPlace: 'the Telnyx portal',
  readError: (body) => {
    const errors = asFields(body)?.['errors'];
    const first = asFields(Array.isArray(errors) ? (errors[0] as unknown) : null);
    return { code: asText(first?.['code']), title: asText(first?.['title']) };
  },
  meanings: { '10036': 'processing' }
};

/** Telnyx's API v2. */
export class TelnyxApi extends JsonApi {
  /** @throws CodedError `BAD_SETTING` when `apiUrl` is not the address of an API */
  constructor(options: JsonApiOptions) {
    super(options, TELNYX);
  }
}
