import { formDelivery, jsonDelivery, type Delivery } from './deliveries';
import { Dice, hostileText, hostileUrl, nested } from './hostile-values';

/** The bytes of a server's response; then it hangs up, unless `stays` is set. */
export interface RawReply {
  bytes: Buffer;
  /** Leaves the connection open. */
  stays?: boolean;
}

/** Input from a stranger. */
export interface HostileCase {
  /** For the error text. */
  what: string;
  delivery: Delivery;
  /** The server's response when the file is requested. */
  reply: RawReply;
}

const PIECES = [
  ...[
    '<',
    '>',
    '<!--',
    '-->',
    '<!---->',
    '<!-- x -->',
    '<!doctype html',
    '<!DOCTYPE smil>',
    '<?xml version="1.0"?>'
  ],
  ...[
    '<html>',
    '<body ',
    '<smil>',
    '</smil>',
    '<svg xmlns="x">',
    '<a b="c">',
    '<Error><Code>',
    '</Code>',
    ']]>'
  ],
  ...['{', '[', '"', '{"errors":[', ':', 'null', '-1', 'true', ' ', '\n', '\t', '\r\n', '\0', '\0\0', '\x1a'],
  ...[
    'ID3\x04\0',
    'RIFF',
    'RIFF\xff\xff\xff\xffWAVEfmt ',
    'RF64',
    'ds64',
    '\xff\xfb\x90\x64',
    '\xff\xf1',
    '%PDF-1.4',
    'OggS'
  ],
  ...[
    'GIF89a',
    '\x89PNG\r\n\x1a\n',
    '\xff\xd8\xff',
    'PK\x03\x04',
    '\0\0\0\x20ftypisom',
    '\x1a\x45\xdf\xa3',
    'BEGIN:VCARD',
    '#!AMR\n'
  ],
  ...['\xef\xbb\xbf', '\xff\xfe', '\xfe\xff', 'a', 'hello', '$(reboot)', '%00', '../', 'constructor']
];

function head(dice: Dice): Buffer {
  const pieces = dice.below(3) === 0 ? dice.some(3, () => dice.of(PIECES)) : PIECES;
  let text = dice.some(12, () => dice.of(PIECES)).join('');
  const length = dice.of([1, 3, 12, 500, 512, 1023, 1024, 1025, 4000]);
  while (text.length < length) text += dice.of(pieces);
  const bytes = Buffer.from(text.slice(0, length), dice.of(['latin1', 'latin1', 'utf8', 'utf16le'] as const));
  if (bytes.length % 2 === 0 && dice.below(6) === 0) bytes.swap16();
  return dice.below(6) === 0
    ? Buffer.concat([
        Buffer.from(
          dice.of([
            [0xff, 0xfe],
            [0xfe, 0xff]
          ])
        ),
        bytes
      ])
    : bytes;
}

const TYPES = [
  ...[
    'image/jpeg',
    'text/plain',
    'audio/mpeg',
    'application/smil',
    'application/octet-stream',
    'text/x-vcard'
  ],
  ...[
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    'text/html',
    'application/json',
    ';',
    '',
    'a'.repeat(3000)
  ],
  ...[
    'text/plain; charset=constructor',
    'AUDIO/MPEG',
    '\xe4\xf6\xfc',
    'x'.repeat(40) + '/' + ';'.repeat(2000)
  ]
];

function answer(head: string, lines: readonly string[], body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([head, ...lines, '', ''].join('\r\n'), 'latin1'), body]);
}

/** A valid response with an invalid body. */
function hostileBody(dice: Dice): RawReply {
  const body = head(dice);
  const lines = [`Content-Type: ${dice.of(TYPES)}`, `Content-Length: ${body.length}`];
  return { bytes: answer('HTTP/1.1 200 OK', lines, body) };
}

