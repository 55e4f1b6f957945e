import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { CodedError } from '../../../../src/errors/coded-error';
import { systemFiles } from '../../../../src/webhook/log/log-files';
import { until } from '../../../support/until';
import { delivery, idsOf, LogFixture } from './log-fixture';

describe('a delivery log whose owner changes', function () {
  this.timeout(60_000);
  let fixture: LogFixture;
  let isOurs: boolean;
  beforeEach(() => {
    fixture = new LogFixture();
    isOurs = true;
  });
  afterEach(() => fixture.remove());

  const guard = (when: 'before' | 'after' | 'restoring'): undefined => {
    if (when !== 'after' && !isOurs)
      throw new CodedError('STATE_IN_USE', 'Another process uses it.', { retryable: true });
  };
  const segments = (): string[] => readdirSync(fixture.directory).sort();

  it('gets nothing from the old one in a segment whose allocation took long', async () => {
    const files = { ...systemFiles };
    const { log } = fixture.open({ guard, files });
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    let isAllocating = false;
    files.allocate = async (file, bytes) => {
      isAllocating = true;
      await released;
      return systemFiles.allocate(file, bytes);
    };
    const late = log.writer.append(delivery('late'));
    await until('the allocation', () => isAllocating || undefined);
    isOurs = false;
    const { log: other } = fixture.open();
    await other.writer.append(delivery('other'));
    release();
    await should(late).be.rejectedWith({ code: 'STATE_IN_USE' });
    await other.close();
    should(idsOf(fixture.open().entries)).deepEqual(['other']);
  });

  it('gets no file back from the old one that the new one removed', async () => {
    const files = { ...systemFiles };
    const { log } = fixture.open({ guard, files });
    const { segment } = await log.writer.append(delivery('a'));
    const file = path.join(fixture.directory, `${String(segment).padStart(8, '0')}.log`);
    files.writeThrough = async (handle, bytes, at) => {
      await systemFiles.writeThrough(handle, bytes, at);
      isOurs = false;
      rmSync(file);
    };
    await should(log.writer.append(delivery('late'))).be.rejectedWith({ code: 'STATE_IN_USE' });
    should(segments()).not.containEql(path.basename(file));
    should(log.writer.isLost).be.true();
  });

  it('ends a segment under constant load, too', async () => {
    // Holds all that the senders have, so that a segment ends only when asked.
    const { log } = fixture.open({ sizes: { first: 4_194_304, most: 4_194_304 } });
    const places: { segment: number }[] = [];
    let ended: Promise<void> | undefined;
    let endedAt = Infinity;
    const sender = async (name: string): Promise<void> => {
      for (let count = 0; count < 2000 && places.length < endedAt + 20; count += 1) {
        places.push(await log.writer.append(delivery(`${name}-${count}`)));
        if (places.length > 20) ended ??= log.writer.endSegment().then(() => void (endedAt = places.length));
      }
    };
    await Promise.all(['a', 'b', 'c', 'd'].map(sender));
    await ended;
    should(places.length).be.above(endedAt);
    should(places[0]!.segment).equal(1);
    should(places.at(-1)!.segment).equal(2);
  });

  it('continues the chain of hashes where its files are gone', async () => {
    const { log } = fixture.open();
    await log.writer.append(delivery('a'));
    const { durable } = log.writer;
    await log.close();
    rmSync(fixture.directory, { recursive: true });
    const { log: again } = fixture.open({ since: durable });
    should(again.wasReadWholly).be.true();
    should(again.writer.durable).have.properties({ sequence: durable.sequence, hash: durable.hash });
  });
});
