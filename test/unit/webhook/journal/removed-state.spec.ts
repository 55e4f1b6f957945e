import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { StateDatabase } from '../../../../src/state/state-database';
import { LogJournal } from '../../../../src/webhook/journal/log-journal';
import { delivery } from '../log/log-fixture';

describe('LogJournal whose state is removed while it is open', () => {
  let root: string;
  let open: { database: StateDatabase; journal: LogJournal }[];
  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'telnyx-removed-'));
    open = [];
  });
  afterEach(async () => {
    for (const { database, journal } of open) {
      await journal.dispose();
      await database.close();
    }
    rmSync(root, { recursive: true });
  });

  const directory = (): string => path.join(root, 'telnyx');
  function journalOf(state: string): LogJournal {
    const database = new StateDatabase(state);
    const journal = new LogJournal({
      database,
      directory: path.join(state, 'deliveries'),
      guard: () => undefined,
      log: () => undefined,
      days: new Map(),
      mostBytes: 1e9
    });
    open.push({ database, journal });
    return journal;
  }
  const accept = (journal: LogJournal, id: string) =>
    journal.accept({ ...delivery(id), receivedAt: Date.now() });
  /** What the next process finds if this one is killed now. */
  function afterKill(): LogJournal {
    const copy = mkdtempSync(path.join(root, 'killed-'));
    cpSync(directory(), copy, { recursive: true });
    return journalOf(copy);
  }
  const pendingIds = (journal: LogJournal): string[] =>
    [...journal.pending('node-a')].map((each) => each.delivery.id);

  for (const rounds of [2, 4]) {
    it(`knows all that it accepted when it is removed ${rounds} times in a moment and the process is killed`, async () => {
      const journal = journalOf(directory());
      const ids: string[] = [];
      // Faster than the database follows the log by itself.
      for (let round = 1; round <= rounds; round += 1) {
        const id = `before removal ${round}`;
        await accept(journal, id);
        ids.push(id);
        rmSync(directory(), { recursive: true });
      }
      await accept(journal, 'last');
      const next = afterKill();
      should([...ids, 'last'].filter((id) => next.find('node-a', id) === undefined)).deepEqual([]);
      // Each waits for its node, with its content.
      should(pendingIds(next)).deepEqual([...ids, 'last']);
    });
  }

  it('does not hand over again what was handed over', async () => {
    const journal = journalOf(directory());
    for (const id of ['a', 'b', 'c']) {
      (await accept(journal, id)).done();
      await journal.written();
      rmSync(directory(), { recursive: true });
    }
    await accept(journal, 'last');
    const next = afterKill();
    should(pendingIds(next)).deepEqual(['last']);
    should(['a', 'b', 'c'].filter((id) => next.find('node-a', id) === undefined)).deepEqual([]);
  });

  it('restores the log even when nothing is delivered', async () => {
    const journal = journalOf(directory());
    await accept(journal, 'a');
    rmSync(directory(), { recursive: true });
    await journal.tidy({ isHourly: false });
    should(pendingIds(afterKill())).deepEqual(['a']);
  });
});
