/**
 * What the first bytes of a file say it is. The names are the usual file extensions.
 * Sources: RFC 2361/RIFF, EBU Tech 3306 (RF64), ISO 11172-3 (MPEG audio frame header), ISO 14496-12
 * (`ftyp`), Matroska (EBML), RFC 3533 (Ogg), RFC 4867 (AMR), ISO 32000 (PDF), PNG, JFIF, GIF, WebP.
 *
 * @param head the first bytes; 512 are enough for every signature
 * @returns null when no signature matches
 */
export function mediaSignature(head: Uint8Array): string | null {
  for (const [format, matches] of SIGNATURES) if (matches(head)) return format;
  return isoBaseMedia(head) ?? mpegAudio(head);
}

const SIGNATURES: [string, (head: Uint8Array) => boolean][] = [
  ['wav', (head) => (has(head, 'RIFF') || has(head, 'RF64') || has(head, 'BW64')) && has(head, 'WAVE', 8)],
  ['webp', (head) => has(head, 'RIFF') && has(head, 'WEBP', 8)],
  ['mp3', (head) => has(head, 'ID3') && (head[3] ?? 0xff) < 0xff && (head[4] ?? 0xff) < 0xff],
  ['ogg', (head) => has(head, 'OggS')],
  ['flac', (head) => has(head, 'fLaC')],
  ['amr', (head) => has(head, '#!AMR\n') || has(head, '#!AMR-WB\n')],
  ['webm', (head) => has(head, '\x1a\x45\xdf\xa3') && includes(head, 'webm', 64)],
  ['mkv', (head) => has(head, '\x1a\x45\xdf\xa3')],
  ['pdf', (head) => includes(head, '%PDF-', 1024)],
  ['png', (head) => has(head, '\x89PNG\r\n\x1a\n')],
  ['jpg', (head) => has(head, '\xff\xd8\xff')],
  ['gif', (head) => has(head, 'GIF87a') || has(head, 'GIF89a')],
  ['bmp', (head) => has(head, 'BM') && has(head, '\0\0\0\0', 6)],
  ['tiff', (head) => has(head, 'II*\0') || has(head, 'MM\0*')],
  ['zip', (head) => has(head, 'PK\x03\x04')],
  ['vcf', (head) => has(head, 'BEGIN:VCARD')],
  ['ics', (head) => has(head, 'BEGIN:VCALENDAR')]
];

function isoBaseMedia(head: Uint8Array): string | null {
  if (!has(head, 'ftyp', 4)) return null;
  const brand = text(head, 8, 12);
  if (brand.startsWith('3gp') || brand.startsWith('3g2')) return '3gp';
  if (brand === 'M4A ' || brand === 'M4B ') return 'm4a';
  if (brand === 'qt  ') return 'mov';
  if (['heic', 'heix', 'mif1', 'msf1'].includes(brand)) return 'heic';
  if (brand === 'avif') return 'avif';
  return 'mp4';
}

/**
 * An MPEG audio frame header with no forbidden value: sync, version, layer, bit rate, sample rate.
 * Layer I is left out: nobody records in it, and `ff fe` is also how UTF-16 text begins.
 */
function mpegAudio(head: Uint8Array): string | null {
  const [first = 0, second = 0, third = 0xff] = head;
  if (head.length < 4 || first !== 0xff || (second & 0xe0) !== 0xe0) return null;
  const version = (second >> 3) & 3;
  const layer = (second >> 1) & 3;
  if (layer === 0) return (second & 0xf6) === 0xf0 ? 'aac' : null; // ADTS has layer bits 00
  if (version === 1 || layer === 3) return null;
  const bitRate = third >> 4;
  const sampleRate = (third >> 2) & 3;
  // "Free format" (bit rate 0) has no length that a reader could follow; telephony never uses it.
  if (bitRate === 0 || bitRate === 15 || sampleRate === 3) return null;
  return layer === 1 ? 'mp3' : 'mp2';
}

/**
 * Sizes that recorders write which cannot seek back to correct them: zero, and the largest that fit, some less a
 * header.
 */
function isPlaceholder(size: number): boolean {
  return size === 0 || size >= 0xffff_f000 || (size >= 0x7fff_f000 && size <= 0x8000_1000);
}

/**
 * The size of the whole file as its own header states it, for bodies that come without a length.
 *
 * @returns bytes, or null when the format (or this file) does not state it
 */
export function sizeFromHeader(head: Uint8Array): number | null {
  if (head.length < 28) return null;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (has(head, 'RIFF')) {
    const size = view.getUint32(4, true);
    return isPlaceholder(size) ? null : size + 8;
  }
  if ((has(head, 'RF64') || has(head, 'BW64')) && has(head, 'ds64', 12)) {
    const size = view.getBigUint64(20, true);
    return size > 0n && size < BigInt(Number.MAX_SAFE_INTEGER) ? Number(size) + 8 : null;
  }
  return null;
}

/**
 * Whether the header of a file states more bytes than there are.
 *
 * @param size of the file in bytes
 */
export function lacksBytes(head: Uint8Array, size: number): boolean {
  const stated = sizeFromHeader(head);
  if (stated === null || size >= stated) return false;
  // Some recorders count the eight bytes before the field as well. Then their sound ends with the file.
  return stated - size > 8 || soundEnd(head) !== size;
}

/** Where the sound of a WAV file ends as its `data` chunk states it; null when that is not in the head. */
function soundEnd(head: Uint8Array): number | null {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  for (let at = 12; at + 8 <= head.length;) {
    const size = view.getUint32(at + 4, true);
    if (has(head, 'data', at)) return at + 8 + size;
    // Chunks begin at even positions.
    at += 8 + size + (size & 1);
  }
  return null;
}

function has(head: Uint8Array, signature: string, at = 0): boolean {
  return text(head, at, at + signature.length) === signature;
}

function includes(head: Uint8Array, signature: string, within: number): boolean {
  return text(head, 0, within).includes(signature);
}

function text(head: Uint8Array, from: number, to: number): string {
  return Buffer.from(head.subarray(from, to)).toString('latin1');
}
