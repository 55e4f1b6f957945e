import type { Fields } from '../values/fields';
import type { ApiResource, MediaKind, RecordingReference } from './recording-reference';

/** What a provider's recordings are like, as far as that is known without its API. */
export interface RecordingOrigin {
  /** As in `msg.provider`, sidecars and identities: lower case, digits and `-`. Never changes: it is on disk. */
  readonly name: string;
  /** The kind of a recording whose format does not show it. */
  readonly usualKind: Extract<MediaKind, 'audio' | 'video'>;
  /** Whether links show their format, so that one recording can be stored in several. */
  readonly hasFormatsInLinks: boolean;
  /**
   * What an item of the provider's list stands for.
   *
   * @param item as the API listed it; untrusted
   * @returns one reference per file; empty when the item has no id. Never throws.
   */
  fromListed(item: Fields): RecordingReference[];
  /** The kind of API resource that an event of this type announces. Left out by providers that have only one. */
  resourceOf?(eventType: string | null): ApiResource;
}

/** The providers whose recordings can be archived. */
export interface RecordingOrigins {
  /** The origin of what names no provider. */
  readonly usual: RecordingOrigin;
  /** @param name from outside @returns undefined when no provider has that name */
  find(name: unknown): RecordingOrigin | undefined;
}
