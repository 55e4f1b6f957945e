// The storage of recordings in a run, as a process of its own. `/<id>?seconds=<n>&seed=<n>&fault=<fault>` is a WAV file, as
// in plan.ts; faulty ones are wrong at the first request for them. Writes a line of each request to the file that is
// its argument, and prints its port.
import { appendFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cutAfter, promisesMore, rangeOf, type SourceFile, whole } from '../../test/support/source-answers';
import type { MediaLine } from './media-lines';
import { bytesOf, type SourceFault } from './plan';

const [, , file = ''] = process.argv;
/** The time of a slow transfer, in pieces and their pauses. */
const PIECES = { slow: 10, long: 20 } as const;
const PAUSE_MS = 200;
const asked = new Map<string, number>();

function note(id: string, what: MediaLine['what']): void {
  const line: MediaLine = { id, what, time: Date.now() };
  appendFileSync(file, `${JSON.stringify(line)}\n`);
}

const server = createServer((request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://bench');
  const id = pathname.slice(1);
  const times = (asked.get(id) ?? 0) + 1;
  asked.set(id, times);
  note(id, 'asked');
  let isOurs = false;
  response.on('close', () => {
    if (response.writableFinished) note(id, 'sent');
    else if (!isOurs) note(id, 'left');
  });
  const bytes = bytesOf({
    seconds: Number(searchParams.get('seconds')),
    seed: Number(searchParams.get('seed'))
  });
  const source: SourceFile = { bytes, contentType: 'audio/wav', etag: `"${id}"` };
  const fault = searchParams.get('fault') as SourceFault | '';
  if (fault === 'slow' || fault === 'long') {
    slowly(source, PIECES[fault], request, response);
    return;
  }
  isOurs = fault !== '' && times === 1;
  if (!isOurs) whole(source)(request, response);
  else if (fault === 'cut') cutAfter(source, Math.floor(bytes.length / 2))(request, response);
  else if (fault === 'length') promisesMore(source, 5000)(request, response);
  else response.writeHead(500).end('out of order');
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', () => console.log(`port ${(server.address() as AddressInfo).port}`));

function slowly(
  { bytes, contentType, etag }: SourceFile,
  pieces: number,
  request: IncomingMessage,
  response: ServerResponse
): void {
  const from = rangeOf(request);
  response.writeHead(from > 0 ? 206 : 200, {
    'content-type': contentType,
    'content-length': bytes.length - from,
    etag: etag ?? '',
    ...(from > 0 && { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` })
  });
  let sent = from;
  const send = (): void => {
    const end = Math.min(bytes.length, sent + Math.ceil(bytes.length / pieces));
    response.write(bytes.subarray(sent, end));
    sent = end;
    if (sent < bytes.length) return;
    clearInterval(timer);
    response.end();
  };
  const timer = setInterval(send, PAUSE_MS);
  send();
  response.on('close', () => clearInterval(timer));
}
