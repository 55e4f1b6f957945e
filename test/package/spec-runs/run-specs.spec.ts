import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { runSpecs, type SpecPlan } from '../../../scripts/spec-runs/run-specs';

/** True in the first of the runs of a file only. */
const AT_FIRST = (folder: string, name: string): string =>
  `require('node:fs').mkdirSync(${JSON.stringify(path.join(folder, 'seen'))}, { recursive: true });
   const file = ${JSON.stringify(path.join(folder, 'seen', name))};
   const isFirst = !require('node:fs').existsSync(file);
   require('node:fs').writeFileSync(file, '');`;

describe('the runner of the specs (scripts/spec-runs)', function () {
  this.timeout(120_000);
  let folder: string;

  before(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'telnyx-spec-runs-'));
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** Writes spec files and runs them. */
  async function run(plan: { [Lane in keyof SpecPlan]: Record<string, string> }): Promise<{
    hasPassed: boolean;
    said: string;
    last: string;
  }> {
    const own = mkdtempSync(path.join(folder, 'run-'));
    const write = (specs: Record<string, string> = {}): string[] =>
      Object.entries(specs).map(([name, body]) => {
        const file = path.join(own, `${name}.spec.ts`);
        mkdirSync(own, { recursive: true });
        writeFileSync(file, `${AT_FIRST(own, name)}\ndescribe('${name}', () => {\n${body}\n});\n`);
        return file;
      });
    let said = '';
    const hasPassed = await runSpecs(
      { together: write(plan.together), beside: write(plan.beside), alone: write(plan.alone) },
      (text) => (said += text)
    );
    return { hasPassed, said, last: said.trimEnd().split('\n').at(-1) ?? '' };
  }

  const PASSING = `it('passes', () => {});`;
  const FAILING = `it('fails', () => { throw new Error('always wrong'); });`;
  const ONCE = `it('fails once', () => { if (isFirst) throw new Error('wrong at first'); });`;

  it('runs files together, beside and alone, and counts their tests', async () => {
    const { hasPassed, last } = await run({
      together: { a: PASSING + PASSING, b: `${PASSING} it.skip('is skipped', () => {});` },
      beside: { c: PASSING },
      alone: { d: PASSING }
    });
    should(last).equal('== 5 passed, 0 failed, 1 skipped');
    should(hasPassed).be.true();
  });

  it('counts a file as failed that fails twice', async () => {
    const { hasPassed, said, last } = await run({
      together: { a: PASSING + FAILING, b: PASSING },
      beside: { c: FAILING },
      alone: { d: FAILING + FAILING }
    });
    should(last).equal('== 2 passed, 4 failed, 0 skipped');
    should(hasPassed).be.false();
    should(said.match(/^# \S*[acd]\.spec\.ts failed twice$/gm)).have.length(3);
  });

  it('names a file that passes only the second time, with its first failure in full', async () => {
    const { hasPassed, said, last } = await run({
      together: { a: PASSING + ONCE, b: PASSING },
      beside: { c: ONCE },
      alone: { d: ONCE }
    });
    should(last).equal('== 5 passed, 0 failed, 0 skipped, 3 only when repeated');
    should(hasPassed).be.true();
    should(said.match(/^# \S*[acd]\.spec\.ts passed only when it was repeated alone/gm)).have.length(3);
    const block = said.slice(said.lastIndexOf('####'));
    for (const name of ['a', 'c', 'd'])
      should(block).match(new RegExp(`fails once:\\s+Error: wrong at first\\s+at .*/${name}\\.spec\\.ts:`));
  });

  it('runs what failed again after all the others, and no other file', async () => {
    const { said } = await run({
      together: { a: ONCE, b: PASSING },
      alone: { c: PASSING }
    });
    const order = [...said.matchAll(/^ {2}([abc])$/gm)].map(([, name]) => name);
    should(order.slice(0, 2).sort()).eql(['a', 'b']);
    should(order.slice(2)).eql(['c', 'a']);
  });

  it('counts a hook that fails, and skips tests, by what the second run makes of it', async () => {
    const { hasPassed, last } = await run({
      together: {
        hook: `before(() => { if (isFirst) throw new Error('no hook'); }); ${PASSING} ${PASSING}`,
        broken: `after(() => { throw new Error('never'); }); ${PASSING}`
      }
    });
    should(last).equal('== 3 passed, 1 failed, 0 skipped, 1 only when repeated');
    should(hasPassed).be.false();
  });

  it('repeats a file whose process dies, and not those beside it', async () => {
    const { hasPassed, said, last } = await run({
      together: { dying: `it('dies', () => { if (isFirst) process.exit(0); });`, a: PASSING, b: PASSING },
      beside: { killed: `it('is killed', () => { if (isFirst) process.kill(process.pid, 'SIGKILL'); });` },
      alone: { silent: `it('ends early', () => { if (isFirst) process.exit(0); });` }
    });
    should(last).equal('== 5 passed, 0 failed, 0 skipped, 3 only when repeated');
    should(hasPassed).be.true();
    should(said).match(/^ +The process of the tests ended early \(SIGKILL\)/m);
    should(said).match(/^ +The process of the tests ended early \(exit code 0\)/m);
    should(said.match(/passed only when it was repeated alone/g)).have.length(3);
  });

  it('counts a file that cannot be read as code, in every lane', async () => {
    const { hasPassed, said, last } = await run({
      together: { a: 'it(', b: PASSING },
      beside: { c: 'it(' },
      alone: { d: 'it(' }
    });
    should(last).equal('== 1 passed, 3 failed, 0 skipped');
    should(hasPassed).be.false();
    should(said.match(/failed twice/g)).have.length(3);
  });

  it('repeats nothing when more fails than a load explains', async () => {
    const many = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`bad-${index}`, ONCE]));
    const { hasPassed, last } = await run({ together: many });
    should(last).equal('== 0 passed, 11 failed, 0 skipped');
    should(hasPassed).be.false();
  });
});
