import path from 'node:path';
import { type FileKey, kindOfFormat } from '../../../src/archive/index/search-entries';
import type { IndexedFile } from '../../../src/archive/index/stored-index';
import { CodedError } from '../../../src/errors/coded-error';
import { type Hold, Holds } from '../../../src/evidence/deletion/holds';
import { withSidecarDetails } from '../../../src/library/content/complete-details';
import { isPlayable } from '../../../src/library/content/media-type';
import { LONGEST_TEXT, textInFile } from '../../../src/library/content/recording-text';
import { type StoredContent, openContent } from '../../../src/library/content/stored-content';
import { Tickets } from '../../../src/library/content/tickets';
import { ArchiveSearch, type FoundFile } from '../../../src/library/search/archive-search';
import { readQuery } from '../../../src/library/search/query';
import { WaveformCache } from '../../../src/library/waveform/waveform-cache';
import { Waveforms } from '../../../src/library/waveform/waveforms';
import { providers } from '../../../src/providers/registry';
import { withoutSecrets } from '../../../src/store/sidecar';
import { locationOf } from '../../../src/store/stored-recording';
import type { AskedFor } from '../../admin/admin-route';
import { type ArchiveState, archiveState } from '../../lib/archive-state';
import type { NodeRedApi } from '../../lib/node-red';
import { stateDirectory } from '../../lib/state';
import { idOfKey, readPosition, textOfPosition } from './archive-request';
import { keptOf } from './kept';
import { recordingLog } from './recording-log';

/** What the holder of a ticket may do with a file. */
export interface MediaGrant {
  key: FileKey;
  use: 'play' | 'save';
  user: string | null;
  /** Of the file when the ticket was issued: a player must not get parts of two files. */
  version: string;
  /** Whether it has been logged. */
  isNoted: boolean;
  /** The answers that are being sent, the first one at the beginning. */
  readonly sending: Set<{ end(): void }>;
}

const PAGE_ROWS = 50;
/** Files of earlier versions that are read at once. */
const READ_STEP = 100;

/** What the routes of the tab share. Nothing is opened before the first request. */
export class ArchiveLibrary {
  readonly tickets = new Tickets<MediaGrant>();
  readonly #RED: NodeRedApi;
  readonly #startWorker: ConstructorParameters<typeof Waveforms>[1];
  #waveforms: Waveforms | undefined;
  #reading: Promise<void> | undefined;
  /** Files of earlier versions that were read so far. */
  #read = 0;

  /** @param startWorker as for `Waveforms` */
  constructor(RED: NodeRedApi, startWorker?: ConstructorParameters<typeof Waveforms>[1]) {
    this.#RED = RED;
    this.#startWorker = startWorker;
  }

  /** @throws CodedError as `archiveState` */
  get #state(): ArchiveState {
    return archiveState(this.#RED);
  }

