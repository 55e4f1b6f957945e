import { readFileSync } from 'node:fs';
import path from 'node:path';
import { runInNewContext } from 'node:vm';
import should from 'should';
import type { ClusterView } from '../../nodes/download/cluster-watch';
import { showDownloads } from '../../nodes/download/download-status';
import type { StatusText } from '../../nodes/lib/node-status';
import type { Retrying } from '../../src/archive/queue/jobs';
import { CodedError } from '../../src/errors/coded-error';
import type { ErrorCode } from '../../src/errors/codes';
import { type Trouble, TROUBLES } from '../../src/errors/trouble';
import { DEFAULT_FILENAME, FILENAME_TOKENS } from '../../src/naming/filename-syntax';
import { compileFilename } from '../../src/naming/filename-template';

type Validator = (this: object, value: unknown, opt: object) => true | string;

interface Definition {
  defaults: Record<string, { value: unknown; validate?: Validator }>;
}

// From the build, which fills in the parts that several dialogs share.
const nodes = path.join(__dirname, '../../dist/nodes');
const html = readFileSync(path.join(nodes, 'telnyx-recording-download.html'), 'utf8');
const texts = (
  JSON.parse(
    readFileSync(path.join(nodes, 'locales/en-US/telnyx-recording-download.json'), 'utf8')
  ) as Record<string, Record<string, unknown>>
)['telnyx-recording-download']!;

/** Looks up a key in the locale file like Node-RED; an unknown key fails the test. */
function translate(key: string, values: Record<string, string | number> = {}): string {
  const found = key
    .split('.')
    .slice(1)
    .reduce<unknown>((branch, name) => (branch as Record<string, unknown> | undefined)?.[name], texts);
  should(found).be.a.String();
  return String(found).replace(/__(\w+)__/g, (_whole, name: string) => String(values[name]));
}

function definition(): Definition {
  const script = /<script type="text\/javascript">([\s\S]*?)<\/script>/.exec(html)?.[1] ?? '';
  let found: Definition | undefined;
  runInNewContext(script, {
    RED: { nodes: { registerType: (_type: string, registered: Definition) => (found = registered) } }
  });
  return found!;
}

function verdict(property: string, value: unknown, node: object = {}): true | string {
  const { validate } = definition().defaults[property]!;
  return validate!.call({ type: 'telnyx-recording-download', _: translate, ...node }, value, {});
}

describe('the dialog of telnyx-recording-download', () => {
  for (const template of [
    DEFAULT_FILENAME,
    FILENAME_TOKENS.map((token) => `{{${token}}}`).join('_'),
    '{{ year }}/x.{{ext}}',
    '{{{year}}}',
    'plain',
    '.hidden/{{ext}}',
    '   ',
    '/a',
    '\\a',
    'C:/a',
    '../a',
    'a/..',
    'a/. /b',
    'a//b',
    'a/',
    'a\\b',
    'a?b',
    'a\u202eb',
    'a\u0000b',
    '{{caller}}',
    '{{constructor}}',
    '{{}}',
    '{{year',
    'year}}',
    '{{year}}/'.repeat(15) + 'x',
    '{{year}}/'.repeat(16) + 'x',
    'x'.repeat(4096),
    'x'.repeat(4097)
  ]) {
    it(`validates the file name ${JSON.stringify(template).slice(0, 60)} like the node`, () => {
      let accepted = true;
      try {
        compileFilename(template);
      } catch {
        accepted = false;
      }
      const said = verdict('filename', template);
      should(said === true).equal(accepted, String(said));
      if (said !== true) said.should.not.containEql('undefined');
    });
  }

  it('names an unknown token', () => {
    String(verdict('filename', '{{caller}}')).should.containEql('{{caller}}');
  });

  it('does not validate an unused file name', () => {
    should(verdict('filename', '{{caller}}', { destination: 'message' })).be.true();
  });

  for (const [property, good, bad] of [
    ['concurrency', '64', '65'],
    ['retries', '0', '1.5'],
    ['maxSize', '0', '-1'],
    ['stallTimeout', '0.5', '0'],
    ['folder', '${DISK}/calls', 'a\u0000b']
  ] as const) {
    it(`accepts ${JSON.stringify(good)} and rejects ${JSON.stringify(bad)} for ${property}`, () => {
      should(verdict(property, good)).be.true();
      should(verdict(property, bad)).be.a.String();
    });
  }

  it('accepts its own defaults', () => {
    for (const [property, { value, validate }] of Object.entries(definition().defaults)) {
      if (validate) should(verdict(property, value)).be.true(property);
    }
  });

  it('has a text for every key in the form', () => {
    for (const [, key = ''] of html.matchAll(/data-i18n="(?:\[\w+\])?([\w.-]+)"/g)) translate(key);
  });
});

