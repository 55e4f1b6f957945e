import fc from 'fast-check';
import should from 'should';
import { CodedError } from '../../../src/errors/coded-error';
import { DEFAULT_FILENAME, FILENAME_TOKENS } from '../../../src/naming/filename-syntax';
import { compileFilename, filenameValues, type FilenameValues } from '../../../src/naming/filename-template';
import { unknownDetails } from '../../../src/recording/extract/announcement';

const NOTHING = Object.fromEntries(
  FILENAME_TOKENS.map((token) => [token, null])
) as unknown as FilenameValues;

function named(template: string, values: Partial<FilenameValues> = {}): string {
  return compileFilename(template).name({ ...NOTHING, ...values });
}

/** Whether Windows, macOS and Linux all accept a path segment, stated independently of the code. */
function shouldBeSafe(segment: string): void {
  segment.should.not.equal('');
  segment.should.not.match(/^\.\.?$/);
  segment.should.not.match(/[. ]$/);
  segment.should.not.match(/[<>:"/\\|?*⁄∕∖⧵⧸⧹﹨／＼]/);
  segment.should.not.match(/\p{Cc}/u);
  Buffer.from(segment, 'utf8').toString('utf8').should.equal(segment, 'holds a lone surrogate');
  Buffer.byteLength(segment).should.be.belowOrEqual(255);
  segment
    .split('.')[0]!
    .trimEnd()
    .should.not.match(/^(con|prn|aux|nul|com\d|lpt\d)$/i);
}

describe('filename-template', () => {
  it('names a file by the default template', () => {
    named(DEFAULT_FILENAME, {
      year: '2026',
      month: '03',
      day: '04',
      started_at: '20260304T091502Z',
      recording_id: 'rec-1',
      channels: 'dual',
      ext: 'mp3'
    }).should.equal('2026/03/04/20260304T091502Z_rec-1_dual.mp3');
  });

  it('uses "unknown" for missing values', () => {
    named('{{year}}/{{ recording_id }}.{{ext}}').should.equal('unknown/unknown.unknown');
    named('{{from}}', { from: '  ' }).should.equal('unknown');
  });

  it('leaves single braces alone', () => {
    named('{{{year}}}', { year: '2026' }).should.equal('{2026}');
  });

  it('leaves telephone numbers, ids and SIP addresses unchanged', () => {
    for (const value of ['+12025550111', 'a1319f9e-5521-4d3b', 'user@sip.example.com', 'Zoë 🎥']) {
      named('{{from}}', { from: value }).should.equal(value);
    }
  });

  it('rejects an unknown token and names it', () => {
    (() => compileFilename('{{year}}/{{caller}}.{{ext}}')).should.throw(CodedError, { code: 'BAD_SETTING' });
    (() => compileFilename('{{caller}}')).should.throw(/\{\{caller\}\}/);
    (() => compileFilename('{{constructor}}')).should.throw(/\{\{constructor\}\}/);
  });

  for (const template of [
    '',
    '   ',
    '/etc/{{ext}}',
    '\\\\server\\{{ext}}',
    'C:/x.{{ext}}',
    '../{{ext}}',
    'a/../{{ext}}',
    'a/./{{ext}}',
    'a/.../{{ext}}',
    'a//{{ext}}',
    '{{year}}/',
    'a\\{{ext}}',
    'a:b',
    'what?.mp3',
    'a\u0000b',
    'a\u202eb',
    '{{year',
    'year}}',
    '{{}}',
    '{{year}}/'.repeat(16) + 'x',
    'x'.repeat(5000)
  ]) {
    it(`rejects the template ${JSON.stringify(template)}`, () => {
      (() => compileFilename(template)).should.throw(CodedError, { code: 'BAD_SETTING' });
    });
  }

  for (const value of [
    '..',
    '.',
    '../../etc/passwd',
    '..\\..\\boot.ini',
    '/absolute',
    'C:\\x',
    'CON',
    'nul.txt',
    'com1',
    'LPT9 ',
    'CLOCK$',
    'clock$.mp3',
    'CONIN$',
    'conout$.x',
    'COM\u00b9',
    'lpt\u00b2.txt',
    'com0',
    '-rf',
    '~root',
    '~',
    'a\u0000b',
    'line\nbreak',
    'trailing. ',
    '...',
    'slash\u2215look\uff0falike',
    'lone\ud800surrogate',
    '\u202egnp.exe',
    'x'.repeat(300),
    '🎥'.repeat(100),
    '{{year}}'
  ]) {
    it(`makes the value ${JSON.stringify(value).slice(0, 40)} harmless`, () => {
      for (const template of [
        '{{recording_id}}',
        '{{recording_id}}.{{ext}}',
        'a/{{recording_id}}/{{recording_id}}.mp3'
      ]) {
        const segments = named(template, { recording_id: value, ext: 'mp3' }).split('/');
        segments.length.should.equal(template.split('/').length);
        segments.forEach(shouldBeSafe);
      }
    });
  }

  it('lets no value hide a file, and leaves no space at the start of a name', () => {
    for (const value of ['.hidden', '..hidden', ' hidden', '.', '..'])
      named('{{room_name}}.{{ext}}', { room_name: value, ext: 'mp3' }).should.match(/^_/);
  });

  it('starts no name with something that looks like an option or a home folder', () => {
    for (const value of ['-rf', '--help', '~', '~root', '-']) {
      named('{{room_name}}/{{room_name}}.{{ext}}', { room_name: value, ext: 'mp3' })
        .split('/')
        .forEach((segment) => segment.should.match(/^_/));
    }
    const pair = ['-1', '~1'].map((value) => named('{{room_name}}.mp3', { room_name: value }));
    should(pair[0]).not.equal(pair[1]);
    // Safe names stay unchanged.
    named('{{year}}-{{room_name}}.mp3', { year: '2026', room_name: '-1' }).should.equal('2026--1.mp3');
    named('~{{room_name}}.mp3', { room_name: 'a' }).should.equal('~a.mp3');
  });

  it('never gives a recording the name of a file beside another recording', () => {
    for (const value of [
      'call.mp3.json',
      'A.JSON',
      'call.mp3.damaged-20260506T070809Z',
      'x.damaged-20260506T070809Z_2'
    ])
      named('{{room_name}}', { room_name: value }).should.equal(`${value}_`);
    named('{{room_name}}/{{room_name}}.mp3', { room_name: 'a.json' }).should.equal('a.json/a.json.mp3');
  });

  it('gives a JSON file its ending, unless that would describe another file', () => {
    named('{{recording_id}}.{{ext}}', { recording_id: 'a', ext: 'json' }).should.equal('a.json');
    named('{{recording_id}}.json.{{ext}}', { recording_id: 'a', ext: 'json' }).should.equal('a.json.json_');
    named('{{recording_id}}.json', { recording_id: 'a', ext: 'mp3' }).should.equal('a.json_');
  });

  it('shortens a very long value, and distinguishes it from others with the same start', () => {
    const [one, two] = ['a', 'b'].map((end) =>
      named('{{recording_id}}.{{ext}}', { recording_id: 'x'.repeat(1_000_000) + end, ext: 'mp3' })
    );
    should(one).startWith('xxxx').and.endWith('.mp3').and.not.equal(two);
  });

  it('leaves no dot or space at the end of a folder or file, even when the template has one', () => {
    const name = named('{{year}}./{{from}} ./{{to}} ', { year: '2026', from: 'a', to: 'b' });
    name.should.equal('2026_/a__/b_');
    name.split('/').forEach(shouldBeSafe);
  });

  it('keeps the extension of a shortened name', () => {
    named('{{recording_id}}.{{ext}}', { recording_id: 'é'.repeat(300), ext: 'mp3' }).should.endWith('.mp3');
  });

  it('keeps the whole path within the limits of systems, however many folders there are', () => {
    const template = Array.from({ length: 16 }, () => '{{recording_id}}').join('/');
    Buffer.byteLength(named(template, { recording_id: 'x'.repeat(4000) })).should.be.belowOrEqual(1024);
  });

  it('stays safe and distinguishes different values, whatever they are', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({ maxLength: 20 }),
      fc.constantFrom('..', 'CON', 'con', '.', 'a.', 'a', 'a_', 'a/', 'a:')
    );
    fc.assert(
      fc.property(text, text, (one, two) => {
        const first = named('{{year}}/{{recording_id}}.mp3', { recording_id: one });
        const segments = first.split('/');
        segments.should.have.length(2);
        segments.forEach(shouldBeSafe);
        const blank = (value: string): boolean => value.trim() === '' || value === 'unknown';
        if (one !== two && !(blank(one) && blank(two))) {
          should(named('{{year}}/{{recording_id}}.mp3', { recording_id: two })).not.equal(first);
        }
      }),
      { numRuns: 2000 }
    );
  });
});

const DETAILS = unknownDetails({
  provider: 'telnyx',
  event_type: 'call.recording.saved',
  event_id: null,
  announced_at: null
});
const FACTS = { ext: 'wav', announced_at: '2026-03-05T23:59:59.999Z', media_index: null };

describe('filename-template: values', () => {
  it('uses the start of the recording, in UTC', () => {
    const values = filenameValues({ ...DETAILS, started_at: '2026-03-04T09:15:02.118Z' }, FACTS);
    [values.year, values.month, values.day, values.hour, values.started_at].should.eql([
      '2026',
      '03',
      '04',
      '09',
      '20260304T091502Z'
    ]);
  });

  it('falls back to the time of the announcement, never to the current time', () => {
    should(filenameValues(DETAILS, FACTS).started_at).equal('20260305T235959Z');
    should(filenameValues(DETAILS, { ...FACTS, announced_at: null }).started_at).be.null();
  });

  it('contains the index of an attachment, and leaves out missing values', () => {
    should(filenameValues(DETAILS, { ...FACTS, media_index: 0 }).media_index).equal('0');
    should(filenameValues(DETAILS, FACTS).media_index).be.null();
  });
});
