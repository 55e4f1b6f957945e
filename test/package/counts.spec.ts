import { spawnSync } from 'node:child_process';
import path from 'node:path';
import should from 'should';
import { REPOSITORY } from '../support/packed-package';

describe('ARCHITECTURE.md', () => {
  it('has the current counts of files on the walks, within the limits (otherwise run: npm run docs:counts)', function () {
    // Starts Node-RED and waits until it is idle between rounds.
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
