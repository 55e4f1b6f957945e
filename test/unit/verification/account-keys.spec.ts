import should from 'should';
import { decodeStrictBase64 } from '../../../src/values/fields';
import { isUnsetVariable, parsePublicKeys, parseSecrets } from '../../../src/verification/account-keys';
import { KEY, OTHER_KEY } from './signed-deliveries';

const FIRST = KEY.toString('base64');
const SECOND = OTHER_KEY.toString('base64');

describe('parsePublicKeys', () => {
  it('reads one key', () => {
    should(parsePublicKeys(FIRST)).deepEqual({ keys: [KEY], problems: [] });
  });

  it('reads no keys from an empty text', () => {
    for (const text of ['', ' \n ', ',,'])
      should(parsePublicKeys(text)).deepEqual({ keys: [], problems: [] });
  });

  for (const separator of [' ', ',', ', ', '\n', '\r\n', '\t', ' ,\n, ']) {
    it(`separates keys at ${JSON.stringify(separator)}`, () => {
      const text = `${separator}${FIRST}${separator}${SECOND}${separator}`;
      should(parsePublicKeys(text)).deepEqual({ keys: [KEY, OTHER_KEY], problems: [] });
    });
  }

  it('counts a key once', () => {
    parsePublicKeys(`${FIRST} ${SECOND} ${FIRST}`).keys.should.deepEqual([KEY, OTHER_KEY]);
  });

  it('does not mistake a key that starts with the letters KEY for an API key', () => {
    const text = `KEY${'A'.repeat(40)}=`;
    should(parsePublicKeys(text)).deepEqual({ keys: [Buffer.from(text, 'base64')], problems: [] });
  });

  const unusable: [what: string, text: string, reason: RegExp][] = [
    ['hex', KEY.toString('hex'), /hex.*base64/],
    ['hex in upper case', KEY.toString('hex').toUpperCase(), /hex/],
    ['an API key', 'KEY0123456789ABCDEF_made-up', /API key/],
    ['an API key that is also base64', 'KEY0123456789ABC', /API key/],
    ['31 bytes', KEY.subarray(0, 31).toString('base64'), /31 bytes.*32/],
    ['33 bytes', Buffer.concat([KEY, Buffer.of(1)]).toString('base64'), /33 bytes/],
    ['the DER wrapping', `MCowBQYDK2VwAyEA${FIRST}`, /44 bytes/],
    ['a missing padding', FIRST.replace('=', ''), /not base64/],
    ['the URL alphabet', `${FIRST.slice(0, 20)}-_${FIRST.slice(22)}`, /not base64/],
    ['an unset ${NAME}', '${TELNYX_PUBLIC_KEY}', /environment variable that is not set/],
    ['an unset $(NAME)', '$(TELNYX_PUBLIC_KEY)', /environment variable that is not set/],
    ['a low-order point', Buffer.alloc(32).toString('base64'), /weak/],
    ['a low-order point with the top bit', `${'A'.repeat(41)}IA=`, /weak/],
    ['a word', 'secret-ish', /not base64/]
  ];
  for (const [what, text, reason] of unusable) {
    it(`explains what is wrong with ${what}, without the key`, () => {
      const { keys, problems } = parsePublicKeys(text);
      keys.should.be.empty();
      problems.length.should.equal(1);
      const [problem] = problems;
      should(problem).be.an.Error().and.have.property('code', 'BAD_PUBLIC_KEY');
      problem!.message.should.match(reason).and.not.containEql(text);
    });
  }

  it('keeps the valid keys beside an invalid one, which it names by its position', () => {
    const { keys, problems } = parsePublicKeys(`${FIRST}\nnonsense\n${SECOND}`);
    keys.should.deepEqual([KEY, OTHER_KEY]);
    problems.map(({ message }) => message).should.match([/^Public key 2 of 3 /]);
  });
});

describe('parseSecrets', () => {
  it('reads a list like public keys, each once', () => {
    parseSecrets(' one,two\n one ').should.deepEqual(['one', 'two']);
    parseSecrets('').should.deepEqual([]);
  });

  it('uses no unset variable as a secret: anyone could guess its name', () => {
    parseSecrets('${MEETING_SECRET}').should.deepEqual([]);
    parseSecrets('one $(OTHER) two').should.deepEqual(['one', 'two']);
  });
});

describe('isUnsetVariable', () => {
  it('accepts both spellings and nothing else', () => {
    for (const text of ['${NAME}', '$(NAME)', '${my-name.1}']) isUnsetVariable(text).should.be.true();
    for (const text of ['NAME', '$NAME', '${}', '${A}b', 'x${A}', '${A)', '${A B}'])
      isUnsetVariable(text).should.be.false();
  });
});

describe('decodeStrictBase64', () => {
  it('reads its own output', () => {
    for (const length of [0, 1, 2, 3, 31, 32, 64]) {
      const bytes = Buffer.alloc(length, 0xa7);
      should(decodeStrictBase64(bytes.toString('base64'))).deepEqual(bytes);
    }
  });

  it('accepts one spelling per value', () => {
    for (const text of [
      'QQ',
      'QQ=',
      'QR==',
      'QQ==\n',
      ' QQ==',
      'Q Q==',
      'QQ==QQ==',
      'Q',
      '=',
      '_-8=',
      'QQ==='
    ])
      should(decodeStrictBase64(text)).equal(null, text);
  });
});
