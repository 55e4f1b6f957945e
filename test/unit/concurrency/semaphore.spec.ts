import 'should';
import { Semaphore } from '../../../src/concurrency/semaphore';

const never = new AbortController().signal;

function gate(): { open: () => void; passed: Promise<void> } {
  let open: () => void = () => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { open, passed };
}

describe('semaphore', () => {
  it('runs tasks one after another, in order', async () => {
    const semaphore = new Semaphore(1);
    const first = gate();
    const seen: number[] = [];
    const runs = [
      semaphore.run(never, () => first.passed),
      ...[1, 2, 3].map((number) => semaphore.run(never, () => Promise.resolve(seen.push(number))))
    ];
    seen.should.eql([]);
    first.open();
    await Promise.all(runs);
    seen.should.eql([1, 2, 3]);
  });

  it('logs no warning while very many tasks wait', async () => {
    const warnings: string[] = [];
    const warned = ({ name }: Error): void => void warnings.push(name);
    process.on('warning', warned);
    try {
      const semaphore = new Semaphore(1);
      const first = gate();
      const { signal } = new AbortController();
      const runs = Array.from({ length: 100 }, () => semaphore.run(signal, () => first.passed));
      await new Promise((resolve) => setImmediate(resolve));
      first.open();
      await Promise.all(runs);
      warnings.should.eql([]);
    } finally {
      process.off('warning', warned);
    }
  });

  it('releases the slot when a task fails', async () => {
    const semaphore = new Semaphore(1);
    await semaphore.run(never, () => Promise.reject(new Error('no'))).should.be.rejectedWith('no');
    (await semaphore.run(never, () => Promise.resolve('next'))).should.equal('next');
  });

  it('lets a task leave the queue without affecting the others', async () => {
    const semaphore = new Semaphore(1);
    const first = gate();
    const aborting = new AbortController();
    const running = semaphore.run(never, () => first.passed);
    const leaving = semaphore.run(aborting.signal, () => Promise.resolve('never'));
    const staying = semaphore.run(never, () => Promise.resolve('stayed'));
    aborting.abort(new Error('gone'));
    await leaving.should.be.rejectedWith('gone');
    first.open();
    await running;
    (await staying).should.equal('stayed');
    await semaphore.run(aborting.signal, () => Promise.resolve()).should.be.rejectedWith('gone');
    (await semaphore.run(never, () => Promise.resolve('free'))).should.equal('free');
  });
});
