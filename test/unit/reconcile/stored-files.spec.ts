import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import type { CodedError } from '../../../src/errors/coded-error';
import { Tombstones } from '../../../src/evidence/deletion/tombstones';
import { providers } from '../../../src/providers/registry';
import { CopyReader, type CopyState } from '../../../src/reconcile/copy-reader';
import { type RebuildCounts, noRebuildCounts, rebuildIndex } from '../../../src/reconcile/rebuild-index';
import type { LockFacts } from '../../../src/store/kept-facts';
import {
  type DamagedFile,
  MissingFiles,
  type VerifyCounts,
  noVerifyCounts,
  verifyStored
} from '../../../src/reconcile/verify-stored';
import type { BucketStore } from '../../../src/store/bucket/bucket-store';
import type { StoredRecording } from '../../../src/store/stored-recording';
import { StoredFolder } from './archive-fixture';

const never = new AbortController().signal;

const nothingDeleted = (): Promise<never> => Promise.reject(new Error('Nothing was deleted here.'));

const readCopy = (recording: StoredRecording, buckets: BucketStore[], signal = never): Promise<CopyState> =>
  new CopyReader(() => buckets, signal).read(recording);

describe('what is stored', () => {
  let stored: StoredFolder;
  let emitted: DamagedFile[];
  let errors: CodedError[];
  /** How many files the index had of each recording when it was emitted. */
  let known: number[];

  beforeEach(() => {
    stored = new StoredFolder();
    emitted = [];
    errors = [];
    known = [];
  });
  afterEach(() => stored.remove());

  const emit = (file: DamagedFile): Promise<void> => {
    emitted.push(file);
    known.push(stored.recordings.find(file.identity).length);
    return Promise.resolve();
  };
  const told = (): string[] =>
    emitted.map(({ recording, damage }) => `${recording.recording_id} ${damage}`).sort();

  describe('is checked', () => {
    async function verify(
      read: (recording: StoredRecording) => Promise<CopyState> = (recording) => readCopy(recording, [])
    ): Promise<VerifyCounts> {
      const counts = noVerifyCounts();
      const { facts } = stored;
      const onUnreadable = (error: CodedError): void => void errors.push(error);
      await verifyStored({ facts, read, emit, onFile: () => undefined, onUnreadable, signal: never }, counts);
      return counts;
    }

    it('and what is missing or changed is reported; the rest is intact', async () => {
      const files = Array.from({ length: 450 }, (_value, index) => stored.file(`rec-${index}`));
      await stored.enter(...files);
      unlinkSync(files[7]!.recording.path!);
      writeFileSync(files[8]!.recording.path!, 'rotten');
      unlinkSync(files[9]!.recording.path!);
      mkdirSync(files[9]!.recording.path!);
      should(await verify()).eql({ files: 450, intact: 447, changed: 2, missing: 1, unreadable: 0 });
      told().should.eql(['rec-7 missing', 'rec-8 changed', 'rec-9 changed']);
      errors.should.eql([]);
    });

    it('and that of a sample is left alone: no provider has it', async () => {
      const sample = stored.file('sample-1', { sample: true });
      await stored.enter(stored.file('rec-1'), stored.file('rec-2'), sample);
      unlinkSync(sample.recording.path!);
      should(await verify()).match({ files: 2, intact: 2, missing: 0 });
      emitted.should.be.empty();
    });

    it('and a disk that is not there does not count as a loss', async () => {
      await stored.enter(stored.file('rec-1'), stored.file('rec-2'));
      // As an empty mount point, and as nothing at all.
      for (const name of readdirSync(stored.folder))
        rmSync(path.join(stored.folder, name), { recursive: true });
      should(await verify()).eql({ files: 2, intact: 0, changed: 0, missing: 0, unreadable: 2 });
      errors[0]!.code.should.equal('STORE_FAILED');
      errors[0]!.message.should.match(/mounted/);
      emitted.should.eql([]);
      // The hidden folder says that the archive itself is there.
      mkdirSync(path.join(stored.folder, '.telnyx-partial'));
      should(await verify()).have.properties({ missing: 2, unreadable: 0 });
    });

    it('and a file that cannot be looked up does not count as a loss', async () => {
      const inFolder = (name: string): string => path.join(stored.folder, '2026', name);
      const below = stored.file('below', { path: inFolder('none.mp3/below.mp3') });
      const long = stored.file('long', { path: inFolder(`${'x'.repeat(300)}.mp3`) });
      writeFileSync(inFolder('none.mp3'), 'a file in the place of a folder');
      mkdirSync(path.join(stored.folder, '.telnyx-partial'));
      await stored.enter(stored.file('sound'), below, long);
      should(await verify()).eql({ files: 3, intact: 1, changed: 0, missing: 0, unreadable: 2 });
      emitted.should.eql([]);
      for (const { code } of errors) code.should.equal('STORE_FAILED');
    });

    it('and an archive that is nearly all missing is not believed lost: another disk may be in its place', async () => {
      const files = Array.from({ length: 40 }, (_value, index) => stored.file(`rec-${index}`));
      await stored.enter(...files);
      mkdirSync(path.join(stored.folder, '.telnyx-partial'));
      for (const { recording } of files.slice(3)) unlinkSync(recording.path!);
      should(await verify()).eql({ files: 40, intact: 3, changed: 0, missing: 0, unreadable: 37 });
      emitted.should.eql([]);
      should(errors).have.length(1);
      errors[0]!.should.have.property('code', 'STORE_FAILED');
      errors[0]!.message.should.startWith(`37 of the 40 files in ${stored.folder} are not there`);
      // When half of them are missing, that is believed.
      for (const { recording } of files.slice(3, 20))
        writeFileSync(recording.path!, `bytes of ${recording.recording_id}`);
      should(await verify()).eql({ files: 40, intact: 20, changed: 0, missing: 20, unreadable: 0 });
      emitted.should.have.length(20);
    });

    it('and each archive is judged on its own', async () => {
      const other = path.join(stored.folder, 'usb');
      const inside = (index: number): StoredRecording['path'] => path.join(other, '2026', `rec-${index}.mp3`);
      const sound = Array.from({ length: 60 }, (_value, index) => stored.file(`sound-${index}`));
      const lost = Array.from({ length: 30 }, (_value, index) =>
        stored.file(`rec-${index}`, { path: inside(index)! })
      );
      await stored.enter(...sound, ...lost);
      for (const folder of [stored.folder, other])
        mkdirSync(path.join(folder, '.telnyx-partial'), { recursive: true });
      unlinkSync(sound[0]!.recording.path!);
      should(await verify()).eql({ files: 90, intact: 59, changed: 0, missing: 1, unreadable: 30 });
      told().should.eql(['sound-0 missing']);
      errors[0]!.message.should.match(/30 of the 30 files in .*usb are not there/);
    });

    it('and at most a thousand missing files are held back', () => {
      const missing = new MissingFiles();
      const file = stored.file('rec-1');
      for (let count = 0; count < 5000; count += 1) should(missing.missing('archive', file)).be.empty();
      for (let count = 0; count < 5000; count += 1) should(missing.present('archive')).be.empty();
      const { believed, refused, errors: why } = missing.end();
      should([believed.length, refused, why.length]).eql([0, 5000, 1]);
    });

    it('and a large file does not delay a stop', async () => {
      const { recording } = stored.file('rec-1');
      truncateSync(recording.path!, 20 * 1024 ** 3);
      const stop = new AbortController();
      const reading = readCopy(recording, [], stop.signal);
      // At some moment while it reads, which takes seconds and announces nothing.
      setTimeout(() => stop.abort(new Error('stopped by the test')), 20);
      await reading.should.be.rejectedWith('stopped by the test');
      const slow = {
        settings: { bucket: 'made-up', prefix: '' },
        objects: { probe: () => new Promise(() => undefined) }
      } as unknown as BucketStore;
      const inBucket = { ...recording, bucket: 'made-up', key: 'rec-1.mp3' };
      delete inBucket.path;
      const later = new AbortController();
      const waiting = readCopy(inBucket, [slow], later.signal);
      setImmediate(() => later.abort(new Error('stopped by the test')));
      await waiting.should.be.rejectedWith('stopped by the test');
    });

    it('and what was stored again meanwhile is checked again', async () => {
      const file = stored.file('rec-1');
      await stored.enter(file);
      let reads = 0;
      const counts = await verify(async (recording) => {
        reads += 1;
        if (reads === 1) await stored.enter(stored.file('rec-1', {}, 'fresh bytes'));
        return await readCopy(recording, []);
      });
      should([reads, counts.intact, counts.files]).eql([2, 1, 1]);
    });

    it('and what was held back as missing but has been stored again by then is intact', async () => {
      await stored.enter(...['rec-1', 'rec-2', 'rec-3'].map((id) => stored.file(id)));
      let first: string | null = null;
      let reads = 0;
      const counts = await verify(async ({ recording_id }) => {
        first ??= recording_id;
        reads += 1;
        if (reads === 3) await stored.enter(stored.file(first!, { stored_at: '2026-03-05T10:00:00.000Z' }));
        return { kind: 'missing', archive: 'a folder' };
      });
      should(counts).eql({ files: 3, intact: 1, changed: 0, missing: 2, unreadable: 0 });
      told().should.eql(
        ['rec-1', 'rec-2', 'rec-3'].filter((id) => id !== first).map((id) => `${id} missing`)
      );
    });

    it('also in a bucket, as long as it can be reached', async () => {
      const inBucket = { bucket: 'made-up', destination: 'bucket' as const };
      for (const name of ['sound', 'gone', 'changed', 'elsewhere', 'astray', 'broken']) {
        const recording = { ...stored.file(name).recording };
        delete recording.path;
        const bucket = name === 'elsewhere' ? { ...inBucket, bucket: 'other' } : inBucket;
        // In the same bucket, but of another download node, which is not there now.
        const key = name === 'astray' ? 'faxes/astray.mp3' : `calls/${name}.mp3`;
        await stored.enter({ ...stored.file(name), recording: { ...recording, ...bucket, key } });
      }
      const { sha256 } = stored.file('sound').recording;
      const bucket = {
        settings: { bucket: 'made-up', prefix: 'calls/' },
        objects: {
          probe: (key: string) =>
            key.includes('broken')
              ? Promise.reject(new Error('refused'))
              : Promise.resolve({ kind: key.includes('gone') ? 'missing' : 'object' })
        },
        readBack: (location: string) =>
          Promise.resolve({ sha256: location.includes('sound') ? sha256 : 'other', size: 1 })
      } as unknown as BucketStore;
      const counts = await verify((recording) => readCopy(recording, [bucket]));
      should(counts).eql({ files: 6, intact: 1, changed: 1, missing: 1, unreadable: 3 });
      told().should.eql(['changed changed', 'gone missing']);
      const reasons = errors.map(({ message }) => message).join();
      for (const reason of [/bucket other/, /bucket made-up could not be read/, /broken\.mp3/])
        reasons.should.match(reason);
    });

    it('until it is told to stop', async () => {
      const stop = new AbortController();
      await stored.enter(stored.file('rec-1'), stored.file('rec-2'));
      const counts = noVerifyCounts();
      const onFile = (): void => stop.abort(new Error('stopped by the test'));
      const { facts } = stored;
      const read = (recording: StoredRecording): Promise<CopyState> => readCopy(recording, []);
      const parts = { facts, read, emit, onFile, onUnreadable: () => undefined, signal: stop.signal };
      await verifyStored(parts, counts).should.be.rejectedWith('stopped by the test');
      counts.files.should.equal(1);
    });
  });

  describe('is read into the index', () => {
    async function rebuild(folder = stored.folder): Promise<RebuildCounts> {
      const counts = noRebuildCounts();
      await rebuildIndex(
        {
          folder,
          index: stored.recordings.at(folder),
          origins: providers,
          commit: (effects) => stored.facts.commit(effects),
          deletions: { tombstones: new Tombstones(stored.state.database), delete: nothingDeleted },
          onKept: (error) => errors.push(error),
          emit,
          onSidecar: () => undefined,
          signal: never
        },
        counts
      );
      return counts;
    }

    it('from sidecars, as it was before', async () => {
      const files = Array.from({ length: 1200 }, (_value, index) => stored.file(`rec-${index}`));
      should(await rebuild()).eql({
        sidecars: 1200,
        indexed: 1200,
        known: 0,
        missing: 0,
        changed: 0,
        deleted: 0,
        refused: 0,
        unusable: 0
      });
      const index = stored.recordings.at(stored.folder);
      for (const { identity, recording, wantedFormat } of files) {
        const [found] = await index.find(identity);
        should(found).have.properties({ identity, wantedFormat });
        should(found!.recording).eql(recording);
      }
      should(await rebuild()).have.properties({ sidecars: 1200, indexed: 0, known: 1200 });
    });

    it('with how long it is kept, when that can be read', async () => {
      const retention = {
        policy: { name: 'calls', version: '1' },
        retain_until: null,
        delete_after: '2026-06-03T10:00:00.000Z'
      };
      const lock: LockFacts = {
        mode: 'governance',
        until: '2026-06-03T10:00:00.000Z',
        hold: false,
        version_id: 'v1',
        confirmed_at: '2026-03-04T10:00:00.000Z'
      };
      const kept = stored.file('rec-1', { retention, lock });
      const broken = stored.file('rec-2', { retention: { ...retention, delete_after: 'soon' } });
      await rebuild();
      const index = stored.recordings.at(stored.folder);
      should((await index.find(kept.identity))[0]?.recording).containEql({ retention, lock });
      should((await index.find(broken.identity))[0]?.recording).not.have.property('retention');
    });

    it('from a folder that was moved', async () => {
      stored.file('rec-1', { transcription_file: '/elsewhere/2026/03/rec-1.txt', deleted_at_source: 'then' });
      const moved = mkdtempSync(path.join(tmpdir(), 'telnyx-moved-'));
      try {
        renameSync(path.join(stored.folder, '2026'), path.join(moved, '2026'));
        await rebuild(moved);
        const [found] = await stored.recordings.at(moved).find('telnyx:rec-1');
        const file = path.join(moved, '2026/03/rec-1.mp3');
        should(found!.recording).have.properties({
          path: file,
          sidecar: `${file}.json`,
          transcription_file: path.join(moved, '2026/03/rec-1.txt'),
          deleted_at_source: 'then'
        });
      } finally {
        rmSync(moved, { recursive: true });
      }
    });

    it('also when the index says something else about a file', async () => {
      await stored.enter(stored.file('rec-1'), stored.file('rec-2'), stored.file('rec-3'));
      const renamed = path.join(stored.folder, '2026', 'rec-1.mp3');
      const { recording } = stored.file('rec-1');
      for (const ending of ['', '.json']) renameSync(`${recording.path}${ending}`, `${renamed}${ending}`);
      const { sha256 } = stored.file('rec-2', {}, 'fresh bytes').recording;
      should(await rebuild()).have.properties({ sidecars: 3, indexed: 2, known: 1, missing: 0, changed: 0 });
      should(stored.recordings.find('telnyx:rec-1').map(({ recording: { path: at } }) => at)).eql([renamed]);
      should(stored.recordings.find('telnyx:rec-2').map((file) => file.recording.sha256)).eql([sha256]);
    });

    it('and what does not match its sidecar is reported', async () => {
      unlinkSync(stored.file('gone').recording.path!);
      const changed = stored.file('changed');
      writeFileSync(changed.recording.path!, 'longer than it was before');
      should(await rebuild()).have.properties({ sidecars: 2, indexed: 1, missing: 1, changed: 1 });
      told().should.eql(['changed changed', 'gone missing']);
      // Whoever stores it again finds which file is damaged, at once.
      known.sort().should.eql([0, 1]);
      (await stored.recordings.at(stored.folder).find('telnyx:changed')).should.have.length(1);
      (await stored.recordings.at(stored.folder).find('telnyx:gone')).should.have.length(0);
    });

    it('from sidecars of older versions, by the id alone', async () => {
      const older = { identity: '' } as Partial<StoredRecording>;
      stored.file('rec-1', older);
      stored.file('track-1', { ...older, provider: 'daily', recording_id: 'daily-1', track: 'cam-audio' });
      stored.file('nameless', { ...older, recording_id: null });
      stored.file('rec-2', { identity: 'daily:of somebody else' });
      should(await rebuild()).have.properties({ sidecars: 4, indexed: 3, unusable: 1 });
      stored.recordings.find('telnyx:rec-2').should.have.length(1);
      stored.recordings.find('daily:of somebody else').should.be.empty();
      stored.recordings.find('telnyx:rec-1').should.have.length(1);
      stored.recordings.find('daily:daily-1#cam-audio').should.have.length(1);
    });

    it('and nothing else that is there', async () => {
      const { recording } = stored.file('rec-1');
      const beside = (name: string): string => path.join(path.dirname(recording.path!), name);
      writeFileSync(beside('package.json'), '{"name":"other"}');
      writeFileSync(beside('broken.json'), '{');
      writeFileSync(beside('list.json'), '[]');
      writeFileSync(beside('call.mp3.damaged-20260304T050607Z.json'), JSON.stringify(recording));
      mkdirSync(beside('.telnyx-partial'));
      writeFileSync(beside('.telnyx-partial/x.json'), JSON.stringify(recording));
      for (const size of [-1, 0.5, '12', null])
        writeFileSync(beside(`size ${size}.json`), JSON.stringify({ ...recording, size }));
      writeFileSync(beside('poison.json'), '{"__proto__":{"sha256":"x"},"provider":"telnyx","size":-1}');
      should(await rebuild()).have.properties({ sidecars: 3, indexed: 1, unusable: 2 });
      stored.recordings.count().should.equal(1);
    });

    it('but not from a folder that is not there, or has nothing of ours', async () => {
      const other = mkdtempSync(path.join(tmpdir(), 'telnyx-other-'));
      writeFileSync(path.join(other, 'package.json'), '{"name":"other"}');
      const nothing = rebuild(other).should.be.rejectedWith({ code: 'STORE_FAILED', message: /mounted/ });
      await nothing.finally(() => rmSync(other, { recursive: true }));
      await rebuild(path.join(stored.folder, 'none')).should.be.rejectedWith({ code: 'STORE_FAILED' });
    });
  });

  it('is found in the steps of a long walk, each file once', async () => {
    await stored.enter(...Array.from({ length: 1001 }, (_value, index) => stored.file(`rec-${index}`)));
    for (const size of [1, 100, 1001, 5000]) {
      const ids = [...stored.recordings.steps(size)].flatMap((step) => step.map(({ identity }) => identity));
      should([ids.length, new Set(ids).size]).eql([1001, 1001]);
    }
  });
});
