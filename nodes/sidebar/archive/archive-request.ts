import type { FileKey } from '../../../src/archive/index/search-entries';
import { CodedError } from '../../../src/errors/coded-error';
import type { SearchPosition } from '../../../src/library/search/archive-search';
import type { Permission } from '../../admin/permission';

/** Who may see, play and check recordings. A user who may read everything may read this, too. */
export const READ_PERMISSION: Permission = 'telnyx.read';

/** Below the admin root. */
export const ARCHIVE_PATH = '/telnyx-sidebar/archive';

const ID = /^([\w-]{43})\.([\w-]{43})\.([^\s.]{0,40})$/;
const POSITION = /^(-?\d{1,16})\.([^\s]{1,200})$/;

/** The id of a file in the requests of the tab; it tells nothing about the recording. */
export function idOfKey(key: FileKey): string {
  return key.join('.');
}

/** @throws CodedError `BAD_SETTING` when it is no id */
export function readId(value: unknown): FileKey {
  const key = keyOf(value);
  if (key === null) throw new CodedError('BAD_SETTING', 'This is no file of the archive. Search again.');
  return key;
}

function keyOf(value: unknown): FileKey | null {
  const match = typeof value === 'string' ? ID.exec(value) : null;
  return match === null ? null : [match[1] ?? '', match[2] ?? '', match[3] ?? ''];
}

/** Where a search continues, as a text. */
export function textOfPosition({ time, file }: SearchPosition): string {
  return `${time}.${idOfKey(file)}`;
}

/** @returns null at the start. @throws CodedError `BAD_SETTING` */
export function readPosition(value: unknown): SearchPosition | null {
  if (value === undefined || value === null) return null;
  const match = typeof value === 'string' ? POSITION.exec(value) : null;
  const file = keyOf(match?.[2]);
  if (file === null) throw new CodedError('BAD_SETTING', 'The search cannot be continued. Search again.');
  return { time: Number(match?.[1]), file };
}
