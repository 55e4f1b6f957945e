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

describe('specs that run alone (test/run-alone.json)', () => {
  const alone = JSON.parse(readFileSync(path.join(TESTS, 'run-alone.json'), 'utf8')) as {
    spec: string;
    why: string;
  }[];
  const listed = alone.map(({ spec }) => spec);

  it('exist, in the order of their names, each with a reason', () => {
    for (const { spec, why } of alone) {
      should(existsSync(path.join(TESTS, '..', spec))).equal(true, spec);
      should(why).not.be.empty();
    }
    should(listed).eql([...new Set(listed)].sort((one, other) => (one < other ? -1 : 1)));
  });

  it('include those that measure memory, or how long the event loop stands still', () => {
    const measuring = readdirSync(path.join(TESTS, 'real'))
      .map((name) => `test/real/${name}`)
      .filter((spec) =>
        /\b(?:longestStall|stallsSince|VmRSS|VmHWM|RssAnon)\b/.test(
          readFileSync(path.join(TESTS, '..', spec), 'utf8')
        )
      );
    should(measuring.filter((spec) => !listed.includes(spec))).eql([]);
    should(measuring.length).be.above(0);
  });
});
