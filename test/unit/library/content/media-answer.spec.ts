import should from 'should';
import { mediaAnswer } from '../../../../src/library/content/media-answer';
import { dispositionOf, isPlayable, mediaTypeOf } from '../../../../src/library/content/media-type';

const FILE = { size: 1000, etag: '"abc"' };

describe('media-answer', () => {
  it('sends the whole file, or the part that is asked for', () => {
    should(mediaAnswer({}, FILE)).eql({
      status: 200,
      headers: { etag: '"abc"', 'accept-ranges': 'bytes', 'content-length': '1000' },
      bytes: { start: 0, end: 1000 }
    });
    const part = mediaAnswer({ range: 'bytes=100-199' }, FILE);
    should(part.status).equal(206);
    should(part.headers).have.properties({ 'content-range': 'bytes 100-199/1000', 'content-length': '100' });
    should(part.bytes).eql({ start: 100, end: 200 });
  });

  it('says how long the file is when the part is not there', () => {
    const { status, headers, bytes } = mediaAnswer({ range: 'bytes=1000-' }, FILE);
    should(status).equal(416);
    should(headers['content-range']).equal('bytes */1000');
    should(bytes).be.null();
  });

  it('sends a part only of the file that the player knows', () => {
    const range = 'bytes=0-9';
    should(mediaAnswer({ range, 'if-range': '"abc"' }, FILE).status).equal(206);
    for (const other of ['"other"', 'W/"abc"', 'Wed, 04 Mar 2026 09:15:02 GMT', '*'])
      should(mediaAnswer({ range, 'if-range': other }, FILE).status).equal(200, other);
  });

  it('sends nothing that the browser has', () => {
    for (const tags of ['"abc"', '"x", "abc"', 'W/"abc"', '*'])
      should(mediaAnswer({ 'if-none-match': tags }, FILE).status).equal(304, tags);
    should(mediaAnswer({ 'if-none-match': '"x"' }, FILE).status).equal(200);
  });

  it('ignores headers from hell', () => {
    for (const range of [`bytes=${'0-0,'.repeat(2000)}0-0`, 'bytes=\u0000-', ['bytes=0-1', 'bytes=2-3']])
      should(mediaAnswer({ range }, FILE).status).equal(200);
  });
});

describe('media-type', () => {
  it('knows no type that a browser could run', () => {
    for (const format of ['html', 'svg', 'xml', 'txt', 'json', 'js', 'smil', 'bin', '', '__proto__', null]) {
      should(mediaTypeOf(format)).equal('application/octet-stream', String(format));
      should(isPlayable(format)).be.false();
    }
    for (const format of ['mp3', 'wav', 'mp4', 'webm']) should(isPlayable(format)).be.true();
    should(isPlayable('pdf')).be.false();
  });

  it('writes a name of any characters as a header', () => {
    should(dispositionOf('inline', 'a.mp3')).equal(`inline; filename="a.mp3"; filename*=UTF-8''a.mp3`);
    const strange = dispositionOf('attachment', 'Zoë "\r\nSet-Cookie: x=1\ud800.mp3');
    should(strange).match(/^[\x20-\x7e]+$/);
    should(strange).not.match(/[\r\n]/);
    should(strange).match(/^attachment; filename="[^"]+"; filename\*=UTF-8''[\w%.-]+$/);
    should(dispositionOf('attachment', 'x'.repeat(5000)).length).be.below(500);
  });
});