/** A body with headers that are invalid or do not match. */
function hostileHeaders(dice: Dice, escaped: string): RawReply {
  const body = dice.below(2) === 0 ? head(dice) : Buffer.from(`ID3\x04\0${'x'.repeat(600)}`);
  const length = body.length;
  const line = (): string =>
    dice.of([
      `Content-Type: ${dice.of(TYPES)}`,
      `content-type: ${dice.of(TYPES)}`,
      `Content-Encoding: ${dice.of(['gzip', 'identity', 'constructor', 'aws-chunked', 'br, br', ''])}`,
      `Content-Length: ${dice.of([length, length, length + 5, length - 1, 0, -1, 1e21, '0x10', '5, 5', '1e3', ' '])}`,
      `Transfer-Encoding: ${dice.of(['chunked', 'gzip, chunked', 'constructor', 'chunked, chunked', 'identity'])}`,
      `Content-Disposition: attachment; filename="../../${escaped}"; filename*=UTF-8''%2e%2e%2f${escaped}`,
      `ETag: ${dice.of(['"a"', 'W/"a"', '"', `"${'e'.repeat(8000)}"`, '"a", "b"'])}`,
      `Content-Range: bytes ${dice.of(['0-1/2', '5-1/*', '*/0', '0-99999999999999999999/99999999999999999999'])}`,
      `Retry-After: ${dice.of(['9'.repeat(400), '-1', 'Thu, 99 Foo 2099', '('.repeat(3000)])}`,
      `Location: ${dice.of(['/loop', '//', 'http://[::1', 'file:///etc/passwd', 'http://a@b@c/', 'constructor:x', `/${'a'.repeat(9000)}`])}`,
      `X-${'a'.repeat(dice.below(200))}: ${'b'.repeat(dice.of([1, 2000, 20_000, 70_000]))}`,
      `X: ${dice.of(['a\0b', 'a\x01b', '\x7f', '\xff\xfe', 'a\rb', 'a\nb'])}`,
      dice.of([': no name', 'no colon', ' folded', 'Sp ace: x', '__proto__: x', 'constructor: x', '\x00: x']),
      `Connection: ${dice.of(['close', 'keep-alive', 'upgrade', 'close, close'])}`
    ]);
  const status = dice.of([
    '200 OK',
    '200 OK',
    '200',
    '206 Partial Content',
    '000 None',
    '101 Switching',
    '204 No',
    '302 Found',
    '304 Not',
    '403 No',
    '404 No',
    '429 Slow',
    '500 Bad',
    '999 X',
    '20 X',
    'constructor'
  ]);
  const first = dice.of(['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/9.9', 'ICY']);
  const early = dice.below(8) === 0 ? 'HTTP/1.1 103 Early\r\nX: y\r\n\r\n'.repeat(1 + dice.below(60)) : '';
  const bytes = answer(`${early}${first} ${status}`, dice.some(8, line), body);
  return { bytes: dice.below(10) === 0 ? body : bytes, stays: dice.below(25) === 0 };
}

