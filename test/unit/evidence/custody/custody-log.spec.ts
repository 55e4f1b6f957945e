import { createHash } from 'node:crypto';
import {
  appendFileSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { type CustodyEntry, NO_HASH } from '../../../../src/evidence/custody/custody-line';
import { CustodyLog, type CustodyLogOptions } from '../../../../src/evidence/custody/custody-log';
import { readCustodyFile } from '../../../../src/evidence/custody/custody-reader';

const NOON = Date.UTC(2026, 10, 30, 12);
const DAY_MS = 24 * 60 * 60 * 1000;

const STORED: CustodyEntry = {
  event: 'stored',
  recording: '9d1bd6a2-7f2b-4d1c-8f0a-0d7f4d1b2c3e',
  sha256: 'a'.repeat(64),
  actor: 'node:1'
};

function sha256(bytes: string | Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe('the custody log', () => {
  let directory: string;
  let now: number;
  const told: string[] = [];
  const logs: CustodyLog[] = [];

  beforeEach(() => {
    directory = path.join(mkdtempSync(path.join(tmpdir(), 'custody-')), 'custody');
    now = NOON;
    told.length = 0;
  });

  afterEach(async () => {
    for (const log of logs.splice(0)) await log.close();
    rmSync(path.dirname(directory), { recursive: true, force: true });
  });

  async function opened(options: Partial<CustodyLogOptions> = {}): Promise<CustodyLog> {
    const log = await CustodyLog.open({
      directory,
      log: (text) => told.push(text),
      now: () => now,
      ...options
    });
    logs.push(log);
    return log;
  }

  function files(): string[] {
    return readdirSync(directory).sort();
  }

  function text(name: string): string {
    return readFileSync(path.join(directory, name), 'utf8');
  }

  function lines(name: string): Record<string, unknown>[] {
    return text(name)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  it('chains the raw lines, each with its line feed', async () => {
    const log = await opened();
    const places = await Promise.all([log.append(STORED), log.append({ ...STORED, event: 'read-back' })]);
    should(places.map(({ seq }) => seq)).eql([2, 3]);
    should(files()).eql(['00000001-2026-11-30.jsonl']);
    const [first = '', second = '', third = ''] = text('00000001-2026-11-30.jsonl').split('\n');
    should(JSON.parse(first)).containDeep({ seq: 1, event: 'opened', prev: NO_HASH });
    should(JSON.parse(second)).have.property('prev', sha256(`${first}\n`));
    should(JSON.parse(third)).have.property('prev', sha256(`${second}\n`));
    should(JSON.parse(second)).have.properties({ v: 1, seq: 2, event: 'stored', actor: 'node:1' });
    if (process.platform !== 'win32')
      should(statSync(path.join(directory, '00000001-2026-11-30.jsonl')).mode & 0o777).equal(0o600);
  });

  it('syncs many entries together, and gives each its own number', async () => {
    let syncs = 0;
    const log = await opened({
      sync: async (handle) => {
        syncs += 1;
        await handle.datasync();
      }
    });
    const places = await Promise.all(Array.from({ length: 400 }, () => log.append(STORED)));
    should(places.map(({ seq }) => seq)).eql(Array.from({ length: 400 }, (_each, at) => at + 2));
    should(syncs).equal(1);
  });

  it('begins a file a day, whose first line has the hash of the file before', async () => {
    const closed: string[] = [];
    const log = await opened({ onClosed: () => closed.push('closed') });
    await log.append(STORED);
    now += DAY_MS;
    await log.append(STORED);
    should(files()).eql(['00000001-2026-11-30.jsonl', '00000002-2026-12-01.jsonl']);
    const [first] = lines('00000002-2026-12-01.jsonl');
    should(first?.['details']).eql({
      previous_file: '00000001-2026-11-30.jsonl',
      previous_sha256: sha256(text('00000001-2026-11-30.jsonl'))
    });
    should(closed).eql(['closed']);
    should(await log.turnPage()).equal(false);
    now += DAY_MS;
    should(await log.turnPage()).equal(true);
    should(lines('00000003-2026-12-02.jsonl')).have.length(1);
  });

  it('keeps the order of files when the clock goes back', async () => {
    const log = await opened();
    await log.append(STORED);
    now -= 400 * DAY_MS;
    const { seq } = await log.append(STORED);
    should(seq).equal(4);
    should(files()).eql(['00000001-2026-11-30.jsonl', '00000002-2025-10-26.jsonl']);
  });

  it('goes on where it was after a restart', async () => {
    const log = await opened();
    await log.append(STORED);
    await log.close();
    const again = await opened();
    should(again.last).eql({ seq: 2, at: NOON });
    should(await again.append(STORED)).have.property('seq', 3);
    const state = await readCustodyFile('00000001-2026-11-30.jsonl', {
      directory,
      after: { seq: 0, head: NO_HASH }
    });
    should(state.faults).eql([]);
    should(state.lines).equal(3);
    should(told).eql([]);
  });

  it('cuts off a line that a crash left unfinished, and says so', async () => {
    const log = await opened();
    await log.append(STORED);
    await log.close();
    const whole = text('00000001-2026-11-30.jsonl');
    appendFileSync(path.join(directory, '00000001-2026-11-30.jsonl'), '{"v":1,"seq":3,"at":"20');
    const again = await opened();
    await again.append(STORED);
    should(text('00000001-2026-11-30.jsonl')).startWith(whole);
    should(lines('00000001-2026-11-30.jsonl')[2]).containDeep({
      seq: 3,
      event: 'damage',
      details: { kind: 'torn' }
    });
    should(told.join()).match(/cut off by a crash/);
  });

  it('leaves a changed file as it is, and goes on in a new one that tells of it', async () => {
    const log = await opened();
    for (let count = 0; count < 3; count += 1) await log.append(STORED);
    await log.close();
    const file = path.join(directory, '00000001-2026-11-30.jsonl');
    const changed = text('00000001-2026-11-30.jsonl').replace('"seq":2,', '"seq":2, ');
    writeFileSync(file, changed);
    const again = await opened();
    await again.append(STORED);
    should(readFileSync(file, 'utf8')).equal(changed);
    const [first, second, third] = lines('00000002-2026-11-30.jsonl');
    should(first).containDeep({ seq: 5, details: { previous_sha256: sha256(changed) } });
    should(second).containDeep({ event: 'damage', details: { kind: 'changed', line: 3 } });
    should(third).have.property('event', 'stored');
    should(told.join()).match(/is not as it was written/);
  });

  it('notices that its file was removed or written to while it runs', async () => {
    const log = await opened();
    await log.append(STORED);
    renameSync(directory, `${directory}-away`);
    const written = readFileSync(path.join(`${directory}-away`, '00000001-2026-11-30.jsonl'));
    await log.append(STORED);
    const [first, second, third] = lines('00000002-2026-11-30.jsonl');
    should(first).containDeep({ details: { previous_sha256: sha256(written) } });
    should(second).containDeep({ event: 'damage', details: { kind: 'removed' } });
    should(third).have.property('seq', 5);
    appendFileSync(path.join(directory, '00000002-2026-11-30.jsonl'), 'x');
    await log.append(STORED);
    should(lines('00000003-2026-11-30.jsonl')[1]).containDeep({ details: { kind: 'replaced' } });
  });

  it('rejects what the disk did not take, and goes on without a gap', async () => {
    let isFull = false;
    const log = await opened({
      sync: async (handle) => {
        if (isFull) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
        await handle.datasync();
      }
    });
    await log.append(STORED);
    isFull = true;
    await should(log.append(STORED)).be.rejectedWith({ code: 'STORE_FAILED', retryable: true });
    isFull = false;
    should(await log.append(STORED)).have.property('seq', 3);
    const state = await readCustodyFile('00000001-2026-11-30.jsonl', {
      directory,
      after: { seq: 0, head: NO_HASH }
    });
    should(state).have.properties({ lines: 3, faults: [], torn: 0 });
  });

  it('rejects what a full disk did not take at the start of a day, too', async () => {
    let isFull = true;
    const log = await opened({
      sync: async () => {
        if (isFull) return Promise.reject(new Error('no space left on device'));
        return Promise.resolve();
      }
    });
    await should(log.append(STORED)).be.rejectedWith({ code: 'STORE_FAILED' });
    should(files()).eql([]);
    isFull = false;
    should(await log.append(STORED)).have.property('seq', 2);
  });

  it('does not write what another process owns', async () => {
    let isOwner = true;
    const guard = (): void => {
      if (!isOwner) throw new Error('the state belongs to another process');
    };
    const log = await opened({ guard });
    await log.append(STORED);
    const before = text('00000001-2026-11-30.jsonl');
    isOwner = false;
    await should(log.append(STORED)).be.rejected();
    should(text('00000001-2026-11-30.jsonl')).equal(before);
  });

  it('keeps what another process wrote while it owned the log', async () => {
    let isOwner = true;
    const guard = (when: 'before' | 'after'): void => {
      if (!isOwner && when === 'after') throw new Error('the state belongs to another process');
    };
    const log = await opened({ guard });
    await log.append(STORED);
    isOwner = false;
    // Written, but the process was taken for dead meanwhile: nobody is told, and nothing is taken back.
    await should(log.append(STORED)).be.rejected();
    const other = await opened();
    await other.append(STORED);
    await other.close();
    isOwner = true;
    should(await log.append(STORED)).have.property('seq', 5);
    const state = await readCustodyFile('00000001-2026-11-30.jsonl', {
      directory,
      after: { seq: 0, head: NO_HASH }
    });
    should(state).have.properties({ lines: 5, faults: [] });
  });

  it('holds no number that somebody may have dialled, and no name with a blank', async () => {
    const log = await opened();
    await log.append({
      event: 'hold-placed',
      recording: '+15550100',
      actor: 'Jane Doe',
      details: { case: '15550100', reason: 'Doe v. Roe', code: 'HELD' }
    });
    const written = text('00000001-2026-11-30.jsonl');
    should(written).not.match(/5550100|Doe/);
    should(written).containEql('"code":"HELD"');
  });
});
