import { CodedError } from '../../../errors/coded-error';
import { isPaddedBase64 } from '../../../text/base64';
import { asCount, asFields, asProse, asText, parseUrl } from '../../../values/fields';
import { readTime } from '../../../values/time';
import type { Ask } from '../../http/patient-request';
import { isSameUrl } from '../../http/same-url';
import type { DailyWebhook, DailyWebhookState } from './daily-webhook';

/** With its secret, which must not leave the process. */
export interface SecretWebhook {
  webhook: DailyWebhook;
  /** Base64; null when Daily does not say. */
  hmac: string | null;
}

/** Daily's documentation has had words and numbers for the states. */
const STATES: ReadonlyMap<string, DailyWebhookState> = new Map([
  ['active', 'active'],
  ['1', 'active'],
  ['failed', 'failed'],
  ['0', 'failed'],
  ['inactive', 'inactive'],
  ['stopped', 'inactive'],
  ['2', 'inactive']
]);

const MOST_TYPES = 100;
const LONGEST_SHOWN = 2048;

/**
 * Lists the webhooks of the domain (docs.daily.co, "List webhooks": a bare array).
 *
 * @throws CodedError `LINK_REFUSED` when the answer is no list; as `ask`
 */
export async function listDailyWebhooks(ask: Ask): Promise<SecretWebhook[]> {
  const answer = await ask({ method: 'GET', path: ['webhooks'] });
  const list: unknown = Array.isArray(answer) ? answer : asFields(answer)?.['data'];
  if (!Array.isArray(list))
    throw new CodedError(
      'LINK_REFUSED',
      'GET /webhooks was answered with something other than a list. Check the API address in the account.'
    );
  return (list as unknown[]).map(readWebhook).filter((one) => one !== null);
}

export interface NewDailyWebhook {
  url: string;
  eventTypes: readonly string[];
  /** Base64; null: Daily makes one. */
  hmac: string | null;
}

/**
 * Registers a URL. Daily tests it at once, and wants 200.
 *
 * @throws CodedError `BAD_SETTING` when the URL or the types cannot be used, or the URL is registered already; as `ask`
 */
export async function createDailyWebhook(
  ask: Ask,
  { url, eventTypes, hmac }: NewDailyWebhook
): Promise<SecretWebhook> {
  checkUrl(url);
  checkTypes(eventTypes);
  const isOurs = (one: SecretWebhook): boolean => isSameUrl(one.webhook.url, url);
  if ((await listDailyWebhooks(ask)).some(isOurs))
    throw new CodedError(
      'BAD_SETTING',
      'Daily has a webhook with this URL already, and would send everything twice. Use that one; list again to see it.'
    );
  const body = { url, eventTypes, retryType: 'exponential', ...(hmac !== null && { hmac }) };
  let answer: unknown;
  try {
    answer = await ask({ method: 'POST', path: ['webhooks'], body });
  } catch (error) {
    return (await afterLostAnswer(ask, error, isOurs)) ?? explained(error);
  }
  const made = readWebhook(answer);
  if (made !== null && made.hmac !== null) return made;
  const listed = (await listDailyWebhooks(ask)).find(isOurs);
  if (listed !== undefined) return listed;
  throw new CodedError(
    'LINK_REFUSED',
    'Daily answered something other than a webhook. List again to see whether it was registered.'
  );
}

/**
 * Activates a webhook again by sending its URL once more. Daily tests it first, and wants 200.
 *
 * @throws CodedError `BAD_SETTING` when there is no webhook with that id and URL; `LINK_REFUSED` when it is still not
 *   active; as `ask`
 */
export async function activateDailyWebhook(
  ask: Ask,
  { uuid, url }: { uuid: string; url: string }
): Promise<SecretWebhook> {
  const isIt = ({ webhook }: SecretWebhook): boolean => webhook.uuid === uuid;
  const before = (await listDailyWebhooks(ask)).find(isIt);
  if (before === undefined || !isSameUrl(before.webhook.url, url))
    throw new CodedError(
      'BAD_SETTING',
      'Daily has no such webhook with this URL any more. List again, and decide again.'
    );
  try {
    // Updates and re-activates; there is no PATCH.
    await ask({ method: 'POST', path: ['webhooks', uuid], body: { url: before.webhook.url } });
  } catch (error) {
    const after = await afterLostAnswer(ask, error, (one) => isIt(one) && one.webhook.state === 'active');
    return after ?? explained(error);
  }
  const after = (await listDailyWebhooks(ask)).find(isIt);
  if (after?.webhook.state === 'active') return after;
  throw new CodedError(
    'LINK_REFUSED',
    'Daily accepted the request, but the webhook is still not active. List again in a minute.'
  );
}

/** Finds out whether a request was carried out although its answer was lost. */
async function afterLostAnswer(
  ask: Ask,
  error: unknown,
  isIt: (one: SecretWebhook) => boolean
): Promise<SecretWebhook | undefined> {
  if (!(error instanceof CodedError) || !error.retryable || error.code === 'RATE_LIMITED') return undefined;
  const found = await listDailyWebhooks(ask).catch(() => []);
  return found.find(isIt);
}

/** @throws the error, with what Daily's test needs */
function explained(error: unknown): never {
  if (!(error instanceof CodedError) || error.retryable || error.code !== 'LINK_REFUSED') throw error;
  throw new CodedError(
    error.code,
    `${error.message} Daily tests the URL before it accepts it, and wants 200 by https: deploy this node first, and make ` +
      'sure that the URL can be reached from the internet.',
    { cause: error }
  );
}

function checkUrl(url: string): void {
  if (parseUrl(url)?.protocol === 'https:' || parseUrl(url)?.protocol === 'http:') return;
  throw new CodedError(
    'BAD_SETTING',
    'The webhook URL is not a complete address. Enter a "Public URL" such as https://hooks.example.com.'
  );
}

function checkTypes(types: readonly string[]): void {
  const areTypes = types.every((type) => /^[a-z][a-z.-]{0,99}$/.test(type));
  if (areTypes && types.length > 0 && types.length <= MOST_TYPES) return;
  throw new CodedError(
    'BAD_SETTING',
    '"Events" must be a list of event types of Daily such as recording.ready-to-download, separated by commas or spaces.'
  );
}

function readWebhook(value: unknown): SecretWebhook | null {
  // One is documented as an array, too.
  const fields = asFields(Array.isArray(value) ? (value[0] as unknown) : value);
  const uuid = asText(fields?.['uuid']);
  if (fields === null || uuid === null || !/^[\w-]{1,64}$/.test(uuid)) return null;
  const types: unknown = fields['eventTypes'];
  const webhook = {
    uuid,
    url: asProse(fields['url'])?.slice(0, LONGEST_SHOWN) ?? null,
    state: STATES.get(asText(fields['state'])?.toLowerCase() ?? '') ?? 'unknown',
    event_types: (Array.isArray(types) ? (types as unknown[]) : [])
      .map(asProse)
      .filter((type) => type !== null)
      .slice(0, MOST_TYPES),
    retry_type: asProse(fields['retryType']),
    failed_count: asCount(fields['failedCount']),
    last_pushed: readTime(fields['lastMomentPushed'])
  };
  const hmac = asText(fields['hmac']);
  return { webhook, hmac: hmac !== null && isPaddedBase64(hmac) ? hmac : null };
}
