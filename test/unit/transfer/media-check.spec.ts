import should from 'should';
import type { MediaKind } from '../../../src/recording/recording-reference';
import { checkMedia, lacksBytes, mediaSignature, sizeFromHeader } from '../../../src/transfer/media-check';
import { wav } from '../../support/media';
import { processorMsSince } from '../../support/processor-time';

function latin(text: string): Buffer {
  return Buffer.concat([Buffer.from(text, 'latin1'), Buffer.alloc(600)]);
}

describe('transfer/media-signature', () => {
  const formats: [string, Buffer][] = [
    ['mp3', latin('ID3\x04\x00\x00\x00\x00\x00\x21')],
    ['mp3', latin('\xff\xfb\x90\x64')], // MPEG 1 layer III 128 kbit/s 44.1 kHz
    ['mp3', latin('\xff\xf3\x48\xc4')], // MPEG 2 layer III 24 kHz
    ['mp3', latin('\xff\xe3\x18\xc4')], // MPEG 2.5 layer III 8 kHz
    ['mp2', latin('\xff\xfd\x84\x04')],
    ['wav', wav()],
    ['wav', latin('RF64\xff\xff\xff\xffWAVEds64')],
    ['mp4', latin('\0\0\0\x20ftypisom')],
    ['m4a', latin('\0\0\0\x20ftypM4A ')],
    ['3gp', latin('\0\0\0\x18ftyp3gp4')],
    ['mov', latin('\0\0\0\x18ftypqt  ')],
    ['heic', latin('\0\0\0\x18ftypheic')],
    ['webm', latin('\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm')],
    ['mkv', latin('\x1a\x45\xdf\xa3\x9f\x42\x82\x88matroska')],
    ['ogg', latin('OggS\0\x02')],
    ['flac', latin('fLaC')],
    ['amr', latin('#!AMR\n')],
    ['aac', latin('\xff\xf1\x50\x80')],
    ['pdf', latin('%PDF-1.7\n')],
    ['pdf', latin('\n\n%PDF-1.4\n')],
    ['jpg', latin('\xff\xd8\xff\xe0\0\x10JFIF')],
    ['png', latin('\x89PNG\r\n\x1a\n')],
    ['gif', latin('GIF89a')],
    ['webp', latin('RIFF\x10\0\0\0WEBPVP8 ')],
    ['tiff', latin('II*\0')],
    ['vcf', latin('BEGIN:VCARD\r\n')]
  ];
  for (const [format, head] of formats)
    it(`recognises ${format} by ${head.subarray(0, 8).toString('hex')}`, () => {
      should(mediaSignature(head)).equal(format);
    });

  const unknown: [string, Buffer][] = [
    ['no bytes', Buffer.alloc(0)],
    ['zeros', Buffer.alloc(600)],
    ['text', latin('hello')],
    ['a frame with a forbidden bit rate', latin('\xff\xfb\xf0\x64')],
    ['a frame of free format, which has no length', latin('\xff\xfb\x00\x64')],
    ['a frame with a forbidden sample rate', latin('\xff\xfb\x9c\x64')],
    ['a frame of a reserved version', latin('\xff\xeb\x90\x64')],
    ['three bytes of a frame', Buffer.from([0xff, 0xfb, 0x90])],
    ['UTF-16 JSON', Buffer.from('\ufeff{"errors":[]}', 'utf16le')],
    ['UTF-16 HTML', Buffer.from('\ufeff<html>', 'utf16le')],
    ['a RIFF of something else', latin('RIFF\x10\0\0\0AVI LIST')]
  ];
  for (const [what, head] of unknown)
    it(`does not accept ${what} as media`, () => {
      should(mediaSignature(head)).equal(null);
    });

  it('reads the size stated in WAV files', () => {
    const file = wav({ seconds: 1 });
    should(sizeFromHeader(file.subarray(0, 512))).equal(file.length);
    const open = Buffer.from(file);
    open.writeUInt32LE(0xffffffff, 4);
    should(sizeFromHeader(open)).equal(null);
    open.writeUInt32LE(0, 4);
    should(sizeFromHeader(open)).equal(null);
    const rf64 = latin('RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0');
    rf64.writeBigUInt64LE(5_000_000_000n, 20);
    should(sizeFromHeader(rf64)).equal(5_000_000_008);
    should(sizeFromHeader(latin('\xff\xfb\x90\x64'))).equal(null);
    should(sizeFromHeader(Buffer.from('RIFF'))).equal(null);
  });

  it('ignores the placeholder size of a recorder that cannot seek back', () => {
    const open = wav();
    for (const size of [0, 0xffff_ffff, 0xffff_ffff - 36, 0x7fff_ffff, 0x7fff_ffff - 36, 0x8000_0000]) {
      open.writeUInt32LE(size, 4);
      should(sizeFromHeader(open)).equal(null);
      should(lacksBytes(open, 100)).be.false();
    }
  });

  it('notices from the header that bytes are missing', () => {
    const file = wav();
    should(lacksBytes(file, file.length)).be.false();
    should(lacksBytes(file, file.length + 1)).be.false();
    for (const missing of [1, 2, 8, 9, 1000]) should(lacksBytes(file, file.length - missing)).be.true();
    // As written by recorders that count the whole file.
    file.writeUInt32LE(file.length, 4);
    should(lacksBytes(file, file.length)).be.false();
    should(lacksBytes(file, file.length - 1)).be.true();
    const rf64 = latin('RF64\xff\xff\xff\xffWAVEds64\x1c\0\0\0');
    rf64.writeBigUInt64LE(5_000_000_000n, 20);
    should([5_000_000_008, 5_000_000_000, 44].map((size) => lacksBytes(rf64, size))).eql([false, true, true]);
    should(lacksBytes(latin('\xff\xfb\x90\x64'), 4)).be.false();
    should(lacksBytes(new Uint8Array(), 0)).be.false();
  });
});

