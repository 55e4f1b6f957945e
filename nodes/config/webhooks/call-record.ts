import { CodedError } from '../../../src/errors/coded-error';
import type { Ask } from '../../../src/providers/http/patient-request';
import type { ApiCall, Outcome } from './webhooks-request';

/** How long one press of a button may take. */
const LONGEST_MS = 60_000;
/** Codes after which the next request fails as well. */
const HOPELESS: ReadonlySet<string> = new Set(['API_UNAUTHORIZED', 'RATE_LIMITED', 'STALLED']);

interface OpenApi {
  request(request: Parameters<Ask>[0] & { signal: AbortSignal }): Promise<unknown>;
  close(): Promise<void>;
}

/**
 * Does something at a provider's API, and records every call for the dialog. Nothing is repeated: the user sees what
 * went wrong and decides.
 *
 * @param api is closed afterwards
 * @param act throws CodedError
 */
export async function recorded<Result extends object>(
  api: OpenApi,
  act: (ask: Ask) => Promise<Result>
): Promise<Outcome<Result>> {
  const calls: ApiCall[] = [];
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(tooSlow()), LONGEST_MS);
  const ask: Ask = async (request) => {
    const call: ApiCall = { call: `${request.method} /${request.path.join('/')}`, error: null, code: null };
    calls.push(call);
    try {
      return await api.request({ ...request, signal: limit.signal });
    } catch (error) {
      call.error = error instanceof CodedError ? advised(error) : 'It failed.';
      call.code = error instanceof CodedError ? error.code : 'UNEXPECTED';
      throw error;
    }
  };
  try {
    return { calls, result: await act(ask) };
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return { calls, error: advised(error), code: error.code, isHopeless: HOPELESS.has(error.code) };
  } finally {
    clearTimeout(timer);
    await api.close();
  }
}

/** The text of an error, for somebody who can press the button again. */
function advised({ code, message, retryable, retryAfterMs }: CodedError): string {
  if (code === 'RATE_LIMITED') {
    const seconds = Math.max(1, Math.ceil((retryAfterMs ?? 1000) / 1000));
    return `The API permits no more requests now. Wait ${seconds} s, then try again.`;
  }
  return retryable ? `${message} Try again in a moment.` : message;
}

function tooSlow(): CodedError {
  return new CodedError('STALLED', `The API did not finish within ${LONGEST_MS / 1000} seconds.`, {
    retryable: true
  });
}