describe('download-status', () => {
  const none = { active: 0, waiting: 0, stored: 0, received: 0, total: 0 };

  function shown(
    progress: object,
    code: ErrorCode | null = null,
    {
      retrying = { count: 0, next: null },
      trouble,
      cluster = null
    }: { retrying?: Retrying; trouble?: Trouble; cluster?: ClusterView | null } = {}
  ): string {
    const failure =
      code === null ? null : new CodedError(code, 'x', trouble === undefined ? {} : { trouble });
    let seen = '';
    const note =
      (kind: string) =>
      (text: StatusText = ''): void => {
        seen = `${kind} ${typeof text === 'string' ? text : text()}`.trim();
      };
    const status = {
      working: note('working'),
      waiting: note('waiting'),
      problem: note('problem'),
      ready: note('ready'),
      off: note('off')
    };
    const say = (key: string, values?: Record<string, string | number>): string =>
      translate(`telnyx-recording-download.status.${key}`, values);
    showDownloads(status, say, { progress: { ...none, ...progress }, retrying, failure, cluster });
    return seen;
  }

  it('describes the progress in a few words', () => {
    shown({}).should.equal('off');
    shown({ stored: 12 }).should.equal('ready 12 stored');
    shown({ active: 1, received: 11_900_000, total: 29_000_000 }).should.equal(
      'working 1 active · 41% of 29 MB'
    );
    shown({ active: 2, waiting: 3, received: 1_500, total: null, stored: 4 }).should.equal(
      'working 2 active · 1.5 kB · 3 waiting'
    );
    shown({ waiting: 3 }).should.equal('waiting 3 waiting');
    shown({ stored: 12 }, 'LINK_EXPIRED').should.equal('problem failed: LINK_EXPIRED');
    shown({ active: 1, received: 5, total: 2_500_000_000 }, 'GAVE_UP').should.equal(
      'working 1 active · 0% of 2.5 GB'
    );
    shown({ active: 1 }).should.equal('working 1 active · 0 B');
  });

  it('says why something is retried, and when', () => {
    const retrying = (count: number, dueInMs: number): { retrying: Retrying } => ({
      retrying: {
        count,
        next: { retry: { trouble: 'bucket-unreachable', attempt: 3, of: 8 }, dueInMs }
      }
    });
    shown({ waiting: 1 }, null, retrying(1, 39_200)).should.equal(
      'waiting retry 3/8 in 40 s: bucket unreachable'
    );
    shown({ waiting: 12, stored: 3 }, 'GAVE_UP', retrying(5, -20)).should.equal(
      'waiting retry 3/8 now: bucket unreachable · 5 retrying · 7 waiting'
    );
    shown({ active: 1, total: null, waiting: 1 }, null, retrying(1, 400_000)).should.equal(
      'working 1 active · 0 B · retry 3/8 in 7 min: bucket unreachable'
    );
    shown({}, null, retrying(0, 0)).should.equal('waiting retry 3/8 now: bucket unreachable');
    shown({ active: 1, received: 4000, total: null }, null, retrying(0, 0)).should.equal(
      'working 1 active · 4.0 kB'
    );
    shown({ waiting: 3 }, null, { retrying: { count: 2, next: null } }).should.equal('waiting 3 waiting');
  });

  it('says what all instances do, whether Redis is away, and whose settings or folders are others', () => {
    const cluster = (more: Partial<ClusterView> = {}): { cluster: ClusterView } => ({
      cluster: {
        ...{ isAway: false, here: 2, running: 5, instances: 3, waiting: 120, differing: [] },
        ...{ folder: null, ...more }
      }
    });
    shown({ active: 2 }, null, cluster()).should.equal('working 2 here · 5 in 3 instances · 120 waiting');
    shown({}, null, cluster({ here: 0, waiting: 0 })).should.equal('working 0 here · 5 in 3 instances');
    shown({ stored: 4 }, null, cluster({ here: 0, running: 0, waiting: 0 })).should.equal('ready 4 stored');
    shown({ active: 1, total: null }, null, cluster({ instances: 1 })).should.equal('working 1 active · 0 B');
    shown({}, null, cluster({ isAway: true })).should.equal('waiting queue away');
    shown({ active: 1, total: null, waiting: 2 }, null, cluster({ isAway: true })).should.equal(
      'waiting queue away · 1 active · 0 B · 2 waiting'
    );
    shown({}, null, cluster({ differing: ['a', 'b', 'c'] })).should.equal(
      'waiting other settings: a, b, … · 2 here · 5 in 3 instances · 120 waiting'
    );
    shown({}, 'STATE_IN_USE', cluster({ differing: ['a'] })).should.equal('problem failed: STATE_IN_USE');
    const apart = { kind: 'apart', hosts: ['a', 'b', 'c'] } as const;
    shown({}, null, cluster({ folder: apart, differing: ['a'], here: 0, running: 0 })).should.equal(
      'problem folder not shared: a, b, … · 120 waiting'
    );
    shown({ waiting: 2 }, null, cluster({ folder: apart, isAway: true })).should.equal(
      'problem folder not shared: a, b, … · 2 waiting'
    );
    shown({}, 'STATE_IN_USE', cluster({ folder: apart })).should.equal('problem failed: STATE_IN_USE');
    for (const kind of ['looking', 'unheard'] as const)
      shown({}, null, cluster({ folder: { kind }, differing: ['a'], running: 0, here: 0 })).should.equal(
        'waiting checking the folder · 120 waiting'
      );
    shown({}, null, cluster({ folder: { kind: 'unheard' }, isAway: true })).should.equal(
      'waiting queue away'
    );
    shown({}, null, cluster({ folder: { kind: 'shared' } })).should.startWith('working 2 here');
  });

  it('says why something was given up', () => {
    shown({ stored: 12 }, 'GAVE_UP', { trouble: 'bucket-unreachable' }).should.equal(
      'problem gave up: bucket unreachable'
    );
    shown({}, 'GAVE_UP').should.equal('problem gave up: unexpected fault');
    shown({}, 'REPEATED_CRASH').should.equal('problem gave up: ended Node-RED');
  });

  it('has a short text for every trouble', () => {
    for (const trouble of TROUBLES) {
      const text = shown({}, 'GAVE_UP', { trouble });
      text.should.match(/^problem gave up: [a-zA-Z- ]{3,26}$/);
      text.should.not.containEql('trouble');
    }
  });
});
