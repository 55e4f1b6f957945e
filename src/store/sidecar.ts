import { CodedError } from '../errors/coded-error';
import { type FileSystem, errnoOf, realFileSystem } from './folder/file-system';
import { removeSecondName, replaceFile, writeNewFile } from './folder/whole-file';
import { storeFault } from './store-fault';

/** Larger files beside a recording are not ours. */
const LARGEST_BYTES = 16 * 1024 * 1024;

/** The details of a stored file: `msg.recording` as JSON. `sha256` identifies its file. */
export type SidecarRecord = Readonly<Record<string, unknown>> & { readonly sha256: string };

export type SidecarFound =
  { ok: true; record: Record<string, unknown> } | { ok: false; reason: 'missing' | 'unreadable' };

/** Where the sidecar of a file is. */
export function sidecarPath(file: string): string {
  return `${file}.json`;
}

/** The text of a sidecar: JSON for people, without the query of any link and without keys. */
export function sidecarText(record: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify(withoutSecrets(record), null, 2)}\n`;
}

/**
 * Writes the sidecar of a stored file, or updates the existing one. Readers see the old or the new one, never
 * half of one. Never touches a file of that name that is not the sidecar of the same bytes.
 *
 * @param file path of the stored file
 * @returns path of the sidecar
 * @throws CodedError `STORE_FAILED`
 */
export async function writeSidecar(
  file: string,
  record: SidecarRecord,
  fs: FileSystem = realFileSystem
): Promise<string> {
  const path = sidecarPath(file);
  const text = sidecarText(record);
  try {
    try {
      await writeNewFile(fs, path, text);
      return path;
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
    await refuseForeign(fs, path, record.sha256);
    await replaceFile(fs, path, text);
    return path;
  } catch (error) {
    throw storeFault(`write the sidecar ${path}`, error);
  }
}

/**
 * Reads the sidecar of a stored file.
 *
 * @throws CodedError `STORE_FAILED` when the disk fails; a missing or damaged sidecar is a result
 */
export async function readSidecar(file: string, fs: FileSystem = realFileSystem): Promise<SidecarFound> {
  const path = sidecarPath(file);
  try {
    const found = await fs.lstat(path);
    if (!found.isFile() || found.size > LARGEST_BYTES) return { ok: false, reason: 'unreadable' };
    // A second name is the temporary one, left by a process that was killed before it could remove it.
    if (found.nlink > 1) await removeSecondName(fs, path, found);
    const record = parsed(await fs.readFile(path, 'utf8'));
    return record === null ? { ok: false, reason: 'unreadable' } : { ok: true, record };
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return { ok: false, reason: 'missing' };
    throw storeFault(`read the sidecar ${path}`, error);
  }
}

async function refuseForeign(fs: FileSystem, path: string, sha256: string): Promise<void> {
  const found = await fs.lstat(path);
  // The reservation of a write that was cut off where the file system has no hard links.
  if (found.isFile() && found.size === 0) return;
  const record =
    found.isFile() && found.size <= LARGEST_BYTES ? parsed(await fs.readFile(path, 'utf8')) : null;
  if (record?.['sha256'] !== sha256)
    throw new CodedError(
      'STORE_FAILED',
      `${path} exists and is not the sidecar of this recording; it was left alone.`
    );
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null;
  }
}

/** Field names that hold secrets wherever they appear, in lower case and without `-` and `_`. */
const SECRET_FIELDS = new Set([
  'authorization',
  'apikey',
  'secret',
  'password',
  'token',
  'accesstoken',
  'signature',
  'url'
]);

/** Characters of the longest of them, however many `-` and `_` are in it. */
const LONGEST_SECRET_NAME = 40;

/** Telnyx API keys (`KEY` + digits and letters) and bearer tokens in running text. */
const KEY_TEXT = /\bKEY[0-9A-F]{16}\w*|\bBearer\s+\S+/gi;

/** Far more levels than any description has; anything deeper is left out. */
const DEEPEST = 100;

/**
 * Copies a JSON value without anything that could grant access: fields named like a secret are dropped, links
 * lose user, query and fragment, API keys are blanked. Dates become ISO 8601, `undefined` goes.
 */
export function withoutSecrets(value: unknown): unknown {
  return copied(value, 0);
}

function copied(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return withoutLinkSecrets(value).replace(KEY_TEXT, '(key removed)');
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= DEEPEST) return null;
  if (Array.isArray(value)) return value.map((item) => copied(item, depth + 1));
  const copy: Record<string, unknown> = {};
  for (const [name, inner] of Object.entries(value))
    if (!isSecretName(name) && name !== '__proto__') copy[name] = copied(inner, depth + 1);
  return copy;
}

function isSecretName(name: string): boolean {
  if (name.slice(-4).toLowerCase() === '_url') return true;
  return name.length <= LONGEST_SECRET_NAME && SECRET_FIELDS.has(name.toLowerCase().replace(/[-_]/g, ''));
}

const SCHEME_END = '://';

/**
 * Removes from each link in a text what signs it or tells who opens it: user and password, query, fragment.
 * Scans the text once, because a stranger can put thousands of links into it.
 */
export function withoutLinkSecrets(text: string): string {
  let at = text.indexOf(SCHEME_END);
  if (at === -1) return text;
  let kept = '';
  let from = 0;
  let isInLink = false;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === COLON && text.startsWith(SCHEME_END, at)) {
      isInLink = true;
      const host = at + SCHEME_END.length;
      at = endOfUser(text, host);
      if (at > host) {
        kept += text.slice(from, host);
        from = at;
      }
    } else if (isInLink && isTail(code)) {
      kept += text.slice(from, at);
      while (at < text.length && !endsLink(text.charCodeAt(at))) at += 1;
      from = at;
    } else {
      isInLink &&= !endsLink(code);
      at += 1;
    }
  }
  return kept + text.slice(from);
}

/** @returns the start of the host: after the last `@` before anything that ends it, or `from` */
function endOfUser(text: string, from: number): number {
  let end = from;
  for (let at = from; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === SLASH || isTail(code) || endsLink(code)) break;
    if (code === AT_SIGN) end = at + 1;
  }
  return end;
}

const [COLON, SLASH, AT_SIGN] = [0x3a, 0x2f, 0x40];

/** `?` and `#`: where signatures and tokens begin. */
function isTail(code: number): boolean {
  return code === 0x3f || code === 0x23;
}

/** White space, quotes, `<` and `>`: where a link ends in running text. */
function endsLink(code: number): boolean {
  if (code > 0x7f) return isOtherBlank(code);
  return code <= 0x20 || code === 0x22 || code === 0x27 || code === 0x3c || code === 0x3e;
}

/** What `\s` matches beyond ASCII. */
function isOtherBlank(code: number): boolean {
  if (code < 0x1680) return code === 0xa0;
  if (code < 0x3000)
    return (
      code === 0x1680 ||
      (code >= 0x2000 && code <= 0x200a) ||
      code === 0x2028 ||
      code === 0x2029 ||
      code === 0x202f ||
      code === 0x205f
    );
  return code === 0x3000 || code === 0xfeff;
}
