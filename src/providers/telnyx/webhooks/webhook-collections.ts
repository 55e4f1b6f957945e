import { asFields, asProse, type Fields } from '../../../values/fields';
import type { FieldChange, WebhookKind, WebhookSetting } from './webhook-kinds';

/** A field with a URL. */
interface UrlField {
  field: string;
  failover?: string;
  /** Fields that must have a certain value for deliveries to be verifiable, and that value. */
  alongside: Readonly<Record<string, string>>;
}

/** How one collection of Telnyx's API is read and changed (API reference, "Update …", one page for each). */
interface Collection {
  path: string;
  /** The field with its name. */
  name: string;
  urls: readonly UrlField[];
  /** Fields that every PATCH needs, changed or not. */
  required: readonly string[];
}

/** Bodies of older versions are signed by other means, and have another shape. */
const VERSION_2 = { webhook_api_version: '2' };

const EVENT_URL = { field: 'webhook_event_url', failover: 'webhook_event_failover_url' };

function connections(path: string): Collection {
  return {
    path,
    name: 'connection_name',
    urls: [{ ...EVENT_URL, alongside: VERSION_2 }],
    required: []
  };
}

const COLLECTIONS: readonly Collection[] = [
  {
    path: 'call_control_applications',
    name: 'application_name',
    urls: [{ ...EVENT_URL, alongside: VERSION_2 }],
    required: ['application_name', 'webhook_event_url']
  },
  {
    path: 'texml_applications',
    name: 'friendly_name',
    urls: [
      { field: 'voice_url', failover: 'voice_fallback_url', alongside: { voice_method: 'post' } },
      { field: 'status_callback', alongside: { status_callback_method: 'post' } }
    ],
    required: ['friendly_name', 'voice_url']
  },
  {
    path: 'messaging_profiles',
    name: 'name',
    urls: [{ field: 'webhook_url', failover: 'webhook_failover_url', alongside: VERSION_2 }],
    required: []
  },
  {
    path: 'fax_applications',
    name: 'application_name',
    urls: [{ ...EVENT_URL, alongside: {} }],
    required: ['application_name', 'webhook_event_url']
  },
  connections('credential_connections'),
  connections('fqdn_connections'),
  connections('ip_connections'),
  connections('uac_connections'),
  connections('mobile_voice_connections'),
  {
    path: 'external_connections',
    name: 'connection_name',
    // Its version is read only.
    urls: [{ ...EVENT_URL, alongside: {} }],
    required: ['outbound']
  }
];

/** The list of all connections, whatever their kind. It cannot change them. */
const ALL_CONNECTIONS = connections('connections');

const LISTS: ReadonlyMap<WebhookKind, Collection> = new Map([
  ['call-control', collectionAt('call_control_applications')],
  ['texml', collectionAt('texml_applications')],
  ['messaging', collectionAt('messaging_profiles')],
  ['fax', collectionAt('fax_applications')],
  ['connection', ALL_CONNECTIONS]
]);

function collectionAt(path: string): Collection {
  const found = findCollection(path);
  if (found === undefined) throw new Error(`There is no collection ${path}`);
  return found;
}

export function findCollection(path: string): Collection | undefined {
  return COLLECTIONS.find((collection) => collection.path === path);
}

/** The collection that lists everything of a kind, or undefined for an unknown word. */
export function listOf(kind: string): Collection | undefined {
  return LISTS.get(kind as WebhookKind);
}

/** Whether a text can be an id of Telnyx: a number or a UUID. Nothing else becomes part of an address. */
export function isResourceId(text: string): boolean {
  return /^[\w-]{1,64}$/.test(text);
}

/** Names and addresses are shown, not used; more of them would only make the dialog slow. */
const LONGEST_SHOWN = 2048;

/**
 * Reads the webhook URLs of one item of a list or an answer.
 *
 * @param value untrusted
 * @returns null when it is not an item with an id; an empty list for an item that another kind lists
 */
export function readSettings(collection: Collection, value: unknown): WebhookSetting[] | null {
  const item = asFields(value);
  const id = asProse(item?.['id']);
  if (item === null || id === null || !isResourceId(id)) return null;
  const own = collection === ALL_CONNECTIONS ? connectionAt(item) : collection;
  if (own === 'listed elsewhere') return [];
  return collection.urls.map(({ field, failover, alongside }) => ({
    collection: own?.path ?? null,
    id,
    name: shown(item[collection.name]) ?? '',
    field,
    url: shown(item[field]),
    failover: failover === undefined ? null : shown(item[failover]),
    alongside: changesOf(item, own === null ? {} : (urlOf(own, field)?.alongside ?? alongside))
  }));
}

/** @returns null for a kind of connection that cannot be changed */
function connectionAt(item: Fields): Collection | 'listed elsewhere' | null {
  const type = asProse(item['record_type'])?.toLowerCase() ?? '';
  const path = type.endsWith('s') ? type : `${type}s`;
  // Telnyx counts applications as connections, too.
  if (path.endsWith('_applications')) return 'listed elsewhere';
  return path.endsWith('_connections') ? (findCollection(path) ?? null) : null;
}

export function urlOf(collection: Collection, field: string): UrlField | undefined {
  return collection.urls.find((url) => url.field === field);
}

function changesOf(item: Fields, wanted: Readonly<Record<string, string>>): FieldChange[] {
  return Object.entries(wanted).flatMap(([field, to]) => {
    const from = shown(item[field]);
    return from?.toLowerCase() === to ? [] : [{ field, from, to }];
  });
}

function shown(value: unknown): string | null {
  return asProse(value)?.slice(0, LONGEST_SHOWN) ?? null;
}
