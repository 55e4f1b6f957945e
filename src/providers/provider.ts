import { CodedError } from '../errors/coded-error';
import type { HttpClientOptions } from '../http/http-client';
import type { ProxyChoice } from '../http/proxy/proxy-choice';
import type { RecordingOrigin } from '../recording/origin';
import type { RecordingDetails } from '../recording/recording-details';
import type { MediaLink, RecordingReference } from '../recording/recording-reference';
import type { Fields } from '../values/fields';
import type { CircuitBreakers } from './http/circuit-breaker';
import type { ApiPace } from './http/api-pace';
import type { FilterDialect, Query } from './list-filter';
import type { WebhookHealth } from './webhook-health';

/** Why links are wanted: the event had none, or they no longer work. */
export type LinkReason = 'missing' | 'dead';

/** The outcome of a deletion that the API answered. */
export type Deletion =
  | { ok: true; already_gone: boolean }
  /** It is not deleted, or not completely, and never can be from here; `message` explains why. */
  | { ok: false; message: string };

/** What to list. */
export interface ListQuery {
  /** As `readFilter` makes it from the provider's own filters. */
  filter: Query;
  /** The span of time, as the provider dates its recordings. Milliseconds since 1970; null where it is open. */
  from: number | null;
  to: number | null;
  /** The start of the run, which ends an open list. Milliseconds since 1970. */
  begun: number;
  /** Called with the reason why the list waits for the API, and with null when it resumes. Must not throw. */
  onWait: (reason: CodedError | null) => void;
}

/** What a recording has beside its media. */
export interface SideFiles {
  /** Those that can be fetched, one reference each. */
  ready: RecordingReference[];
  /** Those that are announced and not there yet, by their names. */
  missing: string[];
  /** Whether the API says that no more than these will come. */
  isComplete: boolean;
}

/**
 * The recordings of one account at one provider. Each provider is a folder that implements this, and is listed in
 * `registry.ts`. A provider is asked only about references whose `details.provider` is its name.
 *
 * Methods that throw, throw a CodedError, `retryable` when the same request may succeed later, or `signal.reason`
 * when aborted. No message contains a link or a key.
 */
export interface RecordingProvider {
  /**
   * Left out by providers whose links never need a header.
   *
   * @param url of a recording
   * @returns the `Authorization` header that its download needs; undefined when it needs none. The key goes to the host
   *   of the account's API and nowhere else. Never throws.
   */
  authorize?(url: string): string | undefined;

  /**
   * Asks for links to the bytes of a recording.
   *
   * @returns at least one link, the best first; none when the reference names nothing that can be asked for
   * @throws CodedError `NO_RECORDING` (`LINK_EXPIRED` in place of a dead link) when the account, its key or the
   *   recording itself is missing; `API_NOT_FOUND` when the API does not know it; a retryable `LINK_REFUSED` while it
   *   is not finished; as `JsonApi.request`
   */
  resolveLinks(reference: RecordingReference, why: LinkReason, signal: AbortSignal): Promise<MediaLink[]>;

  /**
   * Names the files that a collection stands for. Left out by providers without collections.
   *
   * @param reference with `isCollection`
   * @param isLast the files are not asked for again: what is there now is better than nothing
   * @returns one reference per file, at least one. Those without links are announced, but not there yet
   * @throws CodedError as `resolveLinks`
   */
  expand?(reference: RecordingReference, isLast: boolean, signal: AbortSignal): Promise<RecordingReference[]>;

  /**
   * Adds the API's details of a recording to those of its event. It never overrides the event, and a rejection
   * by the API leaves the details unchanged: missing details do not delay a recording.
   *
   * @returns a copy, or the same object when nothing was added
   * @throws CodedError only when the API may have details later
   */
  completeDetails(reference: RecordingReference, signal: AbortSignal): Promise<RecordingDetails>;

  /**
   * Fetches the text of a recording that an event names but does not contain.
   *
   * @returns null when there is none
   * @throws CodedError as `JsonApi.request`; a retryable `LINK_REFUSED` while the text is not finished
   */
  fetchTranscript(reference: RecordingReference, signal: AbortSignal): Promise<string | null>;

  /**
   * Deletes a recording for good. The caller has read the stored copy back and matched its hash.
   *
   * @param reference as the event gave it
   * @param stored what is known of each of its stored files; left out: nothing
   * @returns ok even when the API no longer knows the recording
   * @throws CodedError as `JsonApi.request`; `NO_RECORDING` for an invalid id
   */
  deleteRecording(
    reference: RecordingReference,
    signal: AbortSignal,
    stored?: readonly StoredOrigin[]
  ): Promise<Deletion>;

