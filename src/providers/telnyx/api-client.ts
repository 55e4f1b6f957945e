import type { IncomingHttpHeaders } from 'node:http';
import type { ApiDialect } from '../http/api-dialect';
import { JsonApi, type ApiRequest, type JsonApiOptions } from '../http/json-api';
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

export interface TelnyxApiOptions extends JsonApiOptions {
  /** Of the account, shared by all its users. Default: a separate one. */
  pace?: ServerPace;
}

/** Telnyx's API v2. Requests wait for their turn while the API says that there are too many. */
export class TelnyxApi extends JsonApi {
  readonly #pace: ServerPace;

  /** @throws CodedError `BAD_SETTING` when `apiUrl` is not the address of an API */
  constructor(options: TelnyxApiOptions) {
    super(options, TELNYX);
    this.#pace = options.pace ?? new ServerPace(options.monotonic);
  }

  protected override turn({ signal }: ApiRequest): Promise<void> {
    return this.#pace.turn(signal);
  }

  protected override answered(headers: IncomingHttpHeaders): void {
    this.#pace.answered(headers);
  }

  protected override ended(): void {
    this.#pace.ended();
  }
}
