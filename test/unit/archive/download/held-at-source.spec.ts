import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import should from 'should';
import { HeldAtSource } from '../../../../src/archive/download/held-at-source';
import {
  DeletedRecordings,
  SourceDeletion,
  type SourceDeletionDeps,
  type StoredWhole
} from '../../../../src/archive/download/source-deletion';
import { entering } from '../../../../src/archive/effects';
import { LocalFacts } from '../../../../src/archive/index/local-facts';
import { CodedError } from '../../../../src/errors/coded-error';
import type { CustodyEntry } from '../../../../src/evidence/custody/custody-line';
import { Deletions } from '../../../../src/evidence/deletion/deletions';
import { createFolderStore } from '../../../../src/store/folder/folder-store';
import type { StoredRecording } from '../../../../src/store/stored-recording';
import { keyDigest } from '../../../../src/values/fields';
import { sha256 } from '../../../support/media';
import { testOwner } from '../../store/folder/store-fixture';
import { ArchiveFixture, STORED_AT, recordingAt } from '../archive-fixture';
import { StateFixture } from '../state-fixture';

const CASE = { id: 'Doe v. Roe', reason: 'a letter of their lawyer', by: 'Jane Doe' };
const LINK = 'https://media.example.com/rec-1.wav?X-Amz-Signature=geheim';
const never = new AbortController().signal;

