import should from 'should';
import { GroupCommit } from '../../../src/state/group-commit';

describe('GroupCommit', () => {
  it('takes changes that can wait to disk also when their moment comes while the disk is busy', async () => {
    const made: string[] = [];
    const change = (name: string) => ({ apply: () => void made.push(name) });
    let disk = (): void => undefined;
    const commits = new GroupCommit(async (changes) => {
      for (const each of changes) each.apply();
      await new Promise<void>((resolve) => (disk = resolve));
    });
    const first = commits.add([change('first')]);
    await new Promise((resolve) => setImmediate(resolve));
    const soon = commits.addSoon([change('soon')]);
    // A timer set behind that of the changes: theirs is over when it ends.
    await new Promise((resolve) => setTimeout(resolve, 40));
    should(made).eql(['first']);
    disk();
    await first;
    await new Promise((resolve) => setImmediate(resolve));
    should(made).eql(['first', 'soon']);
    disk();
    await soon;
  });
});
