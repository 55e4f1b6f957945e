/**
 * The content types of stored files, by their format, which their bytes told when they were stored. Nothing that a
 * browser could run or render as a page is among them.
 */
const TYPES: ReadonlyMap<string, string> = new Map([
  ['mp3', 'audio/mpeg'],
  ['mp2', 'audio/mpeg'],
  ['wav', 'audio/wav'],
  ['ogg', 'audio/ogg'],
  ['flac', 'audio/flac'],
  ['aac', 'audio/aac'],
  ['amr', 'audio/amr'],
  ['m4a', 'audio/mp4'],
  ['mp4', 'video/mp4'],
  ['webm', 'video/webm'],
  ['mkv', 'video/x-matroska'],
  ['mov', 'video/quicktime'],
  ['3gp', 'video/3gpp'],
  ['pdf', 'application/pdf'],
  ['tiff', 'image/tiff']
]);

/** What a browser does not show, but saves. */
const BYTES = 'application/octet-stream';

/** The content type under which a file is sent. */
export function mediaTypeOf(format: string | null): string {
  return TYPES.get(format ?? '') ?? BYTES;
}

/** Whether a file may be played in the editor; all others are only saved. */
export function isPlayable(format: string | null): boolean {
  return /^(audio|video)\//.test(mediaTypeOf(format));
}

const LONGEST_NAME = 150;

/**
 * The name under which a browser saves a file (RFC 6266).
 *
 * @param name from a path or key; any characters
 */
export function dispositionOf(kind: 'inline' | 'attachment', name: string): string {
  const short = name.slice(-LONGEST_NAME).toWellFormed();
  const plain = short.replace(/[^\w.+ -]/g, '_');
  const encoded = encodeURIComponent(short).replace(
    /['()*]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16)}`
  );
  return `${kind}; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
