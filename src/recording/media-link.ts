import { asText } from '../values/fields';
import type { MediaLink } from './recording-reference';

const KNOWN_EXTENSIONS = new Set(['mp3', 'wav', 'mp4', 'webm', 'ogg', 'm4a', 'pdf']);

/** A link whose sender says nothing about its bytes. */
export function mediaLink(url: string, format: string | null): MediaLink {
  return { format, url, sha256: null, size: null };
}

/**
 * @param value a map key, MIME subtype or file ending from outside
 * @returns it in lower case when it can be a file ending, else null
 */
export function asFormat(value: unknown): string | null {
  const text = asText(value)?.toLowerCase();
  return text !== undefined && /^[a-z0-9]{1,8}$/.test(text) ? text : null;
}

/** The format that an address shows by its ending. Only a hint: the bytes decide. */
export function formatOfUrl(url: string): string | null {
  const path = /^[^?#]*/.exec(url)?.[0] ?? '';
  const ending = /\.([A-Za-z0-9]+)$/.exec(path)?.[1]?.toLowerCase();
  return ending !== undefined && KNOWN_EXTENSIONS.has(ending) ? ending : null;
}