describe('transfer/media-check', () => {
  function verdict(kind: MediaKind, type: string | null, head: Buffer): string {
    const found = checkMedia(kind, type, head);
    return found.ok ? found.format : found.code;
  }
  const mp3 = latin('\xff\xfb\x90\x64');
  const pages: [string, string][] = [
    ['HTML', '<!DOCTYPE html><html><head><title>Sign in</title>'],
    ['HTML without a doctype', '\r\n  <HTML lang="en">'],
    ['HTML after a comment', '<!-- saved --><html>'],
    ['HTML after many comments', `${'<!---->'.repeat(60)}<html>`],
    ['a comment without end', `<!--${'-'.repeat(600)}`],
    ['HTML after an XML declaration', '<?xml version="1.0"?>\n<!-- x --><!DOCTYPE html>'],
    ['XHTML', '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml">'],
    ['an empty element', '<a/>'],
    ['S3 XML', '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code></Error>'],
    ['XML without a declaration', '<Error><Code>NoSuchKey</Code></Error>'],
    ['XML after a byte order mark', '\xef\xbb\xbf<?xml version="1.0"?><a/>'],
    ['a Telnyx error', '{"errors":[{"code":"10005"}]}'],
    ['indented JSON', '\n {\n  "errors": []}'],
    ['a JSON list', '[{"a":1}]'],
    ['an empty JSON object', '{}']
  ];
  for (const [what, text] of pages)
    for (const kind of ['audio', 'video', 'track', 'fax', 'attachment'] as const)
      it(`rejects ${what} as ${kind}, whatever type it claims`, () => {
        for (const type of [null, 'audio/mpeg', 'application/octet-stream', 'text/plain'])
          should(verdict(kind, type, Buffer.from(text, 'latin1'))).equal('NOT_MEDIA');
      });

  it('rejects pages in UTF-16', () => {
    for (const text of ['<html></html>', '{"errors":[]}']) {
      const little = Buffer.from(text, 'utf16le');
      for (const bytes of [
        little,
        Buffer.concat([Buffer.from([0xff, 0xfe]), little]),
        Buffer.from(little).swap16(),
        Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(little).swap16()])
      ])
        should(verdict('attachment', 'text/plain', bytes)).equal('NOT_MEDIA');
    }
  });

  it('rejects an empty file of any kind', () => {
    for (const kind of ['audio', 'video', 'track', 'fax', 'attachment'] as const)
      should(verdict(kind, 'audio/mpeg', Buffer.alloc(0))).equal('NOT_MEDIA');
  });

  it('rejects a file announced as a page, whatever its bytes', () => {
    for (const type of ['text/html; charset=utf-8', 'Application/JSON', 'text/xml', 'application/xml'])
      should(verdict('audio', type, mp3)).equal('NOT_MEDIA');
  });

  it('trusts the bytes when type and bytes differ', () => {
    should(verdict('audio', 'audio/mpeg', wav())).equal('wav');
    should(verdict('audio', 'binary/octet-stream', mp3)).equal('mp3');
    should(verdict('audio', null, mp3)).equal('mp3');
  });

  it('rejects recordings in an unknown format or of the wrong kind', () => {
    should(verdict('audio', 'audio/mpeg', Buffer.alloc(600, 7))).equal('NOT_MEDIA');
    should(verdict('audio', 'audio/mpeg', latin('\x89PNG\r\n\x1a\n'))).equal('NOT_MEDIA');
    should(verdict('fax', 'application/pdf', mp3)).equal('NOT_MEDIA');
    should(verdict('fax', 'application/pdf', latin('%PDF-1.7'))).equal('pdf');
    should(verdict('video', 'video/mp4', latin('\0\0\0\x20ftypisom'))).equal('mp4');
    should(verdict('track', 'video/webm', latin('\x1a\x45\xdf\xa3\x9f\x42\x82\x84webm'))).equal('webm');
  });

  it('accepts attachments of every kind except pages', () => {
    should(verdict('attachment', 'image/jpeg', latin('\xff\xd8\xff\xe0'))).equal('jpg');
    should(verdict('attachment', 'text/plain', Buffer.from('See you at nine'))).equal('txt');
    should(verdict('attachment', 'text/x-vcard', Buffer.from('BEGIN:VCARD'))).equal('vcf');
    should(verdict('attachment', 'application/smil', Buffer.from('<smil><head/></smil>'))).equal('smil');
    should(verdict('attachment', 'application/x-thing', Buffer.from([1, 2, 3, 4, 5]))).equal('bin');
  });

  it('distinguishes an attachment from pages by its prolog, whatever its form', () => {
    for (const smil of [
      '<smil>',
      '  <SMIL xmlns="x">',
      '<?xml version="1.0"?>\n<!DOCTYPE smil PUBLIC "-//W3C//DTD SMIL 1.0//EN" "x.dtd">\n<smil>',
      '<!-- made by a phone --><smil>'
    ])
      should(verdict('attachment', null, Buffer.from(smil))).equal('smil');
    for (const text of ['<3 you', '<', '<!-', '< smil>', 'a <html>', '[see above]', '{x}', '<smiley'])
      should(verdict('attachment', 'text/plain', Buffer.from(text))).equal('txt');
  });

  it('does not look up content types among inherited properties', () => {
    for (const type of ['constructor', '__proto__', 'toString', 'hasOwnProperty'])
      should(verdict('attachment', type, Buffer.from([1, 2, 3, 4, 5]))).equal('bin');
  });

  it('is fast for an attachment of nothing but empty comments', () => {
    for (const text of ['<!---->'.repeat(73), '<!---->'.repeat(146), '<!--'.repeat(250)]) {
      const begun = process.cpuUsage();
      should(verdict('attachment', 'text/plain', Buffer.from(text))).equal('NOT_MEDIA');
      should(processorMsSince(begun)).be.below(200);
    }
  });

  it('describes what arrived and never quotes it', () => {
    const found = checkMedia('audio', 'text/html', Buffer.from('<html>token=abc123</html>'));
    should(found).have.property('ok', false);
    should((found as { message: string }).message)
      .match(/Expected an audio file, but an HTML page arrived/)
      .and.not.match(/abc123/);
  });
});
