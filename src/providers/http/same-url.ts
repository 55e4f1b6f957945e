import { parseUrl } from '../../values/fields';

/** Whether two texts are one address; an API may add a slash or write the host in lower case. Null: there is none. */
export function isSameUrl(one: string | null, other: string | null): boolean {
  if (one === other) return true;
  if (one === null || other === null) return false;
  return (parseUrl(one)?.href ?? one) === (parseUrl(other)?.href ?? other);
}
