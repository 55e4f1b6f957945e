import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { REPOSITORY } from '../../support/packed-package';

const PROGRAMS = ['chromium', 'curl', 'openssl', 'jq', 'ip', 'tinyproxy', 'redis-server', 'radosgw'];

/** `npm` says what the environment tells it to, and notes with which Node.js and Node-RED it runs tests. */
const NPM = `#!/usr/bin/env bash
case "$*" in
  test) echo "main" >>"$NOTES"; echo "$MAIN"; exit "$MAIN_CODE" ;;
  'run test:rest -- real browser')
    echo "\${TEST_NODE_RED##*/} $(node -p major)" >>"$NOTES"; echo "$LEG"; exit "$LEG_CODE" ;;
  pack*)
    all=$*
    version=\${all##*@}
    mkdir -p package/bin
    printf '#!/usr/bin/env bash\\necho %s\\n' "$version" >package/bin/node
    chmod +x package/bin/node
    tar -czf "node-$version.tgz" package ;;
esac
`;

describe('.ci/run', function () {
  this.timeout(60_000);
  let folder: string;

  before(function () {
    if (process.platform === 'win32') this.skip();
    folder = mkdtempSync(path.join(tmpdir(), 'telnyx-ci-run-'));
    mkdirSync(path.join(folder, '.ci'));
    cpSync(path.join(REPOSITORY, '.ci/run'), path.join(folder, '.ci/run'));
    const programs = path.join(folder, 'bin');
    mkdirSync(programs);
    const script = (name: string, text: string): void => {
      writeFileSync(path.join(programs, name), text);
      chmodSync(path.join(programs, name), 0o755);
    };
    for (const name of [...PROGRAMS, 'apt-get', 'sudo']) script(name, '#!/usr/bin/env bash\n');
    script('node', '#!/usr/bin/env bash\necho 20\n');
    script('npm', NPM);
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs it with programs that do nothing, and `npm` as above. */
  function run(environment: Record<string, string> = {}): {
    code: number | null;
    last: string;
    notes: string[];
  } {
    const notes = path.join(mkdtempSync(path.join(folder, 'notes-')), 'notes');
    const { status, stdout } = spawnSync('bash', [path.join(folder, '.ci/run')], {
      encoding: 'utf8',
      env: {
        ...process.env,
        CI_MATRIX: '5.0:22 5.0:24',
        PATH: `${path.join(folder, 'bin')}${path.delimiter}${process.env['PATH'] ?? ''}`,
        ...{ NOTES: notes, MAIN_CODE: '0', LEG_CODE: '0', LEG: '== 3 passed, 0 failed, 0 skipped' },
        MAIN: '  5 passing\n== 5 passed, 0 failed, 0 skipped\n== 20 passed, 0 failed, 0 skipped',
        ...environment
      }
    });
    return {
      code: status,
      last: stdout.trimEnd().split('\n').at(-1) ?? '',
      notes: readFileSync(notes, 'utf8').trimEnd().split('\n')
    };
  }

  it('runs all tests, then those that Node-RED and Node.js change with the named pairs, and adds them up', () => {
    should(run()).eql({
      code: 0,
      last: '31 passed, 0 failed, 0 skipped',
      notes: ['main', 'node-red@5.0 22', 'node-red@5.0 24']
    });
  });

  it('runs them with other pairs, or with none', () => {
    should(run({ CI_MATRIX: '4.0:22' }).notes).eql(['main', 'node-red@4.0 22']);
    should(run({ CI_MATRIX: '' }).notes).eql(['main']);
  });

  it('fails when a test fails with one of the pairs', () => {
    const { code, last, notes } = run({
      LEG: '== 2 passed, 1 failed, 0 skipped',
      LEG_CODE: '1'
    });
    should(last).equal('29 passed, 2 failed, 0 skipped');
    should(code).equal(1);
    should(notes).have.length(3);
  });

  it('passes, and says so, when tests passed only when repeated', () => {
    const { code, last } = run({
      MAIN: '== 5 passed, 0 failed, 0 skipped\n== 20 passed, 0 failed, 0 skipped, 2 only when repeated',
      LEG: '== 3 passed, 0 failed, 0 skipped, 1 only when repeated'
    });
    should(last).equal('31 passed, 0 failed, 0 skipped, 4 only when repeated');
    should(code).equal(0);
  });

  it('fails when a test is skipped', () => {
    const { code, last } = run({ CI_MATRIX: '', MAIN: '== 5 passed, 0 failed, 1 skipped' });
    should(last).equal('5 passed, 0 failed, 1 skipped');
    should(code).equal(1);
  });

  it('fails when no test ran, and when something else than a test failed', () => {
    should(run({ CI_MATRIX: '', MAIN: '' })).containEql({ code: 1, last: '0 passed, 1 failed, 0 skipped' });
    should(run({ CI_MATRIX: '', MAIN_CODE: '1' })).containEql({
      code: 1,
      last: '25 passed, 1 failed, 0 skipped'
    });
  });
});