  /** One page of what a user searches for. One at a time: each takes all the time that it may. */
  async search(asked: AskedFor, signal: AbortSignal): Promise<object> {
    const query = readQuery((name) => asked.value(name));
    const after = readPosition(asked.value('after'));
    const { recordings } = this.#state.facts;
    this.#readEarlier();
    const search = new ArchiveSearch({ recordings, textOf: (found) => textInFile(found, []) });
    const page = await search.page(query, { after, most: PAGE_ROWS }, signal);
    return {
      rows: withoutSecrets(page.found.map((found) => this.#rowOf(found))),
      next: page.next === null ? null : textOfPosition(page.next),
      looked: page.looked,
      providers: providers.names,
      ...(this.#reading !== undefined && { reading: this.#read })
    };
  }

  /** @throws CodedError `BAD_SETTING` when the index does not know the file */
  file(key: FileKey): IndexedFile {
    const file = this.#state.facts.recordings.get(key);
    if (file !== undefined) return file;
    throw new CodedError('BAD_SETTING', 'The archive does not know this file any more. Search again.');
  }

  /** Everything that is known of a file, and its text. */
  async details(key: FileKey): Promise<object> {
    const indexed = this.file(key);
    const file = await withSidecarDetails(key, indexed);
    const { facts, database } = this.#state;
    const { recordings } = facts;
    // The search finds it by what was added from now on; if this fails, the next look adds it again.
    if (file !== indexed)
      await database.commitSoon([recordings.describing(key, file)]).catch(() => undefined);
    const { transcription, ...recording } = file.recording;
    const text = transcription ?? (await textInFile({ key, file }, this.#buckets()));
    return {
      id: idOfKey(key),
      row: withoutSecrets(this.#rowOf({ key, file })),
      cases: this.#cases(key),
      recording: withoutSecrets(recording),
      location: locationOf(recording),
      text: text?.slice(0, LONGEST_TEXT) ?? null,
      plays: isPlayable(recording.format),
      waveform: recording.format === 'wav'
    };
  }

  /** The bytes of a file, as they are. @throws CodedError that says what is wrong */
  async open(key: FileKey, signal?: AbortSignal): Promise<StoredContent> {
    return await openContent({ key, file: this.file(key) }, this.#buckets(), signal);
  }

  /**
   * As `open`, for a file that is as long as when it was stored: another one is not the recording.
   *
   * @throws CodedError that says what is wrong
   */
  async openUnchanged(key: FileKey, signal?: AbortSignal): Promise<StoredContent> {
    const { recording } = this.file(key);
    const content = await this.open(key, signal);
    if (content.size === recording.size) return content;
    await content.close();
    throw new CodedError(
      'STORE_FAILED',
      `${locationOf(recording) ?? 'The file'} was changed: it had ${recording.size} bytes when it was stored, and has ` +
        `${content.size} now. A recording list node that checks stored files can fetch it again.`
    );
  }

  /** @returns null when there is none */
  async waveform(key: FileKey, signal: AbortSignal): Promise<object | null> {
    const { sha256, format } = this.file(key).recording;
    if (format !== 'wav') return null;
    const folder = path.join(stateDirectory(this.#RED), 'waveforms');
    this.#waveforms ??= new Waveforms(new WaveformCache(folder), this.#startWorker);
    return await this.#waveforms.of(sha256, () => this.openUnchanged(key, signal), signal);
  }

  /** What the custody log tells of a recording. @param before where an earlier answer was cut */
  async log(key: FileKey, before: unknown, signal: AbortSignal): Promise<object> {
    return await recordingLog(this.#RED, this.file(key), { before, cases: this.#cases(key), signal });
  }

  #rowOf(found: FoundFile): object {
    const active = this.#cases(found.key).filter(({ releasedAt }) => releasedAt === null);
    return { ...rowOf(found), ...keptOf(found.file.recording, active) };
  }

  /** All cases of a recording, also those that were released. */
  #cases([recording]: FileKey): Hold[] {
    return new Holds(this.#state.database).of(recording);
  }

  #buckets(): Iterable<ArchiveState['buckets'] extends Map<string, infer Store> ? Store : never> {
    return this.#state.buckets.values();
  }

  /** Enters what earlier versions stored into the search, step by step, while the tab is used for the first time. */
  #readEarlier(): void {
    const { facts, database } = this.#state;
    const { recordings } = facts;
    const first = this.#reading === undefined ? recordings.unread(READ_STEP) : null;
    if (first === null) return;
    const read = async (): Promise<void> => {
      for (let step: typeof first | null = first; step !== null; step = recordings.unread(READ_STEP)) {
        await database.commitSoon(step.changes);
        this.#read += step.files;
      }
    };
    // What fails now is tried again with the next search.
    const reading = read()
      .catch(() => undefined)
      .finally(() => (this.#reading = undefined));
    if (first.files > 0) this.#reading = reading;
  }
}

/** What a row of the list shows. */
function rowOf({ key, file: { recording } }: FoundFile): object {
  const { provider, format, from, to, started_at, stored_at, duration_seconds, track, room_name } = recording;
  const hasText = typeof recording.transcription === 'string' || recording.transcription_file !== undefined;
  return {
    id: idOfKey(key),
    at: started_at ?? stored_at,
    provider,
    kind: kindOfFormat(format),
    format,
    from,
    to,
    duration: duration_seconds,
    room: room_name,
    track,
    hasText,
    isSample: recording.sample === true
  };
}
