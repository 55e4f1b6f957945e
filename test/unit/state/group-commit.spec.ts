import should from 'should';
import { GroupCommit, MOST_IN_ONE_COMMIT, type StateChange } from '../../../src/state/group-commit';

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('GroupCommit', () => {
  it('persists deferred changes even when their time comes while the disk is busy', async () => {
    const made: string[] = [];
    const change = (name: string) => ({ apply: () => void made.push(name) });
    let disk = (): void => undefined;
    const commits = new GroupCommit(async (changes) => {
      for (const each of changes) each.apply();
      await new Promise<void>((resolve) => (disk = resolve));
    });
    const first = commits.add([change('first')]);
    await turn();
    const soon = commits.addSoon([change('soon')]);
    // A timer set after that of the changes: theirs is over when this one ends.
    await new Promise((resolve) => setTimeout(resolve, 40));
    should(made).eql(['first']);
    disk();
    await first;
    await turn();
    should(made).eql(['first', 'soon']);
    disk();
    await soon;
  });

  describe('in transactions', () => {
    let transactions: number[];
    let fails: (size: number) => boolean;
    let commits: GroupCommit;
    beforeEach(() => {
      transactions = [];
      fails = () => false;
      commits = new GroupCommit(async (changes) => {
        transactions.push(changes.length);
        await turn();
        if (fails(changes.length)) throw new Error('no');
      });
    });
    const changes = (count: number): StateChange[] =>
      Array.from({ length: count }, () => ({ apply: () => undefined }));

    it('are all over when it tells that everything is written, deferred changes too', async () => {
      for (let count = 0; count < 1200; count += 1) void commits.addSoon(changes(1));
      await commits.written();
      should(transactions.reduce((sum, size) => sum + size)).equal(1200);
    });

    it('keeps each transaction below the size at which the library starts too early', async () => {
      await Promise.all(Array.from({ length: 2000 }, () => commits.add(changes(2))));
      should(Math.max(...transactions)).be.belowOrEqual(500);
      should(transactions.reduce((sum, size) => sum + size)).equal(4000);
      should(transactions.length).equal(8);
    });

    it('never splits a commit', async () => {
      await Promise.all([300, 300, 1200, 100, 0, 100].map((count) => commits.add(changes(count))));
      should(transactions).deepEqual([300, 300, 1200, 200]);
    });

    it('rejects the commits of a failed transaction, and runs the others', async () => {
      fails = (size) => size === 450;
      const ends = await Promise.allSettled([200, 250, 499, 1].map((count) => commits.add(changes(count))));
      should(transactions).deepEqual([450, 500]);
      should(ends.map(({ status }) => status)).deepEqual(['rejected', 'rejected', 'fulfilled', 'fulfilled']);
    });

    it('rejects an absurd commit', async () => {
      const many = changes(MOST_IN_ONE_COMMIT + 1);
      await should(commits.add(many)).be.rejectedWith(RangeError);
      await should(commits.addSoon(many)).be.rejectedWith(RangeError);
      should(transactions).deepEqual([]);
    });
  });
});
