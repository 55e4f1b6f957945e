import type { RuntimeAnswer } from '../../lib/runtime-call';
import { toldError } from '../../lib/told-error';
import type { TabContext } from '../tab';

/** What the list shows of a file. Texts come from calls: they are shown as they are. */
export interface ArchiveRow {
  id: string;
  /** ISO 8601 UTC. */
  at: string;
  provider: string;
  kind: 'audio' | 'video' | 'fax' | 'text' | 'other';
  format: string | null;
  from: string | null;
  to: string | null;
  /** Seconds. */
  duration: number | null;
  room: string | null;
  track: string | null;
  hasText: boolean;
  /** That of a sample event, not of a call. */
  isSample: boolean;
  /** The name of the policy that says how long it is kept; null: none does, though the message may have. */
  policy: string | null;
  /** ISO 8601 UTC; null: no such date. */
  keepUntil: string | null;
  deleteAfter: string | null;
  lockedUntil: string | null;
  lockMode: string | null;
  /** The ids of the cases that hold it. */
  cases: string[];
}

/** A case that a recording belongs to, or belonged to. Times are ISO 8601 UTC. */
export interface HoldCase {
  id: string;
  reason: string;
  by: string;
  at: string;
  releasedBy: string | null;
  releasedAt: string | null;
}

/** A line of the custody log. */
export interface LogLine {
  seq: number;
  /** ISO 8601 UTC. */
  at: string;
  event: string;
  /** `node:<id>`, `user:<hash>`, or a word. */
  actor: string;
  facts: string[];
}

export interface LogReply {
  /** Latest first. */
  lines: LogLine[];
  /** Where the search was cut, and continues; null: the log has no more. */
  next: string | null;
}

export interface SearchReply {
  rows: ArchiveRow[];
  /** Where the search continues; null at its end. */
  next: string | null;
  /** Files that were looked at. */
  looked: number;
  /** The names of all providers. */
  providers: string[];
  /** Files of an earlier version that were read so far, while they are being read. */
  reading?: number;
}

export interface DetailsReply {
  row: ArchiveRow;
  /** Also those that were released. */
  cases: HoldCase[];
  recording: Record<string, unknown>;
  location: string | null;
  text: string | null;
  plays: boolean;
  /** Whether the runtime computes the waveform. */
  waveform: boolean;
}

/** As wavesurfer.js takes them. */
export interface Peaks {
  channels: number[][];
  /** Seconds. */
  duration: number;
}

/** The last line of a check; before it come lines with `read` and `size`. */
export interface CheckedFile {
  sha256: string;
  expected: string;
  /** Bytes now, and when it was stored. */
  size: number;
  stored: number;
}

const PATH = '/telnyx-sidebar/archive';

export function search(
  { write }: TabContext,
  query: Readonly<Record<string, unknown>>
): Promise<RuntimeAnswer<SearchReply>> {
  return write(`${PATH}/search`, query);
}

export function fetchDetails({ write }: TabContext, id: string): Promise<RuntimeAnswer<DetailsReply>> {
  return write(`${PATH}/details`, { id });
}

/** @param before where an earlier answer was cut */
export function fetchLog(
  { write }: TabContext,
  id: string,
  before: string | null
): Promise<RuntimeAnswer<LogReply>> {
  return write(`${PATH}/log`, { id, before });
}

export function fetchPeaks(
  { write }: TabContext,
  id: string
): Promise<RuntimeAnswer<{ peaks: Peaks | null }>> {
  return write(`${PATH}/waveform`, { id });
}

/** @returns the address of the bytes of a file: for some minutes, without a login. Never keep or show it */
export async function fetchAddress(
  { write }: TabContext,
  id: string,
  use: 'play' | 'save'
): Promise<RuntimeAnswer<string>> {
  const answer = await write<{ url: string }>(`${PATH}/ticket`, { id, use });
  if (!answer.ok) return answer;
  return { ok: true, reply: `${RED.settings.apiRootUrl ?? ''}${answer.reply.url}` };
}

/**
 * Has a file read to its end.
 *
 * @param signal ends it early
 * @param onProgress from 0 to 1
 * @returns never rejects
 */
export function checkFile(
  { say }: Pick<TabContext, 'say'>,
  { id, signal }: { id: string; signal: AbortSignal },
  onProgress: (part: number) => void
): Promise<RuntimeAnswer<CheckedFile>> {
  const request = new XMLHttpRequest();
  request.addEventListener('progress', () => {
    const told = lastLine(request.responseText) as { read?: number; size?: number } | null;
    if (told?.read !== undefined && told.size !== undefined && told.size > 0)
      onProgress(told.read / told.size);
  });
  const stop = (): void => request.abort();
  signal.addEventListener('abort', stop, { once: true });
  return new Promise((resolve) => {
    const fail = (line: unknown): void => {
      const { error, code } = (line ?? {}) as { error?: unknown; code?: unknown };
      const text = typeof error === 'string' ? toldError(code, error) : '';
      resolve({ ok: false, error: text || say('not-reached') });
    };
    void $.ajax({
      url: `${PATH.slice(1)}/verify`,
      type: 'POST',
      contentType: 'application/json',
      data: JSON.stringify({ id }),
      dataType: 'text',
      xhr: () => request
    })
      .done((text: string) => {
        const last = lastLine(text) as (CheckedFile & { error?: string }) | null;
        if (last === null || last.error !== undefined) fail(last);
        else resolve({ ok: true, reply: last });
      })
      .fail(({ responseText }) => fail(lastLine(responseText)))
      .always(() => signal.removeEventListener('abort', stop));
  });
}

/** The last complete line of JSON. */
function lastLine(text: string): unknown {
  const lines = text.trim().split('\n');
  for (let line = lines.pop(); line !== undefined; line = lines.pop()) {
    try {
      return JSON.parse(line);
    } catch {
      // Not all of it has arrived.
    }
  }
  return null;
}
