import { leadingRun, withoutTrailingSlashes } from '../../../text/edges';

// What the fields of a bucket may hold. The dialog and the runtime check with the same rules.

/** Bytes of UTF-8; leaves half of a key's 1024 to the file name. */
const LONGEST_PREFIX = 512;

/** @param text not blank */
export function isEndpoint(text: string): boolean {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return false;
  }
  const isPlain = [url.username, url.password, url.search, url.hash].every((part) => part === '');
  return /^https?:$/.test(url.protocol) && isPlain;
}

export function isRegion(text: string): boolean {
  return /^[a-z0-9-]*$/i.test(text);
}

/** The names that AWS allows, and the less strict ones of other stores and old buckets. */
export function isBucketName(text: string): boolean {
  return /^[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]$/i.test(text) && !text.includes('..');
}

/** @param text slashes at its ends do not count */
export function isPrefix(text: string): boolean {
  const prefix = withoutOuterSlashes(text);
  if (prefix === '') return true;
  const isOdd = prefix.split('/').some((segment) => segment === '' || segment === '.' || segment === '..');
  return !isOdd && !/[\p{Cc}\\]/u.test(prefix) && new TextEncoder().encode(prefix).length <= LONGEST_PREFIX;
}

/** Whether a kind of encryption uses a key of AWS KMS. */
export function takesKmsKey(sse: string): boolean {
  return sse === 'aws:kms';
}

/** The text without the slashes at its ends. */
export function withoutOuterSlashes(text: string): string {
  return withoutTrailingSlashes(text.slice(leadingRun(text, '/')));
}
