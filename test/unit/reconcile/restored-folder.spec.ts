import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { deletionOf, storedRemoval } from '../../../src/archive/deletion/stored-removal';
import type { IndexedFile } from '../../../src/archive/index/stored-index';
import type { CodedError } from '../../../src/errors/coded-error';
import { Deletions } from '../../../src/evidence/deletion/deletions';
import type { DeletedKey, DeletionReason } from '../../../src/evidence/deletion/tombstones';
import { providers } from '../../../src/providers/registry';
import { type RebuildCounts, noRebuildCounts, rebuildIndex } from '../../../src/reconcile/rebuild-index';
import { type FolderStore, createFolderStore } from '../../../src/store/folder/folder-store';
import type { StoredRecording } from '../../../src/store/stored-recording';
import { keyDigest } from '../../../src/values/fields';
import { CustodyFixture } from '../evidence/custody-fixture';
import { testOwner } from '../store/folder/store-fixture';
import { StoredFolder } from './archive-fixture';

describe('a folder that is restored from a backup is read into the index', () => {
  let stored: StoredFolder;
  let custody: CustodyFixture;
  let deletions: Deletions;
  let errors: CodedError[];

  beforeEach(async () => {
    stored = new StoredFolder();
    custody = new CustodyFixture();
    errors = [];
    const storeAt = (folder: string): FolderStore => createFolderStore({ folder, owner: testOwner() });
    deletions = new Deletions({
      database: stored.state.database,
      custody: await custody.open(),
      removal: storedRemoval({ facts: stored.facts, storeAt }),
      now: () => custody.now
    });
  });
  afterEach(async () => {
    await stored.remove();
    await custody.end();
  });

  async function rebuild(): Promise<RebuildCounts> {
    const counts = noRebuildCounts();
    await rebuildIndex(
      {
        folder: stored.folder,
        index: stored.recordings.at(stored.folder),
        origins: providers,
        commit: (effects) => stored.facts.commit(effects),
        deletions,
        onKept: (error) => errors.push(error),
        emit: () => Promise.resolve(),
        onSidecar: () => undefined,
        signal: new AbortController().signal
      },
      counts
    );
    return counts;
  }

  const CASE = { id: 'Doe v. Roe', reason: 'a letter', by: 'Jane Doe' };
  const KEY = (id: string): DeletedKey => [keyDigest(`telnyx:${id}`), keyDigest(stored.folder), 'mp3'];
  const remove = (file: IndexedFile): Promise<unknown> =>
    deletions.delete(deletionOf(file, stored.folder, { reason: 'erased', actor: 'test' }));

  it('without what was deleted: that goes again, with its JSON file and text', async () => {
    const text = path.join(stored.folder, '2026', '03', 'rec-1.txt');
    const more = { transcription: 'hello', transcription_file: text };
    const file = stored.file('rec-1', more);
    writeFileSync(text, 'hello');
    await stored.enter(file, stored.file('rec-2'));
    should(await remove(file)).have.property('deleted', true);
    stored.recordings.find('telnyx:rec-1').should.be.empty();
    const left = (): string[] => readdirSync(path.dirname(text)).sort();
    should(left()).eql(['rec-2.mp3', 'rec-2.mp3.json']);
    stored.file('rec-1', more);
    writeFileSync(text, 'hello');
    should(await rebuild()).have.properties({
      sidecars: 2,
      known: 1,
      indexed: 0,
      deleted: 1,
      refused: 0
    });
    should(left()).eql(['rec-2.mp3', 'rec-2.mp3.json']);
  });

  it('but not what is held, until its release', async () => {
    const file = stored.file('rec-1');
    await stored.enter(file);
    await remove(file);
    const at = stored.file('rec-1').recording.path!;
    should(await deletions.hold(KEY('rec-1'), 'rec-1', CASE)).equal('placed');
    should(await rebuild()).have.properties({ deleted: 0, refused: 1, indexed: 0 });
    should(existsSync(at)).be.true();
    await deletions.release(KEY('rec-1'), 'rec-1', { id: CASE.id, by: 'Jane Doe' });
    should(await deletions.runDeferred()).equal(1);
    should(existsSync(at)).be.false();
  });

  describe('in another folder', () => {
    const KEPT = { policy: null, retain_until: null };
    const elsewhere = '/archive/of/before';

    /** What a backup brings, of a file that was deleted in its own folder. */
    async function restored(reason: DeletionReason, more: Partial<StoredRecording> = {}): Promise<string> {
      const at = path.join(elsewhere, 'rec-1.mp3');
      const { recording } = stored.file('rec-1', { path: at, ...more });
      const key: DeletedKey = [keyDigest('telnyx:rec-1'), keyDigest(elsewhere), 'mp3'];
      const { stored_at, size: bytes } = recording;
      const deleted_at = '2026-06-01T10:00:00.000Z';
      const tombstone = { stored_at, bytes, deleted_at, reason, policy: null, seq: 1 };
      await stored.state.database.commit([deletions.tombstones.putting(key, tombstone)]);
      return path.join(stored.folder, '2026', '03', 'rec-1.mp3');
    }

    it('without what was erased', async () => {
      const file = await restored('erased');
      should(await rebuild()).have.properties({ deleted: 1, indexed: 0 });
      should(existsSync(file)).be.false();
    });

    it('without what expired and says itself that its time was over', async () => {
      const retention = { ...KEPT, delete_after: '2026-05-30T10:00:00.000Z' };
      const file = await restored('expired', { retention });
      should(await rebuild()).have.properties({ deleted: 1, indexed: 0 });
      should(existsSync(file)).be.false();
    });

    it('with what expired elsewhere and is to be kept longer here', async () => {
      for (const delete_after of [null, '2033-05-30T10:00:00.000Z']) {
        const file = await restored('expired', { retention: { ...KEPT, delete_after } });
        should(await rebuild()).have.properties({ deleted: 0 });
        should(existsSync(file)).be.true();
      }
    });

    it('but nothing that may not be deleted yet', async () => {
      const retention = { ...KEPT, retain_until: '2033-05-30T10:00:00.000Z', delete_after: null };
      const file = await restored('erased', { retention });
      should(await rebuild()).have.properties({ deleted: 0, refused: 1 });
      should(existsSync(file)).be.true();
    });

    it('with a copy of its own that was stored at the same moment, and another one', async () => {
      const own = path.join(stored.folder, '2026', '03', 'rec-1.mp3');
      await restored('erased', { path: own });
      should(await rebuild()).have.properties({ deleted: 0, indexed: 1 });
      await restored('erased');
      stored.file('rec-1', { path: '/another', stored_at: '2026-03-05T10:00:00.000Z' });
      should(await rebuild()).have.properties({ deleted: 0 });
      should(existsSync(own)).be.true();
    });
  });

  it('with a copy that was stored later, which stays', async () => {
    const file = stored.file('rec-1');
    await stored.enter(file);
    await remove(file);
    stored.file('rec-1', { stored_at: '2026-03-05T10:00:00.000Z' });
    should(await rebuild()).have.properties({ deleted: 0, refused: 0, indexed: 1 });
    stored.recordings.find('telnyx:rec-1').should.have.length(1);
  });

  it('and a JSON file cannot have the text of another recording deleted', async () => {
    const other = stored.file('other').recording.path!;
    const file = stored.file('rec-1', { transcription_file: other });
    await stored.enter(file);
    await remove(file);
    stored.file('rec-1', { transcription_file: other });
    should(await rebuild()).have.properties({ deleted: 1 });
    should(existsSync(other)).be.true();
  });

  it('and reports what cannot be deleted while the custody log takes no line', async () => {
    const file = stored.file('rec-1');
    await stored.enter(file);
    await remove(file);
    const at = stored.file('rec-1').recording.path!;
    await custody.custody!.close();
    should(await rebuild()).have.properties({ deleted: 0, refused: 1 });
    should(errors.map(({ code }) => code)).eql(['STORE_FAILED']);
    should(existsSync(at)).be.true();
  });
});
