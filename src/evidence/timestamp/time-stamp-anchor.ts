import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { CodedError } from '../../errors/coded-error';
import { HttpClient } from '../../http/http-client';
import type { HttpBody } from '../../http/http-response';
import type { ProxyChoice } from '../../http/proxy/proxy-choice';
import { realFileSystem } from '../../store/folder/file-system';
import { replaceFile } from '../../store/folder/whole-file';
import { parseUrl } from '../../values/fields';
import { type SignedCheckpoint, checkpointFile, readCheckpoint, stampFile } from '../custody/checkpoint';
import type { Anchor } from '../custody/custody';
import { type CustodyEntry, sha256Hex } from '../custody/custody-line';
import { custodyFiles } from '../custody/custody-reader';
import { LARGEST_REPLY, judgeStamp, timeStampQuery } from './time-stamp';

/** A time-stamping authority, as it was set. */
export interface Authority {
  /** As `timeStampUrl` returns it. */
  url: URL;
  proxy: ProxyChoice | null;
}

/** Checkpoints that are stamped in one go; each covers those before it. */
const MOST_AT_ONCE = 10;

/** Milliseconds for one time stamp, from the connection to the last byte. */
const LONGEST_MS = 60_000;

/**
 * Reads the address of a time-stamping authority. Plain http is allowed, as most of them have nothing else: what comes back is
 * signed, and nothing but a hash is sent.
 *
 * @throws CodedError `BAD_SETTING`
 */
export function timeStampUrl(text: string): URL {
  const url = parseUrl(text);
  const problem =
    url === null
      ? 'it is not a complete address'
      : url.protocol !== 'https:' && url.protocol !== 'http:'
        ? 'it is neither https nor http'
        : url.username !== '' || url.password !== ''
          ? 'it holds a user name or password'
          : null;
  if (url !== null && problem === null) return url;
  throw new CodedError(
    'BAD_SETTING',
    `The address of the time-stamping authority cannot be used: ${problem}. Expected one like https://tsa.example.com/tsr.`
  );
}

/** Has checkpoints stamped by an authority (RFC 3161), and keeps each time stamp beside its checkpoint. */
export class TimeStampAnchor implements Anchor {
  readonly #authority: () => Authority | null;
  readonly #longestMs: number;

  /**
   * @param authority asked each time; null: none is set, and nothing is stamped
   * @param longestMs milliseconds that one time stamp may take
   */
  constructor(authority: () => Authority | null, longestMs = LONGEST_MS) {
    this.#authority = authority;
    this.#longestMs = longestMs;
  }

  async missing(directory: string): Promise<readonly SignedCheckpoint[]> {
    if (this.#authority() === null) return [];
    const there = new Set(await readdir(directory));
    const found: SignedCheckpoint[] = [];
    // The latest first: it covers all others.
    for (const file of (await custodyFiles(directory)).reverse()) {
      if (found.length === MOST_AT_ONCE) break;
      const checkpoint = there.has(stampFile(checkpointFile(file)))
        ? null
        : await readCheckpoint(directory, file);
      if (checkpoint?.checkpoint != null) found.push(checkpoint);
    }
    return found;
  }

  async stamp(directory: string, { name, bytes, sha256 }: SignedCheckpoint): Promise<CustodyEntry> {
    const authority = this.#authority();
    if (authority === null) throw notStamped('no authority is set any more');
    const { query, nonce } = timeStampQuery(Buffer.from(sha256, 'hex'), randomBytes(8));
    const reply = await this.#ask(authority, query);
    const verdict = judgeStamp(reply, bytes, { nonce, roots: [] });
    if (!verdict.ok) throw notStamped(`its answer is no time stamp of it. ${verdict.text}`);
    await replaceFile(realFileSystem, path.join(directory, stampFile(name)), reply);
    const details = { file: name, stamp_sha256: sha256Hex(reply), stamped_at: verdict.at };
    return { event: 'anchored', actor: 'log', sha256, details };
  }

  async #ask({ url, proxy }: Authority, query: Buffer): Promise<Buffer> {
    // Once a day: no connection is worth keeping.
    const http = new HttpClient({ wanted: 'time stamp', proxy });
    const late = notStamped(`${url.host} did not answer in time`);
    const end = new AbortController();
    const timer = setTimeout(() => end.abort(late), this.#longestMs).unref();
    try {
      const { status, body } = await http.request({
        ...{ origin: url.origin, path: `${url.pathname}${url.search}`, method: 'POST', body: query },
        headers: {
          'content-type': 'application/timestamp-query',
          'content-length': String(query.length),
          accept: 'application/timestamp-reply'
        },
        signal: end.signal
      });
      if (status !== 200) throw notStamped(`${url.host} answered with HTTP ${status}`);
      return await wholeBody(body, url.host);
    } finally {
      clearTimeout(timer);
      http.destroy();
    }
  }
}

async function wholeBody(body: HttpBody, host: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > LARGEST_REPLY) throw notStamped(`${host} sent more than ${LARGEST_REPLY} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function notStamped(why: string): CodedError {
  return new CodedError(
    'LINK_REFUSED',
    `A checkpoint of the custody log got no time stamp: ${why}. It is tried again within an hour; if this goes on, look at ` +
      'the address of the authority.',
    { retryable: true }
  );
}
