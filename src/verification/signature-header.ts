import { headerValues } from './header-values';
import { decodeStrictBase64 } from '../text/strict-base64';
import { refuse, type Verdict } from './verdict';

/**
 * The one signature of a delivery, strict base64.
 *
 * @param header its lower-case name
 * @param length bytes of every signature of this scheme
 * @param sender as it is named to the user
 */
export function readSignature(
  rawHeaders: readonly string[],
  header: string,
  length: number,
  sender: string
): { ok: true; signature: Buffer } | (Verdict & { ok: false }) {
  const [text, ...more] = headerValues(rawHeaders, header);
  if (text === undefined) {
    return refuse(
      'MISSING_SIGNATURE',
      `The header ${header} is missing. ${sender} signs every delivery: somebody else sent this request, or a proxy ` +
        'removed the header.'
    );
  }
  const signature = more.length === 0 ? decodeStrictBase64(text) : null;
  if (signature?.length !== length) {
    return refuse(
      'MALFORMED_SIGNATURE',
      `The header ${header} must be one base64 value of ${length} bytes. Somebody else sent this request, or a proxy ` +
        'changed the header.'
    );
  }
  return { ok: true, signature };
}
