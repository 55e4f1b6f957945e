import {
  MAX_DEPTH,
  hasMoreValues,
  isTooDeep,
  mayHavePrototype,
  sanitiseJson
} from '../../events/reading/parse-body';
import type { HttpBody } from '../../http/http-response';

export type JsonBody = { ok: true; value: unknown } | { ok: false; reason: string };

/** A page of 250 recordings has about ten thousand. */
const MOST_VALUES = 100_000;

/**
 * Reads a JSON body of limited size, and destroys what is beyond the limit. An empty body is null.
 *
 * @param limit bytes
 * @throws the error that breaks the connection
 */
export async function readJsonBody(body: HttpBody, limit: number): Promise<JsonBody> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) return { ok: false, reason: `more than ${limit} bytes` };
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  if (text.trim() === '') return { ok: true, value: null };
  const tooDeep = { ok: false, reason: `JSON that is nested deeper than ${MAX_DEPTH} levels` } as const;
  if (isTooDeep(text)) return tooDeep;
  if (hasMoreValues(text, MOST_VALUES))
    return { ok: false, reason: `JSON of more than ${MOST_VALUES} values` };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, reason: 'something that is not JSON' };
  }
  // Lists of recordings are passed to flows unchanged.
  return mayHavePrototype(text) && !sanitiseJson(value) ? tooDeep : { ok: true, value };
}