  /**
   * Lists the recordings of the account, batch by batch. Requests that fail temporarily are repeated.
   *
   * @returns each recording once, as the API describes it (see `RecordingOrigin.fromListed`)
   * @throws CodedError while it is read: as `JsonApi.request`; `LIST_INCOMPLETE` when the list cannot be complete
   */
  listRecordings(query: ListQuery, signal: AbortSignal): AsyncIterable<ListedBatch>;

  /**
   * Lists the transcripts of the account, as `listRecordings` does. Left out by providers that do not list them.
   *
   * @returns each transcript once, as the API describes it (see `RecordingOrigin.transcripts`)
   */
  listTranscripts?(query: ListQuery, signal: AbortSignal): AsyncIterable<ListedBatch>;

  /**
   * Left out by providers whose recordings have nothing beside them.
   *
   * @param reference of a stored recording
   * @returns until when files that belong to it may still come, in milliseconds since 1970; null when it has none,
   *   or nothing can be asked
   */
  sideFilesUntil?(reference: RecordingReference, now: number): number | null;

  /**
   * Looks for the files that a recording has beside its media, which come later than it.
   *
   * @throws CodedError as `resolveLinks`
   */
  findSideFiles?(reference: RecordingReference, signal: AbortSignal): Promise<SideFiles>;

  /** Ends connections and requests under way. Never throws. */
  close(): Promise<void>;
}

/** What an account of a provider holds. */
export interface ProviderAccount {
  /** Without a trailing slash. */
  readonly apiUrl: string;
  /**
   * A secret; a function, so that nothing prints it by accident. Null when unset. An edited account is a new
   * object.
   */
  apiKey(): string | null;
  /** Which proxy leads to the API. Null or left out: it is contacted directly. */
  readonly proxy?: ProxyChoice | null;
  /** Shared by all that ask the API with this key. Left out: each paces itself. */
  readonly pace?: ApiPace;
}

/** The customer's own bucket, into which a provider puts files. */
export interface OwnBucket {
  /**
   * @param key the complete key of an object
   * @returns a signed link to it
   * @throws CodedError
   */
  link(key: string): Promise<string>;
}

/** The customer's own storage, where recordings may be that a provider has no copy of. */
export interface OwnStorage {
  /** Whether an address leads there. */
  hasAddress(url: string): boolean;
  /** Whether a host serves it. */
  hasHost(host: string): boolean;
}

/** What is known of a stored file. */
export type StoredOrigin = RecordingDetails & {
  /** The host that it came from. */
  source_host?: string;
};

export interface ProviderOptions {
  /** Shared by all users of the same API. Default: a separate one. */
  breakers?: CircuitBreakers;
  /** As `HttpClientOptions.onDate`, for the answers of the API. */
  onDate?: HttpClientOptions['onDate'];
  /** Null or left out when none is chosen. */
  ownBucket?: OwnBucket | null;
  /** What is known of the customer's own storage. Left out: nothing. */
  ownStorage?: OwnStorage;
}

/** Everything about a provider without an account, as registered. */
export interface ProviderDefinition extends RecordingOrigin {
  /** Its name in texts for people. */
  readonly label: string;
  /** How its lists are filtered. */
  readonly filters: FilterDialect;
  /** How its lists of transcripts are filtered. Left out by providers that do not list them. */
  readonly transcriptFilters?: FilterDialect;
  /**
   * @param account null when none is chosen: functions that need none still work, all others report what is
   *   missing
   * @throws CodedError `BAD_SETTING` when the account's API address cannot be used
   */
  open(account: ProviderAccount | null, options: ProviderOptions): RecordingProvider;
  /**
   * Left out by providers whose API says nothing of webhooks.
   *
   * @throws CodedError `BAD_SETTING` when the account's API address cannot be used
   */
  openHealth?(account: ProviderAccount, options: ProviderOptions): WebhookHealth;
}

/** Some recordings or transcripts as a provider lists them. None is in two batches of a list. */
export interface ListedBatch {
  items: readonly Fields[];
  /** Why some may be missing from this batch; null when it is whole. */
  gap: CodedError | null;
  /** Everything up to this time was listed; null when the list is not in chronological order. Milliseconds since 1970. */
  through: number | null;
}

/** The error of a list of transcripts at a provider that has none. */
export function withoutTranscripts({ label }: { label: string }): CodedError {
  return new CodedError(
    'BAD_SETTING',
    `The transcripts of ${label} cannot be listed. Set "List" to recordings in the node.`
  );
}

/** The error of a list that was asked for without an account. */
export function withoutAccount({ label }: { label: string }): CodedError {
  return new CodedError(
    'BAD_SETTING',
    `No ${label} account is chosen, or the chosen one is missing or disabled. ` +
      'The list is asked for with the API key of an account: choose one in the node.'
  );
}