/** A signed delivery with unexpected fields. @param url the link to its file */
function hostileDelivery(dice: Dice, number: number, url: string, escaped: string): Delivery {
  const text = (): string => hostileText(dice, escaped);
  const link = (): string => hostileUrl(dice, url, escaped);
  const parties = () =>
    dice.of<unknown>([text(), [text(), { phone_number: text() }], nested(dice.of([1, 20, 90])), 7, null, {}]);
  const recording = {
    recording_id: text(),
    recording_started_at: dice.of([text(), '2026-05-06T07:00:00Z', '9'.repeat(10_000), 1e300]),
    recording_urls: Object.fromEntries(
      dice.some(4, () => [dice.of(['mp3', 'wav', text().slice(0, 9), 'constructor']), link()])
    ),
    channels: text(),
    call_session_id: text(),
    from: parties(),
    to: parties(),
    client_state: dice.of([text(), 'A'.repeat(400_000), Buffer.from(text()).toString('base64')])
  };
  const message = {
    id: text(),
    direction: 'inbound',
    media: dice.some(dice.of([2, 2, 60]), () => ({
      url: link(),
      content_type: text(),
      sha256: text(),
      size: dice.of([text(), 1, -1, 1e300])
    })),
    from: parties(),
    received_at: text()
  };
  const payload = dice.of<unknown>([
    recording,
    recording,
    message,
    message,
    { fax_id: text(), media_url: link(), status: 'received' },
    text(),
    nested(dice.of([50, 95]))
  ]);
  const event = {
    data: {
      id: dice.of([`case-${number}`, `case-${number}-${text()}`]),
      event_type: dice.of(['call.recording.saved', 'message.received', text()]),
      occurred_at: dice.of(['2026-05-06T07:08:09Z', text()]),
      record_type: text(),
      payload
    },
    meta: dice.of<unknown>([{ attempt: 1, delivered_to: text() }, text(), null])
  };
  const json = JSON.stringify(event).slice(0, 1_000_000);
  switch (dice.below(14)) {
    case 0:
      return formDelivery(
        new URLSearchParams([
          ['AccountSid', `case-${number}`],
          ['CallSid', text().slice(0, 9000)],
          ['RecordingSid', text().slice(0, 9000)],
          ['RecordingUrl', link().slice(0, 9000)],
          ['__proto__', 'x'],
          [text().slice(0, 900), 'y']
        ]).toString()
      );
    case 1:
      return jsonDelivery(
        json.replace(
          '"payload":',
          '"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"payload":'
        )
      );
    case 2:
      return jsonDelivery(`{"data":{"event_type":"a","id":"case-${number}","payload":${'['.repeat(40_000)}`);
    case 3:
      return jsonDelivery(
        `{"data":{"event_type":"a","id":"case-${number}","payload":[${'[],{},null,'.repeat(5000)}0]}}`
      );
    case 4:
      return formDelivery(
        `CallSid=case-${number}&${dice.of(['a=1&', '&', '%', '=&', '+', '%ff'])}`.padEnd(
          100_000,
          dice.of(['a=1&', '&', '%', '='])
        )
      );
    default:
      return jsonDelivery(json);
  }
}

/** An MMS with one attachment. */
export function mmsWith(id: string, url: string, contentType = 'image/jpeg'): Delivery {
  const payload = {
    id,
    direction: 'inbound',
    received_at: '2026-05-06T07:08:09Z',
    media: [{ url, content_type: contentType }]
  };
  return jsonDelivery(
    JSON.stringify({ data: { id: `event of ${id}`, event_type: 'message.received', payload } })
  );
}

/** An event with one recording. */
export function recordingWith(id: string, url: string): Delivery {
  const payload = {
    recording_id: id,
    recording_started_at: '2026-05-06T07:00:00Z',
    recording_urls: { wav: url }
  };
  return jsonDelivery(
    JSON.stringify({ data: { id: `event of ${id}`, event_type: 'call.recording.saved', payload } })
  );
}

/**
 * Cases made up to stop Node-RED or to write outside the archive.
 *
 * @param escaped name of files that must not be created
 * @param urlOf the link to the file of a case
 */
export function hostileCases(
  seed: number,
  count: number,
  escaped: string,
  urlOf: (number: number) => string
): HostileCase[] {
  const dice = new Dice(seed);
  return Array.from({ length: count }, (_, number): HostileCase => {
    const url = urlOf(number);
    const kind = number % 10;
    if (kind < 4)
      return {
        what: `bytes ${number}`,
        delivery: mmsWith(`mms-${number}`, url, dice.of(TYPES)),
        reply: hostileBody(dice)
      };
    if (kind < 5)
      return {
        what: `bytes of a recording ${number}`,
        delivery: recordingWith(`rec-${number}`, url),
        reply: hostileBody(dice)
      };
    const reply = kind < 7 ? hostileHeaders(dice, escaped) : hostileBody(dice);
    if (kind < 7) return { what: `headers ${number}`, delivery: mmsWith(`mms-${number}`, url), reply };
    return { what: `delivery ${number}`, delivery: hostileDelivery(dice, number, url, escaped), reply };
  });
}
