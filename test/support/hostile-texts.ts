export interface HostileText {
  name: string;
  text: string;
}

/** The name of a repeated piece, and the piece itself, possibly with a beginning and an end. */
const SHAPES: readonly [name: string, piece: string, begin?: string, end?: string][] = [
  ['one letter', 'a'],
  ['blanks', ' '],
  ['blanks before a letter', ' ', '', 'x'],
  ['line breaks', '\r\n'],
  ['dots', '.'],
  ['dots and blanks', '. ', '', 'x'],
  ['slashes', '/', '', 'x'],
  ['dot segments', '../'],
  ['backslashes', '\\'],
  ['angle brackets', '<'],
  ['begun comments', '<!--'],
  ['empty comments', '<!---->'],
  ['comments after blanks', '<!-- --> ', ' \n'],
  ['elements', '<a b>'],
  ['error codes', '<Code> ', '<Error>'],
  ['schemes', 'a://'],
  ['links', 'https://u:p@h.example.com/a?b#c '],
  ['one link', 'a', 'https://h.example.com/'],
  ['users', 'a:b@', 'https://'],
  ['at signs', '@', 'https://'],
  ['question marks', '?', 'https://h/'],
  ['parameters', 'a=1&', 'https://h/?'],
  ['marks in a host', '\u0316\u0301', 'https://a'],
  ['marks', '\u0315\u0300\u0316\u0334', 'a'],
  ['quotes', '"'],
  ['percent signs', '%'],
  ['escapes', '%E2%82%AC'],
  ['halves of characters', '\ud800'],
  ['letters of many bytes', 'ü€🎥'],
  ['digits', '7'],
  ['digits and a letter', '7', '', 'x'],
  ['a decimal', '7', '0.'],
  ['hex', '0f'],
  ['a date without end', '0', '2026-01-31T12:00:00.', 'Z'],
  ['base64', 'AAAA'],
  ['base64 and padding', 'AAAA', '', 'AA=='],
  ['padding', '='],
  ['commas and blanks', ', '],
  ['variables', '${'],
  ['tokens', '{{'],
  ['opening brackets', '['],
  ['nested lists', '[{"a":'],
  ['empty lists', '[],', '[', '[]]'],
  ['keys', 'KEY0123456789ABCDEF '],
  ['bearers', 'Bearer '],
  ['a bearer before blanks', ' ', 'Bearer'],
  ['words', 'a.a-'],
  ['event types', 'event_type'],
  ['stars', '*'],
  ['zero bytes', '\0'],
  ['words that every object knows', 'constructor.__proto__.']
];

/**
 * Texts that could be sent to stop a program.
 *
 * @param length number of characters of each
 */
export function* hostileTexts(length: number): Generator<HostileText> {
  for (const [name, piece, begin = '', end = ''] of SHAPES) {
    const room = length - begin.length - end.length;
    yield { name, text: begin + piece.repeat(Math.ceil(room / piece.length)).slice(0, room) + end };
  }
}
