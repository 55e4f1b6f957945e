import { setImmediate as turn } from 'node:timers/promises';
import should from 'should';
import { FairTurns, type Owner } from '../../../src/concurrency/fair-turns';
import { until } from '../../support/until';

const { signal } = new AbortController();

/** Tasks that end when the test says so. */
class Tasks {
  readonly begun: string[] = [];
  readonly ended: string[] = [];
  readonly refused: string[] = [];
  readonly #ends = new Map<string, () => void>();
  readonly #turns: FairTurns;

  constructor(turns: FairTurns) {
    this.#turns = turns;
  }

  add(owner: Owner, name: string, until = signal): void {
    const task = (): Promise<void> => {
      this.begun.push(name);
      return new Promise((resolve) => this.#ends.set(name, resolve));
    };
    this.#turns.run(owner, until, task).then(
      () => void this.ended.push(name),
      (error: unknown) => void this.refused.push(`${name}: ${(error as Error).message}`)
    );
  }

  async end(name: string): Promise<void> {
    await this.hasBegun(name);
    this.#ends.get(name)?.();
    await until(`the end of ${name}`, () => this.ended.includes(name) || undefined);
  }

  hasBegun(name: string): Promise<true> {
    return until(`the beginning of ${name}`, () => this.begun.includes(name) || undefined);
  }
}

describe('fair turns', () => {
  const of = (options: { atOnce: number; ofOwner?: number; waiting: number }): Tasks =>
    new Tasks(new FairTurns({ ...options, full: () => new Error('full') }));

  it('run so many at once, and the others in order of arrival', async () => {
    const tasks = of({ atOnce: 2, waiting: 9 });
    for (const name of ['1', '2', '3', '4']) tasks.add(null, name);
    await tasks.hasBegun('2');
    await turn();
    should(tasks.begun).deepEqual(['1', '2']);
    await tasks.end('2');
    await tasks.hasBegun('3');
    for (const name of ['1', '3', '4']) await tasks.end(name);
    should(tasks.begun).deepEqual(['1', '2', '3', '4']);
    should(tasks.refused).be.empty();
  });

  it('go from owner to owner', async () => {
    const tasks = of({ atOnce: 1, waiting: 99 });
    for (let number = 1; number <= 9; number += 1) tasks.add('many', `many ${number}`);
    for (const owner of ['one', 'other']) for (const number of [1, 2]) tasks.add(owner, `${owner} ${number}`);
    const order = ['many 1', 'many 2', 'one 1', 'other 1', 'many 3', 'one 2', 'other 2', 'many 4'];
    for (const name of order) await tasks.end(name);
    should(tasks.begun.slice(0, order.length)).deepEqual(order);
  });

  it('leave places that one owner may not have to others', async () => {
    const tasks = of({ atOnce: 3, ofOwner: 2, waiting: 9 });
    for (const name of ['a1', 'a2', 'a3']) tasks.add('a', name);
    await tasks.hasBegun('a2');
    tasks.add('b', 'b1');
    await tasks.hasBegun('b1');
    should(tasks.begun).deepEqual(['a1', 'a2', 'b1']);
    await tasks.end('b1');
    await turn();
    should(tasks.begun).have.length(3);
    await tasks.end('a1');
    await tasks.hasBegun('a3');
  });

  it('refuse what is too much, of the owner who has most', async () => {
    const tasks = of({ atOnce: 1, waiting: 4 });
    for (let number = 1; number <= 6; number += 1) tasks.add('many', `many ${number}`);
    await until('a refusal', () => tasks.refused.length || undefined);
    should(tasks.refused).deepEqual(['many 6: full']);
    for (const number of [1, 2, 3]) tasks.add('one', `one ${number}`);
    await until('more', () => (tasks.refused.length === 4 ? true : undefined));
    // With two each, it is fair.
    should(tasks.refused.slice(1).sort()).deepEqual(['many 4: full', 'many 5: full', 'one 3: full']);
    for (const name of ['many 1', 'many 2', 'one 1', 'many 3', 'one 2']) await tasks.end(name);
    tasks.add('one', 'again');
    await tasks.end('again');
  });

  it('forget what is no longer wanted', async () => {
    const tasks = of({ atOnce: 1, waiting: 2 });
    const gone = new AbortController();
    tasks.add('a', 'a1');
    tasks.add('a', 'a2', gone.signal);
    tasks.add('b', 'b1');
    gone.abort(new Error('gone'));
    await until('the end', () => tasks.refused.length || undefined);
    should(tasks.refused).deepEqual(['a2: gone']);
    tasks.add('a', 'a3', gone.signal);
    tasks.add('b', 'b2');
    for (const name of ['a1', 'b1', 'b2']) await tasks.end(name);
    should(tasks.refused).deepEqual(['a2: gone', 'a3: gone']);
  });

  it('free the place of a task that fails', async () => {
    const turns = new FairTurns({ atOnce: 1, waiting: 1, full: () => new Error('full') });
    const failing = turns.run('a', signal, () => {
      throw new Error('broken');
    });
    const next = turns.run('a', signal, () => 'done');
    await should(failing).be.rejectedWith('broken');
    should(await next).equal('done');
  });

  it('begin one after the other, so that others have their turn in between', async () => {
    const turns = new FairTurns({ atOnce: 2, waiting: 99, full: () => new Error('full') });
    let [now, most, inTurn] = [0, 0, 0];
    const task = (): void => {
      if (now !== passed) [now, inTurn] = [passed, 0];
      inTurn += 1;
      most = Math.max(most, inTurn);
    };
    let passed = 1;
    let isOver = false;
    const watch = async (): Promise<void> => {
      for (; !isOver; passed += 1) await turn();
    };
    const watching = watch();
    await Promise.all(Array.from({ length: 50 }, () => turns.run('a', signal, task)));
    isOver = true;
    await watching;
    should(most).be.within(1, 4);
  });
});
