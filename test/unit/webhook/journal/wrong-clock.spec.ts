import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { StateDatabase } from '../../../../src/state/state-database';
import type { AcceptedDelivery } from '../../../../src/webhook/journal/delivery-journal';
import { LogJournal } from '../../../../src/webhook/journal/log-journal';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe('LogJournal in bad conditions', function () {
  this.timeout(60_000);
  let directory: string;
  let database: StateDatabase;
  let journal: LogJournal;
  let wall: number;
  let elapsed: number;
  let said: string[];
  let days: Map<string, number>;

  const logs = (): string => path.join(directory, 'deliveries');
  const open = (): void => {
    database = new StateDatabase(directory);
    journal = new LogJournal({
      database,
      directory: logs(),
      guard: () => undefined,
      log: (text) => said.push(text),
      days,
      mostBytes: 1e9,
      now: () => wall,
      elapsed: () => elapsed
    });
  };
  const close = async (): Promise<void> => {
    await journal.written();
    await journal.dispose();
    await database.close();
  };
  const delivery = (id: string, values: Partial<AcceptedDelivery> = {}): AcceptedDelivery => ({
    scope: 'node',
    id,
    receivedAt: wall,
    verified: 'ed25519',
    keyIndex: 1,
    contentType: 'application/json',
    query: null,
    rawBody: Buffer.from(`{"id":"${id}"}`),
    provider: 'telnyx',
    eventType: 'call.hangup',
    proof: { headers: [], publicKey: 'a2V5' },
    ...values
  });
  const pendingIds = (scope = 'node'): string[] =>
    [...journal.pending(scope)].map(({ delivery: { id }, leave }) => (leave(), id));
  const kept = async (): Promise<string[]> => {
    const ids: string[] = [];
    for await (const batch of journal.read({ from: -Infinity, to: Infinity }))
      ids.push(...batch.map(({ id }) => id));
    return ids;
  };

  /** Time passes, with a round of tidying after each step. */
  async function pass(ms: number, step = 6 * HOUR): Promise<void> {
    for (let left = ms; left > 0; left -= step) {
      wall += Math.min(left, step);
      elapsed += Math.min(left, step);
      await journal.tidy({ isHourly: true });
    }
  }

  beforeEach(() => {
    wall = Date.parse('2026-05-06T07:08:09Z');
    elapsed = 5000;
    said = [];
    days = new Map([['node', 7]]);
    directory = mkdtempSync(path.join(tmpdir(), 'telnyx-journal-'));
    open();
  });
  afterEach(async () => {
    await close();
    rmSync(directory, { recursive: true });
  });

  for (const [what, jump] of [
    ['forward ten years', 3650 * DAY],
    ['back a week', -7 * DAY]
  ] as const) {
    it(`loses nothing while the clock has jumped ${what}`, async () => {
      (await journal.accept(delivery('kept'))).done();
      (await journal.accept(delivery('waiting'))).leave();
      wall += jump;
      await pass(12 * HOUR);
      wall -= jump;
      await pass(DAY);
      should(await kept()).deepEqual(['kept', 'waiting']);
      should(pendingIds()).deepEqual(['waiting']);
      (await journal.accept(delivery('after'))).done();
      await pass(5 * DAY);
      should(await kept()).deepEqual(['kept', 'waiting', 'after']);
      await pass(4 * DAY);
      should(await kept()).deepEqual([]);
      should(said.join()).match(/did not take 1 accepted deliveries within 7 days/);
    });
  }

  it('loses nothing when Node-RED starts with a clock that is ten years ahead', async () => {
    (await journal.accept(delivery('kept'))).done();
    (await journal.accept(delivery('waiting'))).leave();
    await close();
    wall += 3650 * DAY;
    open();
    await pass(20 * HOUR);
    wall -= 3650 * DAY;
    await pass(20 * HOUR);
    should(await kept()).deepEqual(['kept', 'waiting']);
    should(pendingIds()).deepEqual(['waiting']);
  });

  it('removes what is old when a delivery proves the time, or after a day', async () => {
    for (const isProven of [true, false]) {
      (await journal.accept(delivery('old'))).done();
      await close();
      wall += 30 * DAY;
      open();
      if (isProven) (await journal.accept(delivery('new'))).done();
      await pass(2 * HOUR);
      should(await kept()).deepEqual(isProven ? ['new'] : ['new', 'old']);
      await pass(DAY);
      should(await kept()).deepEqual(isProven ? ['new'] : []);
    }
  });

  it('removes a delivery within a day after the days that it is kept', async () => {
    (await journal.accept(delivery('first'))).done();
    for (let hour = 0; hour < 24; hour += 1) {
      await pass(HOUR);
      (await journal.accept(delivery(`later-${hour}`))).done();
    }
    await pass(6 * DAY);
    should(await kept()).containEql('first');
    await pass(DAY, HOUR);
    should(await kept()).not.containEql('first');
  });

  it('replays by time across a jump', async () => {
    const from = wall;
    (await journal.accept(delivery('a'))).done();
    wall -= 7 * DAY;
    (await journal.accept(delivery('b', { verified: 'api' }))).done();
    wall += 7 * DAY + 1000;
    (await journal.accept(delivery('c'))).done();
    const ids: string[] = [];
    for await (const batch of journal.read({ from, to: wall + 1 })) ids.push(...batch.map(({ id }) => id));
    should(ids).deepEqual(['a', 'c']);
    should(await kept()).deepEqual(['a', 'b', 'c']);
  });

  it('keeps a waiting delivery that cannot be read at the moment', async () => {
    (await journal.accept(delivery('waiting'))).leave();
    await close();
    open();
    const name = path.join(logs(), 'keep-7', '00000001.log');
    renameSync(name, `${name}.kept`);
    mkdirSync(name);
    should(pendingIds()).deepEqual([]);
    should(said).have.length(1);
    should(said[0]).match(
      /cannot be read from the delivery log now .*tried again after the next deploy or start/
    );
    rmSync(name, { recursive: true });
    renameSync(`${name}.kept`, name);
    should(pendingIds()).deepEqual(['waiting']);
  });

  it('with 0 days removes all others while one waits, and repeats none of them without its database', async () => {
    days.set('node', 0).set('gone', 0);
    const secret = Buffer.from('{"text":"a private message"}');
    (await journal.accept(delivery('waiting', { scope: 'gone' }))).leave();
    (await journal.accept(delivery('beside it'))).done();
    await journal.tidy({ isHourly: false });
    for (let minute = 0; minute < 3; minute += 1) {
      (await journal.accept(delivery(`${minute}`, { rawBody: secret }))).done();
      await journal.written();
      await journal.tidy({ isHourly: false });
    }
    const files = readdirSync(path.join(logs(), 'keep-0')).map((name) =>
      readFileSync(path.join(logs(), 'keep-0', name))
    );
    should(Buffer.concat(files).includes(secret)).be.false();
    await close();
    rmSync(path.join(directory, 'state'), { recursive: true });
    open();
    should(pendingIds()).deepEqual([]);
    should(pendingIds('gone')).deepEqual(['waiting']);
  });

  it('keeps what it has when "Keep" is changed, for as long as the new number of days', async () => {
    (await journal.accept(delivery('7'))).done();
    (await journal.accept(delivery('waiting'))).leave();
    days.set('node', 0);
    (await journal.accept(delivery('0'))).done();
    await journal.written();
    await pass(HOUR);
    should(await kept()).deepEqual(['7', 'waiting']);
    should(pendingIds()).deepEqual(['waiting']);
    days.set('node', 30);
    (await journal.accept(delivery('30'))).done();
    await pass(20 * DAY);
    should(await kept()).deepEqual(['30']);
    await pass(12 * DAY);
    should(await kept()).deepEqual([]);
  });

  it('takes only its own directories for logs', async () => {
    (await journal.accept(delivery('a'))).leave();
    await close();
    for (const name of ['keep-07', 'keep-', 'keep-7.bak', 'keep-1e3', 'other'])
      mkdirSync(path.join(logs(), name));
    open();
    should(await kept()).deepEqual(['a']);
    should(pendingIds()).deepEqual(['a']);
  });

  it('reads a directory in which it may not write', async () => {
    (await journal.accept(delivery('a'))).leave();
    await close();
    const log = path.join(logs(), 'keep-7');
    writeFileSync(path.join(log, '00000002.log'), Buffer.alloc(5000));
    chmodSync(log, 0o500);
    open();
    should(pendingIds()).deepEqual(['a']);
    chmodSync(log, 0o700);
  });
});
