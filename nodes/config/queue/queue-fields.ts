// The valid settings of a queue, shared by the runtime and the dialog. The first choice is the default.

/** What happens to deliveries and jobs while Redis is away. */
export const AWAY = ['hold', 'refuse'] as const;

export const DEFAULT_PREFIX = 'telnyx';

/** Bytes of an encryption key. */
export const KEY_BYTES = 32;

export type UrlFault = 'url' | 'url-password';

/**
 * What is wrong with the address of a Redis.
 *
 * @param text not blank
 * @returns `url-password`: it holds a password, which the field of an exported flow must not
 */
export function urlFault(text: string): UrlFault | null {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return 'url';
  }
  if (!/^rediss?:$/.test(url.protocol) || url.hostname === '' || !/^(?:\/\d{0,4})?$/.test(url.pathname))
    return 'url';
  return url.password === '' ? null : 'url-password';
}

/** The prefix becomes part of each key in Redis, where braces and colons have a meaning of their own. */
export function isQueuePrefix(text: string): boolean {
  return /^[\w.-]{1,64}$/.test(text);
}

/** Whether a text is base64 of exactly 32 bytes: the last digit holds four bits. */
export function isEncryptionKey(text: string): boolean {
  return /^[\d+/A-Za-z]{42}[048AEIMQUYcgkosw]=$/.test(text);
}
