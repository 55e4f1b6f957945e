import { spawnSync } from 'node:child_process';
import path from 'node:path';
import should from 'should';
import { REPOSITORY } from '../support/packed-package';

describe('ARCHITECTURE.md', () => {
  it('has the current counts of files on the way, at most those wanted (else run: npm run docs:counts)', function () {
    // Starts Node-RED and waits between the rounds until it is at rest.
    this.timeout(120_000);
    const script = path.join(REPOSITORY, 'scripts', 'count-walks.mjs');
    const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', script, '--check'], {
      cwd: REPOSITORY,
      encoding: 'utf8'
    });
    should(stderr).equal('');
    should(status).equal(0);
  });
});
