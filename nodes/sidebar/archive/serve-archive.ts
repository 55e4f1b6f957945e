import { CodedError } from '../../../src/errors/coded-error';
import { isPlayable } from '../../../src/library/content/media-type';
import { hashStream } from '../../../src/store/hash-stream';
import {
  type AdminRoute,
  type AskedFor,
  type Asking,
  requestTurns,
  serveWrite
} from '../../admin/admin-route';
import type { NodeRedApi } from '../../lib/node-red';
import { ArchiveLibrary } from './archive-library';
import { ARCHIVE_PATH, READ_PERMISSION, readId } from './archive-request';
import { serveMedia } from './media-route';

/** Milliseconds between two reports of how far a file has been read. */
const REPORT_MS = 300;
/** What takes long. Waveforms are computed one at a time as well, but those that are known need not wait. */
const LONG_TURNS = {
  log: { atOnce: 1, ofOwner: 1, waiting: 20 },
  search: { atOnce: 1, ofOwner: 1, waiting: 20 },
  waveform: { atOnce: 2, ofOwner: 1, waiting: 20 },
  verify: { atOnce: 2, ofOwner: 1, waiting: 20 }
};

/**
 * Registers the routes of the tab *Archive*: search, details, playing, waveforms, checking, the custody log.
 *
 * @param stalledMs as for `serveMedia`
 */
export function serveArchive(
  RED: NodeRedApi,
  library = new ArchiveLibrary(RED),
  { stalledMs }: { stalledMs?: number } = {}
): void {
  const routes: Record<string, Pick<AdminRoute<object>, 'run' | 'turns'>> = {
    search: {
      run: (asked, { signal }) => library.search(asked, signal),
      turns: requestTurns(LONG_TURNS.search)
    },
    details: { run: (asked) => library.details(readId(asked.value('id'))) },
    log: {
      run: (asked, { signal }) => library.log(readId(asked.value('id')), asked.value('before'), signal),
      turns: requestTurns(LONG_TURNS.log)
    },
    waveform: {
      run: async (asked, { signal }) => ({
        peaks: await library.waveform(readId(asked.value('id')), signal)
      }),
      turns: requestTurns(LONG_TURNS.waveform)
    },
    ticket: { run: (asked, asking) => ticketFor(library, asked, asking) },
    verify: {
      run: (asked, asking) => verify(library, asked, asking),
      turns: requestTurns(LONG_TURNS.verify)
    }
  };
  // They change nothing; but what is searched for does not belong into the logs of proxies, as part of an address.
  for (const [name, route] of Object.entries(routes))
    serveWrite(RED, {
      ...route,
      path: `${ARCHIVE_PATH}/${name}`,
      permission: READ_PERMISSION,
      failed: 'The archive could not be read. Try again, or restart Node-RED.'
    });
  serveMedia(RED, library, stalledMs);
}

/** @throws CodedError when the file cannot be played or saved, so that the user learns why */
async function ticketFor(
  library: ArchiveLibrary,
  asked: AskedFor,
  { user, signal }: Asking
): Promise<object> {
  const key = readId(asked.value('id'));
  const use = asked.text('use') === 'save' ? 'save' : 'play';
  if (use === 'play' && !isPlayable(library.file(key).recording.format))
    throw new CodedError('BAD_SETTING', 'A file of this kind cannot be played. Download it.');
  const content = await library.openUnchanged(key, signal);
  await content.close();
  const { version } = content;
  const ticket = library.tickets.issue({ key, use, user, version, isNoted: false, sending: new Set() }, user);
  return { url: `${ARCHIVE_PATH.slice(1)}/media/${ticket}` };
}

/**
 * Reads a file to its end. Sends lines of JSON meanwhile: `{read, size}`, and `{sha256, expected, size, stored}` or
 * `{error, code}` at the end.
 */
async function verify(
  library: ArchiveLibrary,
  asked: AskedFor,
  { signal, response }: Asking
): Promise<object> {
  const key = readId(asked.value('id'));
  const { recording } = library.file(key);
  const content = await library.open(key, signal);
  const say = (line: object): void => void response.write(`${JSON.stringify(line)}\n`);
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' });
  try {
    let read = 0;
    let told = 0;
    const counted = async function* (): AsyncGenerator<Uint8Array> {
      for await (const piece of content.read(0, content.size, signal)) {
        yield piece;
        read += piece.length;
        if (performance.now() - told < REPORT_MS) continue;
        told = performance.now();
        say({ read, size: content.size });
      }
    };
    const { sha256, size } = await hashStream(counted(), signal);
    say({ sha256, expected: recording.sha256, size, stored: recording.size });
  } catch (error) {
    say(
      error instanceof CodedError
        ? { error: error.message, code: error.code }
        : { error: 'The file could not be read to its end.', code: 'UNEXPECTED' }
    );
  } finally {
    await content.close();
    response.end();
  }
  return {};
}
