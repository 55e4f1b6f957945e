import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { FairPlaces } from '../../../src/concurrency/fair-places';
import type { IndexedFile } from '../../../src/archive/index/stored-index';
import { CodedError } from '../../../src/errors/coded-error';
import { type CustodyEntry, recordingName, sha256Hex } from '../../../src/evidence/custody/custody-line';
import { mediaAnswer } from '../../../src/library/content/media-answer';
import { dispositionOf, mediaTypeOf } from '../../../src/library/content/media-type';
import { locationOf } from '../../../src/store/stored-recording';
import { shownText } from '../../../src/text/shown-text';
import { isFromAnotherSite } from '../../admin/admin-route';
import { custodyOf } from '../../lib/custody';
import type { NodeRedApi } from '../../lib/node-red';
import type { ArchiveLibrary, MediaGrant } from './archive-library';
import { ARCHIVE_PATH } from './archive-request';

/** Of all answers: whatever the bytes are, a browser runs and shows nothing of them as a page of the editor. */
const SAFE_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': "default-src 'none'; sandbox",
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'cache-control': 'private, no-store'
};

/** Files sent at the same time. When all places are taken, the user with the most gives one up to a user with fewer. */
const MOST_AT_ONCE = 50;
/** Of them with one ticket; a browser opens no more to one server. */
const MOST_OF_TICKET = 6;
/** Milliseconds after which a connection that takes nothing is closed. A player that continues asks for the rest. */
const STALLED_MS = 120_000;

/**
 * Serves the bytes of files to the holders of tickets. The ticket is the permission: a player sends no token.
 *
 * Answers 200 or 206, 304, 416; 404 when the ticket has ended, or the file is not there or was changed; 503 with
 * `Retry-After` when too many files are being sent.
 *
 * @param stalledMs milliseconds after which a connection that takes nothing is closed
 */
export function serveMedia(RED: NodeRedApi, library: ArchiveLibrary, stalledMs = STALLED_MS): void {
  const places = new FairPlaces(MOST_AT_ONCE);
  RED.httpAdmin.get(`${ARCHIVE_PATH}/media/:ticket`, (request, response) => {
    const refuse = (status: number, text: string, more: Record<string, string> = {}): void => {
      if (response.headersSent) return void response.destroy();
      response.writeHead(status, { ...SAFE_HEADERS, 'content-type': 'text/plain; charset=utf-8', ...more });
      response.end(request.method === 'HEAD' ? undefined : text);
    };
    if (isFromAnotherSite(request)) return refuse(403, 'Requests from other sites are refused.');
    const grant = library.tickets.redeem(ticketOf(request));
    if (grant === undefined) return refuse(404, 'The address has ended. Open the recording again.');
    const [oldest] = grant.sending;
    if (grant.sending.size >= MOST_OF_TICKET) oldest?.end();
    const leave = places.take(grant.user, () => sending.end());
    if (leave === null)
      return refuse(503, 'Many recordings are being played. Try again in a minute.', { 'retry-after': '30' });
    const sending = {
      end: (): void => {
        leave();
        grant.sending.delete(sending);
        response.destroy();
      }
    };
    grant.sending.add(sending);
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    // Players that stopped reading would hold all places.
    response.setTimeout(stalledMs, () => response.destroy());
    const note = (text: string, entry: CustodyEntry): void => {
      RED.log.info(text);
      custodyOf(RED).record(entry);
    };
    send({ library, grant, request, response, signal: gone.signal }, note)
      .catch((error: unknown) => {
        const why = error instanceof CodedError ? error.message : 'It cannot be read.';
        // The player is told nothing of what fails after the head of the answer.
        if (response.headersSent) RED.log.warn(`A recording was not sent to its end. ${why}`);
        refuse(404, why);
      })
      .finally(() => {
        leave();
        grant.sending.delete(sending);
      });
  });
}

function ticketOf(request: IncomingMessage): string {
  return (request as { params?: Record<string, string | undefined> }).params?.['ticket'] ?? '';
}

interface Sending {
  library: ArchiveLibrary;
  grant: MediaGrant;
  request: IncomingMessage;
  response: ServerResponse;
  /** Fires when the player has gone. */
  signal: AbortSignal;
}

async function send(
  { library, grant, request, response, signal }: Sending,
  note: (text: string, entry: CustodyEntry) => void
): Promise<void> {
  const file = library.file(grant.key);
  const { recording } = file;
  const content = await library.openUnchanged(grant.key, signal);
  try {
    if (content.version !== grant.version)
      throw new CodedError('STORE_FAILED', 'The file was replaced meanwhile. Open the recording again.');
    const { status, headers, bytes } = mediaAnswer(request.headers, {
      size: content.size,
      etag: `"${recording.sha256}"`
    });
    const name = (recording.path ?? recording.key ?? '').split(/[/\\]/).at(-1) ?? '';
    response.writeHead(status, {
      ...SAFE_HEADERS,
      'content-type': mediaTypeOf(recording.format),
      'content-disposition': dispositionOf(grant.use === 'save' ? 'attachment' : 'inline', name),
      ...headers
    });
    if (bytes === null || request.method === 'HEAD') return void response.end();
    if (!grant.isNoted)
      note(noteOf(grant, recording.recording_id ?? locationOf(recording)), entryOf(grant, file));
    grant.isNoted = true;
    // The player ends the connection when it wants another part.
    await pipeline(
      Readable.from(content.read(bytes.start, bytes.end, signal), { objectMode: false }),
      response
    ).catch((error: unknown) => {
      if (error instanceof CodedError || !response.destroyed) throw error;
    });
  } finally {
    await content.close();
  }
}

/** Once for each playback, not for each part of a file. */
function noteOf({ use, user }: MediaGrant, recording: string | null): string {
  const who = user === null ? 'A user of the editor' : `The user ${shownText(user)}`;
  return `${who} ${use === 'play' ? 'plays' : 'saves'} the recording ${shownText(recording ?? '')}.`;
}

/** The log knows users by the SHA-256 of their name. */
function entryOf({ use, user }: MediaGrant, { identity, recording }: IndexedFile): CustodyEntry {
  const { recording_id, sha256, version_id } = recording;
  return {
    event: use === 'play' ? 'played' : 'exported',
    recording: recordingName(recording_id, identity),
    sha256,
    versionId: version_id ?? null,
    actor: user === null ? 'editor' : `user:${sha256Hex(user)}`
  };
}
