import should from 'should';
import { checkMedia } from '../../../src/transfer/media-check';
import { endsJson } from '../../../src/transfer/text-check';

const check = (wanted: string | null, text: string | Buffer, type: string | null = 'binary/octet-stream') => {
  const verdict = checkMedia('text', type, Buffer.from(text as string).subarray(0, 1024), wanted);
  return verdict.ok ? verdict.format : verdict.message;
};

const VTT = 'WEBVTT\n\n00:00.000 --> 00:01.000\n<v Guest>Hello.';
const SRT = '1\r\n00:00:00,000 --> 00:00:01,000\r\nHello.\r\n';
const JSON_TEXT = '{"words":[{"word":"Hello"}]}';

describe('transfer/text-check', () => {
  it('accepts each format for what it is', () => {
    for (const [format, text] of [
      ['vtt', VTT],
      ['vtt', 'WEBVTT'],
      ['vtt', `\ufeff${VTT}`],
      ['vtt', 'WEBVTT - Daily\r\n'],
      ['srt', SRT],
      ['srt', `\n${SRT}`],
      ['json', JSON_TEXT],
      ['json', ' [\n{}]'],
      ['txt', 'Good morning. Grüß Gott.'],
      ['txt', '[0:12] Hello.'],
      ['txt', VTT]
    ] as const)
      should(check(format, text)).equal(format);
  });

  it('tells by the bytes when no format was announced', () => {
    should([VTT, SRT, JSON_TEXT, 'Hello.'].map((text) => check(null, text))).eql([
      'vtt',
      'srt',
      'json',
      'txt'
    ]);
    should(check('soap', JSON_TEXT)).equal('json');
    should(check('soap', 'Subjective: …')).equal('txt');
  });

  it('accepts any content type but that of a page', () => {
    for (const type of [null, 'text/vtt', 'text/plain; charset=utf-8', 'application/json', 'video/mp4'])
      should(check('vtt', VTT, type)).equal('vtt');
    should(check('txt', 'Sign in', 'text/html')).match(/content of the type "text\/html" arrived/);
  });

  it('refuses error pages, whatever format is wanted', () => {
    const pages: [string, RegExp][] = [
      ['<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>', /an XML page arrived/],
      ['<Error><Code>NoSuchKey</Code></Error>', /an XML page arrived/],
      ['<!DOCTYPE html><html>Sign in</html>', /an HTML page arrived/],
      ['{"error":"not-found","info":"no such transcript"}', /a JSON text with an error arrived/],
      ['{ "message": "Forbidden" }', /a JSON text with an error arrived/],
      ['{"info":"no such transcript","error":"not-found"}', /a JSON text with an error arrived/],
      ['{"statusCode":403,"message":"Forbidden"}', /a JSON text with an error arrived/],
      [`${' '.repeat(1024)}<html>Sign in</html>`, /blanks arrived/]
    ];
    for (const wanted of [null, 'vtt', 'srt', 'txt', 'json', 'soap'])
      for (const [page, reason] of pages) {
        should(check(wanted, page)).match(reason);
        should(check(wanted, page)).match(/Nothing was stored/);
      }
  });

  it('refuses a text in another format, bytes that are no text, and nothing', () => {
    should(check('vtt', 'Hello.')).match(
      /Expected a text in the format "vtt", but text in another format arrived/
    );
    should(check('vtt', 'WEBVTTX')).match(/in another format/);
    should(check('vtt', SRT)).match(/the format "srt" arrived/);
    should(check('srt', VTT)).match(/the format "vtt" arrived/);
    should(check('json', 'Hello.')).match(/in another format/);
    should(check('txt', JSON_TEXT)).match(/the format "json" arrived/);
    should(check('txt', Buffer.from([0x52, 0x49, 0x46, 0x46, 0]))).match(/no text/);
    should(check(null, '')).match(/the response was empty/);
  });

  it('recognises a JSON text that lacks its end', () => {
    const ends = (text: string, length = 1024) => {
      const bytes = Buffer.from(text);
      return endsJson(bytes.subarray(0, length), bytes.subarray(-64), bytes.length);
    };
    for (const length of [1, 1024])
      should(['{}', '[]\n', '{"a":1}\r\n \n', '\ufeff{}'].every((text) => ends(text, 3 * length))).be.true();
    for (const length of [3, 1024])
      should(
        ['{', '{"a":1', '', '[{"a":1},{"b":2}', '{"a":[1]'].some((text) => ends(text, length))
      ).be.false();
    should(ends('{"a":{"b":1}')).be.false();
  });
});
