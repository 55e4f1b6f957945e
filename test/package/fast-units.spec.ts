import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';

const UNITS = path.join(__dirname, '../unit');
const TESTS = path.join(__dirname, '..');

describe('fast unit tests', () => {
  const specs = readdirSync(UNITS, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.spec.ts')
  );

  it('need no S3 server (otherwise name the file *.slow.spec.ts, which npm run test:unit skips)', () => {
    const needing = specs.filter((name) =>
      /from '[^']*\/(?:s3-server|ceph|bucket-fixture)'/.test(readFileSync(path.join(UNITS, name), 'utf8'))
    );
    should(needing.filter((name) => !name.endsWith('.slow.spec.ts'))).eql([]);
    should(needing.length).be.above(0);
  });
});

describe('the order of the specs (test/order.json)', () => {
  interface Reasoned {
    spec: string;
    why: string;
  }
  const { first, beside, alone, once } = JSON.parse(readFileSync(path.join(TESTS, 'order.json'), 'utf8')) as {
    first: string[];
    beside: Reasoned[];
    alone: Reasoned[];
    once: Reasoned[];
  };
  const specsOf = (list: Reasoned[]): string[] => list.map(({ spec }) => spec);

  it('names only specs that exist, by name and with a reason where they are not as the others', () => {
    for (const spec of [...first, ...[beside, alone, once].flatMap(specsOf)])
      should(existsSync(path.join(TESTS, '..', spec))).equal(true, spec);
    for (const list of [beside, alone, once]) {
      for (const { why } of list) should(why).not.be.empty();
      should(specsOf(list)).eql([...new Set(specsOf(list))].sort());
    }
  });

  it('runs each once', () => {
    const all = [...first, ...specsOf(beside), ...specsOf(alone)];
    should(all).have.length(new Set(all).size);
  });

  it('lets no failure end the others', () => {
    const bailing = readdirSync(TESTS, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.spec.ts'))
      .filter((name) => /this\.bail\(true/.test(readFileSync(path.join(TESTS, name), 'utf8')));
    // See test/support/steps.ts.
    should(bailing).eql([]);
  });

  it('keeps those apart that measure memory, or how long the event loop stands still', () => {
    const measuring = readdirSync(path.join(TESTS, 'real'))
      .map((name) => `test/real/${name}`)
      .filter((spec) =>
        /\b(?:longestStall|stallsSince|VmRSS|VmHWM|RssAnon)\b/.test(
          readFileSync(path.join(TESTS, '..', spec), 'utf8')
        )
      );
    const apart = [...specsOf(alone), ...specsOf(beside)];
    should(measuring.filter((spec) => !apart.includes(spec))).eql([]);
    should(measuring.length).be.above(0);
  });
});
