import { rmSync, truncateSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import type { DeliveryLog } from '../../../../src/webhook/log/delivery-log';
import type { LatestSpan, LatestStep } from '../../../../src/webhook/log/read-latest';
import { delivery, LogFixture } from './log-fixture';

const ALL: LatestSpan = { from: -Infinity, to: Infinity, before: Infinity, after: 0 };
const BEGIN = Date.UTC(2026, 4, 6);

describe('readLatest', function () {
  let fixture: LogFixture;
  beforeEach(() => (fixture = new LogFixture()));
  afterEach(() => fixture.remove());

  /** Deliveries `0`, `1`, …, one a second, over several segments. */
  async function filled(count = 200): Promise<DeliveryLog> {
    const { log } = fixture.open();
    for (let number = 0; number < count; number += 1)
      await log.writer.append(delivery(String(number), { receivedAt: BEGIN + 1000 * number }));
    return log;
  }
  async function steps(log: DeliveryLog, span: Partial<LatestSpan> = {}): Promise<LatestStep[]> {
    const all: LatestStep[] = [];
    for await (const step of log.latest({ ...ALL, ...span })) all.push(step);
    return all;
  }
  async function ids(log: DeliveryLog, span: Partial<LatestSpan> = {}): Promise<string[]> {
    return (await steps(log, span)).flatMap(({ found }) => found.map(({ delivery: one }) => one?.id ?? '?'));
  }
  const numbers = (from: number, to: number): string[] =>
    Array.from({ length: from - to + 1 }, (_value, at) => String(from - at));

  it('gives all deliveries, latest first, without hand-overs', async () => {
    const log = await filled();
    log.writer.handedOver(3);
    await log.writer.written();
    should(await ids(log)).deepEqual(numbers(199, 0));
    should(log.size).be.above(16_384);
  });

  it('gives places by which each is found again', async () => {
    const log = await filled(20);
    for (const { found } of await steps(log))
      for (const { place, delivery: one } of found) should(log.at(place)?.id).equal(one?.id);
  });

  it('does not take a hand-over for a delivery', async () => {
    const log = await filled(1);
    log.writer.handedOver(1);
    await log.writer.written();
    const { at, segment, sequence } = log.writer.durable;
    const [{ place } = { place: undefined }] = (await steps(log)).flatMap(({ found }) => found);
    const begin = place!.at + place!.length;
    should(log.at({ segment, at: begin, length: at - begin, sequence })).equal(null);
  });

  it('continues where it was left, and stops at what is known', async () => {
    const log = await filled();
    should(await ids(log, { before: 101 })).deepEqual(numbers(99, 0));
    should(await ids(log, { after: 190 })).deepEqual(numbers(199, 190));
    should(await ids(log, { before: 51, after: 48 })).deepEqual(['49', '48']);
    should(await ids(log, { after: 200 })).deepEqual([]);
    should(await ids(log, { before: 1 })).deepEqual([]);
    for (const { before, found } of await steps(log)) {
      const last = found.at(-1)?.place.sequence ?? before;
      should(before).be.belowOrEqual(last);
      should(await ids(log, { before })).deepEqual(numbers(before - 2, 0));
    }
  });

  it('keeps to a span of time', async () => {
    const log = await filled();
    const span = { from: BEGIN + 20_000, to: BEGIN + 23_000 };
    should(await ids(log, span)).deepEqual(['22', '21', '20']);
    should(await ids(log, { from: BEGIN + 500_000 })).deepEqual([]);
  });

  it('tells what cannot be read, and gives the rest', async () => {
    const log = await filled();
    const file = path.join(fixture.directory, '00000002.log');
    rmSync(file);
    const all = await steps(log);
    should(all.filter(({ isUnreadable }) => isUnreadable)).have.length(1);
    const rest = await ids(log);
    should(rest[0]).equal('199');
    should(rest.at(-1)).equal('0');
    should(rest.length).be.within(100, 199);
    truncateSync(path.join(fixture.directory, '00000003.log'), 300);
    should((await ids(log)).at(-1)).equal('0');
  });
});
