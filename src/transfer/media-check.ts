import type { MediaKind } from '../recording/recording-reference';
import { mediaSignature } from './media-signature';
import { pageKind } from './page-kind';

export type MediaVerdict = { ok: true; format: string } | { ok: false; code: 'NOT_MEDIA'; message: string };

/** How many first bytes the check wants to see; fewer only when the file is shorter. */
export const HEAD_BYTES = 1024;

const AUDIO_AND_VIDEO = new Set('mp3 wav mp2 aac ogg flac amr m4a mp4 webm mkv 3gp mov'.split(' '));

/** Media of one kind may arrive as any of these; a fax as a picture is still the fax. */
const FORMATS: Record<Exclude<MediaKind, 'attachment'>, ReadonlySet<string>> = {
  audio: AUDIO_AND_VIDEO,
  video: AUDIO_AND_VIDEO,
  track: AUDIO_AND_VIDEO,
  fax: new Set(['pdf', 'tiff'])
};

const WANTED: Record<MediaKind, string> = {
  audio: 'an audio file',
  video: 'a video or audio file',
  track: 'an audio or video track',
  fax: 'a fax (PDF or TIFF)',
  attachment: 'a message attachment'
};

/** Attachments that no signature gives away, by content type. */
const ATTACHMENT_TYPES: ReadonlyMap<string, string> = new Map([
  ['text/plain', 'txt'],
  ['text/vcard', 'vcf'],
  ['text/x-vcard', 'vcf'],
  ['text/calendar', 'ics'],
  ['text/csv', 'csv'],
  ['application/smil', 'smil'],
  ['application/rtf', 'rtf'],
  ['text/rtf', 'rtf'],
  ['audio/mpeg', 'mp3']
]);

/**
 * Decides from content type and first bytes whether a response is the announced media. The bytes
 * have the last word on the format; an error page is refused whatever its content type or status.
 *
 * @param contentType as sent, or null
 * @param head the first bytes (see `HEAD_BYTES`), or the whole body when it is shorter
 */
export function checkMedia(kind: MediaKind, contentType: string | null, head: Uint8Array): MediaVerdict {
  if (head.length === 0) return refusal(kind, 'the response was empty');
  const type = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const page = pageKind(head);
  const smil = kind === 'attachment' && (type === 'application/smil' || page === 'a SMIL document');
  if (smil) return { ok: true, format: 'smil' };
  if (page !== null) return refusal(kind, `${page} arrived`);
  if (isPageType(type)) return refusal(kind, `content of the type "${type}" arrived`);

  const signature = mediaSignature(head);
  if (kind === 'attachment') return { ok: true, format: signature ?? ATTACHMENT_TYPES.get(type) ?? 'bin' };
  if (signature === null)
    return refusal(kind, `the first bytes are of no known format (content type "${shown(type)}")`);
  if (!FORMATS[kind].has(signature)) return refusal(kind, `a file of the format "${signature}" arrived`);
  return { ok: true, format: signature };
}

function refusal(kind: MediaKind, what: string): MediaVerdict {
  return {
    ok: false,
    code: 'NOT_MEDIA',
    message: `Expected ${WANTED[kind]}, but ${what}. Nothing was stored. Open the recording at the provider to see whether it is there.`
  };
}

function isPageType(type: string): boolean {
  return (
    type === 'text/html' ||
    type === 'text/xml' ||
    type === 'application/xml' ||
    type === 'application/xhtml+xml' ||
    type === 'application/json' ||
    type === 'application/problem+json' ||
    type === 'text/json'
  );
}

function shown(type: string): string {
  return type === '' ? 'none' : type.slice(0, 60).replace(/[^\w.+/-]/g, '');
}
