import { CodedError } from '../../../errors/coded-error';
import { asCount, asFields, type Fields, parseUrl } from '../../../values/fields';
import type { Ask } from '../../http/patient-request';
import { isSameUrl } from '../../http/same-url';
import { findCollection, isResourceId, listOf, readSettings, urlOf } from './webhook-collections';
import type { WebhookSetting } from './webhook-kinds';

const PAGE_SIZE = 100;
/** What a person can choose from; a part of the name finds the others. */
const MOST_PAGES = 10;

export interface WebhookSettings {
  settings: WebhookSetting[];
  /** Whether there are more than were read. */
  isCut: boolean;
  /** Items that could not be understood. */
  unreadable: number;
}

/**
 * Lists what has a webhook URL.
 *
 * @param ask see `patientAsk`
 * @param kind one of `WEBHOOK_KINDS`
 * @param name part of the name; blank: all
 * @throws CodedError `BAD_SETTING` for an unknown kind; `LINK_REFUSED` when the answer is no list; as `ask`
 */
export async function listWebhookSettings(ask: Ask, kind: string, name: string): Promise<WebhookSettings> {
  const collection = listOf(kind);
  if (collection === undefined) throw new CodedError('BAD_SETTING', 'There is nothing of that kind to list.');
  const found: WebhookSettings = { settings: [], isCut: false, unreadable: 0 };
  const known = new Set<string>();
  for (let number = 1; ; number += 1) {
    const query = {
      ...(name !== '' && { [`filter[${collection.name}][contains]`]: name }),
      'page[number]': String(number),
      'page[size]': String(PAGE_SIZE)
    };
    const answer = asFields(await ask({ method: 'GET', path: [collection.path], query }));
    const items: unknown = answer?.['data'];
    if (!Array.isArray(items)) throw noList(collection.path);
    for (const item of items as unknown[]) {
      const settings = readSettings(collection, item);
      if (settings === null) found.unreadable += 1;
      // A page that changes meanwhile shows an item twice.
      for (const setting of settings ?? []) {
        const key = `${setting.id} ${setting.field}`;
        if (!known.has(key)) found.settings.push(setting);
        known.add(key);
      }
    }
    const pages = asCount(asFields(answer?.['meta'])?.['total_pages']);
    const isLast = pages === null ? items.length < PAGE_SIZE : number >= pages;
    if (isLast || items.length === 0) return found;
    if (number === MOST_PAGES) return { ...found, isCut: true };
  }
}

/** What to change, and what the user saw before deciding so. */
export interface WebhookChange {
  collection: string;
  id: string;
  field: string;
  /** The URL that is to be replaced; null: none was set. */
  expected: string | null;
  url: string;
}

/**
 * Sets one webhook URL, and what must be set with it. Fields that Telnyx requires are sent as they are.
 *
 * @returns the setting as Telnyx has it afterwards
 * @throws CodedError `BAD_SETTING` when the change is not possible or was decided on an old state; `LINK_REFUSED` when
 *   Telnyx still has another URL; as `ask`
 */
export async function setWebhookUrl(ask: Ask, change: WebhookChange): Promise<WebhookSetting> {
  const { field, url } = change;
  checkChange(change);
  const { item, setting } = await read(ask, change);
  if (isSameUrl(setting.url, url) && setting.alongside.length === 0) return setting;
  if (!isSameUrl(setting.url, change.expected))
    throw new CodedError(
      'BAD_SETTING',
      'The URL was changed at Telnyx after it was listed here, so it was left as it is. List again, and decide again.'
    );
  const required = findCollection(change.collection)?.required ?? [];
  const body = {
    ...Object.fromEntries(
      required.map((name) => [name, item[name]] as const).filter(([, value]) => value != null)
    ),
    [field]: url,
    ...Object.fromEntries(setting.alongside.map((other) => [other.field, other.to] as const))
  };
  try {
    await ask({ method: 'PATCH', path: [change.collection, change.id], body });
  } catch (error) {
    if (!(error instanceof CodedError) || error.code === 'RATE_LIMITED') throw error;
    if (!error.retryable) throw explained(error);
    // It may have been carried out although the answer was lost.
    const after = await read(ask, change).catch(() => null);
    if (after === null || !isSameUrl(after.setting.url, url)) throw error;
    return after.setting;
  }
  const { setting: after } = await read(ask, change);
  if (isSameUrl(after.url, url)) return after;
  throw new CodedError(
    'LINK_REFUSED',
    'Telnyx accepted the change but still has another URL. List again to see which, and set it in the Telnyx portal.'
  );
}

/** Adds what to do when Telnyx refuses the values. */
function explained(error: CodedError): CodedError {
  if (error.code !== 'LINK_REFUSED') return error;
  return new CodedError(
    error.code,
    `${error.message} Nothing was changed. Telnyx may not accept this URL, or something else in this application is ` +
      'incomplete: save it in the Telnyx portal, where the reason is shown.',
    { cause: error }
  );
}

function checkChange({ collection, id, field, url }: WebhookChange): void {
  const found = findCollection(collection);
  if (found === undefined || urlOf(found, field) === undefined || !isResourceId(id))
    throw new CodedError('BAD_SETTING', 'This cannot be changed here. List again, and choose from the list.');
  const protocol = parseUrl(url)?.protocol;
  if (protocol !== 'https:' && protocol !== 'http:')
    throw new CodedError(
      'BAD_SETTING',
      'The webhook URL is not a complete address. Enter a "Public URL" such as https://hooks.example.com.'
    );
}

async function read(
  ask: Ask,
  { collection, id, field }: WebhookChange
): Promise<{ item: Fields; setting: WebhookSetting }> {
  const answer = asFields(await ask({ method: 'GET', path: [collection, id] }));
  const item = asFields(answer?.['data']);
  const found = findCollection(collection);
  const setting = found && readSettings(found, item)?.find((one) => one.id === id && one.field === field);
  if (item === null || !setting)
    throw new CodedError(
      'LINK_REFUSED',
      `GET /${collection}/${id} was answered with something else. Nothing was changed. Check the API address in the account.`
    );
  return { item, setting };
}

function noList(path: string): CodedError {
  return new CodedError(
    'LINK_REFUSED',
    `GET /${path} was answered with something other than a list. Check the API address in the account.`
  );
}
