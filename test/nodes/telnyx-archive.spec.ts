import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { archiveState } from '../../nodes/lib/archive-state';
import { custodyOf } from '../../nodes/lib/custody';
import { deletionsOf } from '../../nodes/lib/deletions';
import { deletedKey } from '../../src/archive/deletion/stored-removal';
import { identityOfId } from '../../src/recording/recording-reference';
import { linesOfCustody } from '../support/custody-lines';
import { loadedNode, nodeHelper } from '../support/node-helper';
import { until } from '../support/until';
import { ArchiveStage } from './archive-stage';

const CASE = { id: 'case 7', reason: 'a complaint', by: 'legal' };

describe('telnyx-archive', () => {
  let stage: ArchiveStage;

  beforeEach(() => {
    stage = new ArchiveStage();
  });
  afterEach(() => stage.remove());

  const files = (): string[] =>
    (existsSync(stage.folder) ? readdirSync(stage.folder) : [])
      .filter((name) => !name.startsWith('.'))
      .sort();
  const events = async (): Promise<string[]> => {
    await custodyOf(stage.RED).settled();
    return linesOfCustody(stage.userDir).map(({ event }) => event);
  };

  describe('find', () => {
    it('finds by each part of the query, latest first, with what is known and the cases', async () => {
      await stage.load();
      await stage.store('rec-1');
      await stage.store('rec-2', 1, { from: '+4930901820', recording_started_at: '2026-03-05T09:00:00Z' });
      const ids = async (query: object): Promise<unknown[]> => {
        const { payload, error } = await stage.ask({ query });
        should(error).be.null();
        return (payload!['files'] as { recording_id: string }[]).map(({ recording_id }) => recording_id);
      };
      should(await ids({})).eql(['rec-2', 'rec-1']);
      should(await ids({ recording_id: 'rec-1' })).eql(['rec-1']);
      should(await ids({ recording_id: 'rec' })).eql([]);
      should(await ids({ number: '30 90' })).eql(['rec-2']);
      should(await ids({ call: 'session rec-2' })).eql(['rec-2']);
      should(await ids({ call: 'session rec-2', number: '199' })).eql([]);
      should(await ids({ to: '2026-03-05' })).eql(['rec-1']);
      await stage.ask({ action: 'hold', query: { recording_id: 'rec-1' }, case: CASE });
      const { payload } = await stage.ask({ query: { recording_id: 'rec-1' }, limit: 1 });
      const [file] = payload!['files'] as Record<string, unknown>[];
      should(file).containEql({
        from: '+15550100199',
        kind: 'audio',
        location: path.join(stage.folder, 'rec-1.wav')
      });
      should((file!['cases'] as object[])[0]).containEql(CASE);
      should(JSON.stringify(payload)).not.match(/recording_urls|geheim/);
    });

    it('says when there is more', async () => {
      await stage.load();
      await stage.store('rec-1');
      await stage.store('rec-2');
      should((await stage.ask({ limit: 1 })).payload).containEql({ found: 1, complete: false });
      should((await stage.ask({ limit: 2 })).payload).containEql({ found: 2, complete: true });
    });
  });

  describe('a query or case that cannot be meant', () => {
    it('is refused, and says what to set', async () => {
      await stage.load();
      await stage.store('rec-1');
      for (const [message, text] of [
        [{ action: 'shred' }, /msg\.action/],
        [{ action: 'erase', dryRun: false }, /recording_id, number or call/],
        [{ action: 'erase', query: { numbr: '+15550100' }, dryRun: false }, /unknown/],
        [{ action: 'erase', query: { number: '' }, dryRun: false }, /msg\.query\.number/],
        [{ action: 'erase', query: { number: undefined }, dryRun: false }, /msg\.query\.number/],
        [{ action: 'sweep', query: 'rec-1', dryRun: false }, /msg\.query/],
        [{ action: 'sweep', dryRun: 'false' }, /msg\.dryRun/],
        [{ action: 'sweep', dryRun: false, limit: 0 }, /msg\.limit/],
        [{ action: 'hold', case: CASE }, /msg\.query/],
        [{ action: 'hold', query: { number: '+15550100' } }, /msg\.case/],
        [{ action: 'hold', query: { number: '+15550100' }, case: { ...CASE, by: ' ' } }, /"by"/],
        [{ action: 'release', case: { id: 'case 7' } }, /"by"/]
      ] as [object, RegExp][]) {
        const { payload, error } = await stage.ask({ ...message });
        should([message, error?.code]).eql([message, 'BAD_SETTING']);
        should(error!.message).match(text);
        should(payload).be.null();
      }
      should(files()).eql(['rec-1.wav', 'rec-1.wav.json']);
    });
  });

  describe('hold and release', () => {
    it('keeps what is held until all of its cases are released, and logs both', async () => {
      await stage.load();
      await stage.store('rec-1');
      const query = { number: '+1 (555) 010-0199' };
      should((await stage.ask({ action: 'hold', query, case: CASE })).payload).containEql({
        held: 1,
        known: 0
      });
      should((await stage.ask({ action: 'hold', query, case: CASE })).payload).containEql({
        held: 0,
        known: 1
      });
      should(
        (await stage.ask({ action: 'hold', query, case: { ...CASE, id: 'case 8' } })).payload
      ).containEql({ held: 1 });
      should((await stage.ask({ action: 'release', case: CASE })).payload).containEql({
        released: 1,
        still_held: 1
      });
      const kept = (await stage.ask({ action: 'sweep', dryRun: false })).payload!;
      should(kept).containEql({ deleted: 0, refused: 1, complete: true });
      should((kept['refusals'] as object[])[0]).containEql({
        reason: 'held',
        cases: ['case 8'],
        recording_id: 'rec-1'
      });
      should(
        (await stage.ask({ action: 'release', case: { id: 'case 8', by: 'legal' } })).payload
      ).containEql({ released: 1, still_held: 0 });
      should((await stage.ask({ action: 'sweep', dryRun: false })).payload).containEql({
        deleted: 1,
        refused: 0
      });
      should(files()).eql([]);
      should((await events()).filter((event) => /hold|delet|expired/.test(event))).eql([
        ...[
          'hold-placed',
          'hold-placed',
          'hold-released',
          'deletion-refused',
          'hold-released',
          'deletion-intended',
          'expired'
        ]
      ]);
    });

    it('holds nothing for a part of a number', async () => {
      await stage.load();
      await stage.store('rec-1');
      const held = await stage.ask({ action: 'hold', query: { number: '010 0199' }, case: CASE });
      should(held.payload).containEql({ recordings: 0, held: 0 });
    });
  });

  describe('sweep', () => {
    it('only shows what would go, unless it is told to delete', async () => {
      await stage.load({ action: 'sweep' });
      await stage.store('rec-1');
      await stage.store('rec-2', null);
      await stage.store('rec-3', 36_500);
      await until(
        'all lines are written',
        async () => (await events()).filter((event) => event === 'stored').length === 3
      );
      const before = await events();
      const dry = (await stage.ask({})).payload!;
      should(dry).containEql({ dry_run: true, due: 1, deleted: 1, looked: 3 });
      should((dry['files'] as object[])[0]).containEql({ recording_id: 'rec-1' });
      should(files()).have.length(6);
      should(await events()).eql(before);
      should((await stage.ask({ dryRun: false })).payload).containEql({ dry_run: false, due: 1, deleted: 1 });
      should(files()).eql(['rec-2.wav', 'rec-2.wav.json', 'rec-3.wav', 'rec-3.wav.json']);
      should((await stage.ask({ dryRun: false })).payload).containEql({ due: 0, deleted: 0 });
      should((await deletionsOf(stage.RED)).tombstones.count()).equal(1);
    });

    it('stops at its limit, and says that something is left', async () => {
      await stage.load({ action: 'sweep' });
      for (const id of ['rec-1', 'rec-2', 'rec-3']) await stage.store(id);
      should((await stage.ask({ dryRun: false, limit: 2 })).payload).containEql({
        deleted: 2,
        complete: false
      });
      should((await stage.ask({ dryRun: false, limit: 2 })).payload).containEql({
        deleted: 1,
        complete: true
      });
    });

    it('deletes nothing while the clock is in doubt', async () => {
      await stage.load({ action: 'sweep' });
      await stage.store('rec-1');
      const { clock } = await custodyOf(stage.RED).opened();
      clock.noteDate(new Date(Date.now() - 3_600_000).toUTCString());
      const { payload, error } = await stage.ask({ dryRun: false });
      should(payload).containEql({ deleted: 0, complete: false, clock_doubt: 'differs-from-provider' });
      should(error).containEql({ code: 'DELETION_REFUSED' });
      should(error!.message).match(/five minutes.*synchronised/);
      should(files()).have.length(2);
      clock.noteDate(new Date().toUTCString());
      should((await stage.ask({ dryRun: false })).payload).containEql({ deleted: 1 });
    });

    it('tells of a file that cannot be deleted, and deletes the others', async () => {
      await stage.load({ action: 'sweep' });
      await stage.store('rec-1');
      await stage.store('rec-2');
      const { facts } = archiveState(stage.RED);
      await facts.settled();
      const [file] = facts.recordings.find(identityOfId('telnyx', 'rec-1'));
      should(file).be.ok();
      const away = {
        ...file!,
        recording: { ...file!.recording, path: path.join(stage.directory, 'elsewhere', 'rec-1.wav') }
      };
      const key = deletedKey(file!, stage.folder);
      await archiveState(stage.RED).database.commit([facts.recordings.describing(key, away)]);
      const { payload, error } = await stage.ask({ dryRun: false });
      should(payload).containEql({ deleted: 1, failed: 1, complete: false });
      should((payload!['failures'] as object[])[0]).containEql({
        recording_id: 'rec-1',
        code: 'STORE_FAILED'
      });
      should(error).containEql({ code: 'STORE_FAILED' });
    });

    it('works only on the folder that it is told', async () => {
      await stage.load({ action: 'sweep', folder: path.join(stage.directory, 'other') });
      await stage.store('rec-1');
      should((await stage.ask({ dryRun: false })).payload).containEql({ due: 0, deleted: 0, looked: 1 });
      await nodeHelper.unload();
      await stage.load({ action: 'sweep', folder: stage.folder });
      should((await stage.ask({ dryRun: false })).payload).containEql({ due: 1, deleted: 1 });
    });

    it('is not started twice, lets a hold pass, and is stopped by a deploy', async () => {
      await stage.load({ action: 'sweep' });
      for (const id of ['rec-1', 'rec-2', 'rec-3']) await stage.store(id);
      const deletions = await deletionsOf(stage.RED);
      const whole = deletions.delete.bind(deletions);
      let begun = 0;
      let go = (): void => undefined;
      const gate = new Promise<void>((resolve) => (go = resolve));
      deletions.delete = async (request) => {
        begun += 1;
        await gate;
        return await whole(request);
      };
      const first = stage.ask({ dryRun: false });
      await until('the sweep has begun', () => begun === 1);
      should((await stage.ask({ dryRun: false })).error).containEql({ code: 'ALREADY_RUNNING' });
      const held = await stage.ask({ action: 'hold', query: { recording_id: 'rec-1' }, case: CASE });
      should(held.payload).containEql({ held: 1 });
      const closed = loadedNode('archive').close(false);
      go();
      await closed;
      should((await first).error).containEql({ code: 'GAVE_UP' });
      deletions.delete = whole;
      should(files().length).equal(4);
      await nodeHelper.unload();
      await stage.load({ action: 'sweep' });
      should((await stage.ask({ dryRun: false })).payload).containEql({ deleted: 1, refused: 1 });
      should(files()).eql(['rec-1.wav', 'rec-1.wav.json']);
    });
  });

  describe('erase', () => {
    it('deletes what a number names, after a dry run', async () => {
      await stage.load({ action: 'erase' });
      await stage.store('rec-1', null);
      await stage.store('rec-2', null, { from: '+4930901820' });
      const query = { number: '0049 30 901820' };
      should((await stage.ask({ query })).payload).containEql({ dry_run: true, deleted: 1 });
      should(files()).have.length(4);
      should((await stage.ask({ query, dryRun: false })).payload).containEql({ dry_run: false, deleted: 1 });
      should(files()).eql(['rec-1.wav', 'rec-1.wav.json']);
      should(await events()).containEql('erased');
    });

    it('is carried out at the release when a hold has kept it waiting', async () => {
      await stage.load({ action: 'erase' });
      await stage.store('rec-1', null);
      const query = { recording_id: 'rec-1' };
      await stage.ask({ action: 'hold', query, case: CASE });
      const { payload } = await stage.ask({ query, dryRun: false });
      should(payload).containEql({ deleted: 0, refused: 1 });
      should((payload!['refusals'] as { message: string }[])[0]!.message).match(/once all are released/);
      should(files()).have.length(2);
      should((await stage.ask({ action: 'release', case: CASE })).payload).containEql({
        released: 1,
        erased: 1
      });
      should(files()).eql([]);
    });
  });

  describe('verify', () => {
    it('reads the files and the log, and names what is not as it was stored', async () => {
      await stage.load({ action: 'verify' });
      for (const id of ['rec-1', 'rec-2', 'rec-3']) await stage.store(id);
      await events();
      const intact = (await stage.ask({})).payload!;
      should(intact).containEql({ checked: 3, intact: 3, differences: 0, complete: true });
      should(intact['log']).containEql({ files: 1 });
      writeFileSync(path.join(stage.folder, 'rec-1.wav'), 'another call');
      rmSync(path.join(stage.folder, 'rec-2.wav'));
      const [log] = readdirSync(stage.custody).filter((name) => name.endsWith('.jsonl'));
      const text = readFileSync(path.join(stage.custody, log!), 'utf8');
      writeFileSync(path.join(stage.custody, log!), text.replace('"stored"', '"played"'));
      const { payload, error } = await stage.ask({});
      should(error).be.null();
      should(payload).containEql({ checked: 3, intact: 1, changed: 1, missing: 1 });
      const found = (payload!['findings'] as { where: string }[]).map(({ where }) => path.basename(where));
      should(found).containEql('rec-1.wav').and.containEql('rec-2.wav');
      should(found.some((where) => where.startsWith(log!))).be.true();
    });
  });

  describe('report', () => {
    it('counts what is stored, due and held, and names the cases', async () => {
      await stage.load({ action: 'report' });
      await stage.store('rec-1');
      await stage.store('rec-2', null);
      await stage.store('rec-3', 36_500);
      await stage.ask({ action: 'hold', query: { recording_id: 'rec-1' }, case: CASE });
      await stage.ask({ action: 'erase', query: { recording_id: 'rec-2' }, dryRun: false });
      const { payload } = await stage.ask({});
      should(payload).containEql({ files: 2, deleted: 1, locked: 0, clock_doubt: null });
      should(payload!['dates']).eql({ due: 1, due_within_30_days: 0, without: 0, retained: 0 });
      const { recordings, cases } = payload!['held'] as { recordings: number; cases: object[] };
      should(recordings).equal(1);
      should(cases).have.length(1);
      should(cases[0]).containEql({ ...CASE, recordings: 1 });
    });
  });

  it('does not bring back what was deleted', async () => {
    await stage.load({ action: 'erase' });
    await stage.store('rec-1', null);
    await stage.ask({ query: { recording_id: 'rec-1' }, dryRun: false });
    should((await stage.ask({ action: 'find' })).payload).containEql({ found: 0 });
    should(archiveState(stage.RED).facts.recordings.find(identityOfId('telnyx', 'rec-1'))).have.length(0);
  });

  it('reports a setting that cannot work', async () => {
    await stage.load({ action: 'shred' });
    should((await stage.ask({})).error).containEql({ code: 'BAD_SETTING' });
  });
});