describe('deletion at the source of a recording that is held', () => {
  let archive: ArchiveFixture;
  let state: StateFixture;
  let lines: CustodyEntry[];
  let asked: string[];
  let notDeleted: string[];
  let deletions: Deletions;
  let held: HeldAtSource;
  let deletion: SourceDeletion;
  let deleteRecording: SourceDeletionDeps['deleteRecording'];
  let isLogBroken: boolean;

  beforeEach(async () => {
    archive = await ArchiveFixture.create();
    state = new StateFixture();
    [lines, asked, notDeleted, isLogBroken] = [[], [], [], false];
    deleteRecording = ({ identity }) => {
      asked.push(identity);
      return Promise.resolve({ ok: true, already_gone: false });
    };
    start();
  });
  afterEach(async () => {
    await archive.remove();
    await state.remove();
  });

  const facts = () => new LocalFacts(state.database, () => STORED_AT);
  const key = (identity = 'telnyx:rec-1') => [keyDigest(identity), keyDigest(archive.folder), ''] as const;

  /** As a process does that begins. */
  function start(): void {
    deletions = new Deletions({
      database: state.database,
      custody: {
        append: (entry) => {
          if (isLogBroken) return Promise.reject(new Error('the disk is full'));
          lines.push(entry);
          return Promise.resolve({ seq: lines.length, at: STORED_AT });
        },
        clock: { doubt: () => null }
      },
      removal: { remove: () => Promise.resolve(), forgetting: () => [] },
      now: () => STORED_AT
    });
    const index = facts().at(archive.folder);
    held = new HeldAtSource({
      database: state.database,
      node: 'node-1',
      index,
      deletions: () => Promise.resolve(deletions),
      commit: (effects) => facts().commit(effects),
      onNotDeleted: (message) => notDeleted.push(message)
    });
    deletion = new SourceDeletion({
      store: createFolderStore({ folder: archive.folder, owner: testOwner() }),
      deleteRecording: (...about) => deleteRecording(...about),
      deleted: new DeletedRecordings(facts()),
      holds: deletions,
      keepForRelease: (recording) => held.keep(recording),
      actor: 'node:node-1',
      now: () => STORED_AT
    });
  }

  /** A file of the archive, and what its job knows of it. */
  async function stored(): Promise<StoredWhole> {
    const file = path.join(archive.folder, 'rec-1.wav');
    await mkdir(archive.folder, { recursive: true });
    await writeFile(file, 'sound');
    const reference = recordingAt(LINK);
    const recording = {
      ...{ ...reference.details, path: file, size: 5, sha256: sha256(Buffer.from('sound')), sidecar: null },
      ...{ destination: 'folder', deleted_at_source: null, stored_at: new Date(STORED_AT).toISOString() }
    } as StoredRecording;
    const { identity } = reference;
    const entry = { identity, wantedFormat: null, recording, order: 'job' };
    await facts().commit(entering(facts().at(archive.folder), [entry]));
    return { reference, files: [{ recording, payload: file }] };
  }

  async function refused(): Promise<StoredWhole> {
    const whole = await stored();
    await deletions.hold([...key()], 'rec-1', CASE);
    should(await deletion.delete(whole, never)).have.property('kind', 'held');
    return whole;
  }

  const release = () => deletions.release([...key()], 'rec-1', { id: CASE.id, by: 'Jane Doe' });

  it('waits for its release, also through a restart, and then shows in the index', async () => {
    await refused();
    should(asked).eql([]);
    should(lines.at(-1)).containDeep({
      ...{ event: 'deletion-refused', actor: 'node:node-1' },
      details: { reason: 'at-source', kind: 'held' }
    });
    const count = lines.length;
    await held.run(deletion, never);
    // Asking in between is no attempt.
    should([asked, lines.length]).eql([[], count]);
    await state.reopen();
    start();
    await release();
    await held.run(deletion, never);
    should(asked).eql(['telnyx:rec-1']);
    should(facts().recordings.find('telnyx:rec-1')[0]?.recording.deleted_at_source).be.a.String();
    await held.run(deletion, never);
    should(asked).have.length(1);
  });

  it('is kept without the signature of its link', async () => {
    await refused();
    const [kept] = [...state.database.collection<StoredWhole>('held-at-source').range({})];
    should(kept?.value.reference.links.map(({ url }) => url)).eql(['https://media.example.com/rec-1.wav']);
  });

  it('stays for the next time when the source is away', async () => {
    await refused();
    await release();
    const { deleteRecording: works } = { deleteRecording };
    deleteRecording = () => Promise.reject(new CodedError('RATE_LIMITED', 'Later.', { retryable: true }));
    await held.run(deletion, never);
    deleteRecording = works;
    await held.run(deletion, never);
    should(asked).have.length(1);
    should(notDeleted).eql([]);
  });

  it('ends with a word when the source refuses for good, or the copy is gone since', async () => {
    await refused();
    await release();
    deleteRecording = () => Promise.resolve({ ok: false, message: 'Not of this account.' });
    await held.run(deletion, never);
    should(notDeleted).eql(['Not of this account.']);
    await refused();
    await release();
    const stone = {
      stored_at: '',
      deleted_at: '',
      reason: 'erased',
      policy: null,
      bytes: 5,
      seq: 1
    } as const;
    await state.database.commit([deletions.tombstones.putting([...key()], stone)]);
    await held.run(deletion, never);
    should(notDeleted[1]).match(/copy in the archive was deleted/);
    should(asked).eql([]);
  });

  it('tells who wants to know of the last release only', async () => {
    let told = 0;
    const end = deletions.onFree(() => (told += 1));
    await refused();
    await deletions.hold([...key()], 'rec-1', { ...CASE, id: 'audit' });
    await release();
    should(told).equal(0);
    await deletions.release([...key()], 'rec-1', { id: 'audit', by: 'Jane Doe' });
    should(told).equal(1);
    end();
    await deletions.hold([...key()], 'rec-1', { ...CASE, id: 'third' });
    await deletions.release([...key()], 'rec-1', { id: 'third', by: 'Jane Doe' });
    should(told).equal(1);
  });

  it('does not happen while a track of it is held under its own name', async () => {
    const whole = await stored();
    const [{ recording, payload }] = whole.files as [StoredWhole['files'][number]];
    const track = { recording: { ...recording, identity: 'telnyx:rec-1#2' }, payload };
    await deletions.hold([...key('telnyx:rec-1#2')], 'rec-1', CASE);
    const both = { ...whole, files: [...whole.files, track] };
    should(await deletion.delete(both, never)).have.property('kind', 'held');
    should(asked).eql([]);
  });

  it('does not happen when nobody can tell whether it is held', async () => {
    const whole = await stored();
    await deletions.hold([...key()], 'rec-1', CASE);
    isLogBroken = true;
    const result = await deletion.delete(whole, never);
    should(result).containDeep({ kind: 'failed', error: { code: 'STORE_FAILED', retryable: true } });
    should(asked).eql([]);
  });

  it('lets a hold wait for a deletion under way, and a deletion for a hold', async () => {
    const whole = await stored();
    let answer = (): void => undefined;
    const begun = new Promise<void>((resolve) => {
      deleteRecording = () =>
        new Promise((done) => {
          answer = () => done({ ok: true, already_gone: false });
          resolve();
        });
    });
    const deleting = deletion.delete(whole, never);
    await begun;
    let isHeld = false;
    const holding = deletions.hold([...key()], 'rec-1', CASE).then(() => (isHeld = true));
    await new Promise((resolve) => setImmediate(resolve));
    should(isHeld).equal(false);
    answer();
    should((await deleting).kind).equal('deleted');
    await holding;
    should(deletions.holds.active(key()[0])).have.length(1);
  });
});
