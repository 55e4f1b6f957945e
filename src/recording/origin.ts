import type { Fields } from '../values/fields';
import type { ApiResource, MediaKind, RecordingReference } from './recording-reference';

/** Whether a listed item has something to fetch: now, later, or never. */
export type ListedState = 'ready' | 'not-ready' | 'without-file';

/** What the items of a provider's list of transcripts are like. Items are untrusted; nothing throws. */
export interface ListedTranscripts {
  /** @returns its id in the API; null when it has none */
  idOf(item: Fields): string | null;
  /**
   * What an item stands for: its text, to be filed beside a recording (`transcription`, `transcription_id`), or a
   * file of its own.
   *
   * @returns empty when it names nothing that can be stored
   */
  fromListed(item: Fields): RecordingReference[];
  stateOf(item: Fields): ListedState;
}

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
  /** Left out by providers that do not list transcripts. */
  readonly transcripts?: ListedTranscripts;
  /**
   * What else is known of a stored file by its identity. Left out by providers whose identities say no more.
   *
   * @returns null when the identity says no more
   */
  restored?(identity: string): Partial<RecordingReference> | null;
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
