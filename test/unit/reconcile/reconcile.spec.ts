import should from 'should';
import { JobRepository } from '../../../src/archive/queue/job-repository';
import { CodedError } from '../../../src/errors/coded-error';
import { Tombstones } from '../../../src/evidence/deletion/tombstones';
import { keyDigest } from '../../../src/values/fields';
import { dailyProvider } from '../../../src/providers/daily/daily-provider';
import type { ListedBatch } from '../../../src/providers/provider';
import { telnyxProvider } from '../../../src/providers/telnyx/telnyx-provider';
import { EmissionPace, MOST_DUE, MOST_ORDERS } from '../../../src/reconcile/emission-pace';
import {
  type Emitted,
  type Phase,
  type RunPlan,
  type RunSummary,
  newSummary,
  noteError,
  reconcile
} from '../../../src/reconcile/reconcile';
import { StateFixture, jobFor } from '../archive/state-fixture';
import { StoredFolder } from './archive-fixture';

const NOW = Date.UTC(2026, 2, 4, 12);

describe('a reconcile run', () => {
  let stored: StoredFolder;
  let emitted: Emitted[];

  beforeEach(() => {
    stored = new StoredFolder();
    emitted = [];
  });
  afterEach(() => stored.remove());

  async function* batches(...list: (Partial<ListedBatch> | Error)[]): AsyncGenerator<ListedBatch> {
    for (const batch of list) {
      await Promise.resolve();
      if (batch instanceof Error) throw batch;
      yield { items: [], gap: null, through: null, ...batch };
    }
  }

  async function run(
    plan: Partial<RunPlan>,
    signal = new AbortController().signal,
    onPhase: (phase: Phase) => void = () => undefined
  ): Promise<{ summary: RunSummary; failure: CodedError | null }> {
    return await reconcile(
      {
        origin: telnyxProvider,
        only: 'missing',
        from: null,
        to: NOW,
        rebuild: null,
        list: null,
        verify: null,
        ...plan
      },
      {
        facts: stored.facts,
        tombstones: new Tombstones(stored.state.database),
        emit: (one) => {
          emitted.push(one);
          return Promise.resolve();
        },
        onProgress: (_summary, phase) => onPhase(phase),
        now: () => NOW,
        signal
      }
    );
  }

  const item = (id: string, more: object = {}): Record<string, unknown> => ({
    record_type: 'recording',
    id,
    status: 'completed',
    download_urls: { mp3: `https://media.example.com/${id}.mp3?X-Amz-Signature=x` },
    ...more
  });
  const ids = (): (string | null)[] =>
    emitted.map((one) =>
      one.kind === 'recording' ? one.recording.recording_id : `damaged ${one.file.recording.recording_id}`
    );

  it('emits what is not stored, and counts everything', async () => {
    await stored.enter(stored.file('rec-1'), stored.file('rec-3'));
    const list = batches(
      { items: [item('rec-1'), item('rec-2')], through: NOW - 1000 },
      { items: [item('rec-3'), item('rec-4', { status: 'processing' }), item('rec-5', { status: 'failed' })] }
    );
    const { summary, failure } = await run({ list });
    should(failure).be.null();
    ids().should.eql(['rec-2']);
    should(summary).eql({
      listed: 5,
      stored: 2,
      deleted: 0,
      missing: 1,
      not_ready: 1,
      without_file: 1,
      emitted: 1,
      from: null,
      to: '2026-03-04T12:00:00.000Z',
      complete: true,
      errors: [],
      listed_through: '2026-03-04T11:59:59.000Z',
      started_at: '2026-03-04T12:00:00.000Z',
      ended_at: '2026-03-04T12:00:00.000Z'
    });
  });

  describe('with transcripts', () => {
    const text = (id: string, recording_id: string, more: object = {}): Record<string, unknown> => ({
      record_type: 'recording_transcription',
      id,
      recording_id,
      status: 'completed',
      transcription_text: `text of ${recording_id}`,
      created_at: '2026-03-04T09:20:00.000Z',
      ...more
    });
    const wanted = (): unknown[] =>
      emitted.map(
        (one) => one.kind === 'recording' && [one.recording.transcript_id, one.recording.recording_id]
      );

    it('counts and emits them apart from recordings', async () => {
      await stored.enter(
        stored.file('rec-1', { transcription: 'text of rec-1' }),
        stored.file('rec-2'),
        stored.file('rec-3')
      );
      const transcripts = batches({
        items: [
          text('text-1', 'rec-1'),
          text('text-2', 'rec-2'),
          text('text-3', 'rec-3', { status: 'in-progress', transcription_text: null }),
          text('text-4', 'rec-4'),
          text('text-5', 'rec-5', { status: 'failed', transcription_text: null }),
          text('silent', 'rec-6', { transcription_text: ' ' }),
          text('unknown-status', 'rec-7', { status: 'archived' }),
          text('without-text', 'rec-8', { transcription_text: undefined })
        ],
        through: NOW - 5000
      });
      const list = batches({ items: [item('rec-1'), item('rec-4')], through: NOW });
      const { summary } = await run({ list, transcripts });
      wanted().should.eql([
        [null, 'rec-4'],
        ['text-2', 'rec-2'],
        ['text-4', 'rec-4'],
        ['unknown-status', 'rec-7'],
        ['without-text', 'rec-8']
      ]);
      should(summary).have.properties({
        listed: 2,
        stored: 1,
        missing: 1,
        emitted: 5,
        complete: true,
        transcripts: { listed: 8, stored: 1, deleted: 0, missing: 4, not_ready: 1, without_file: 2 },
        listed_through: '2026-03-04T11:59:55.000Z'
      });
    });

    it('says how far both lists got when the second fails at once', async () => {
      const { summary, failure } = await run({
        list: batches({ items: [item('rec-1')], through: NOW }),
        transcripts: batches(new CodedError('API_NOT_FOUND', 'No such list.'))
      });
      should(failure).have.property('code', 'API_NOT_FOUND');
      should(summary).have.properties({ listed: 1, complete: false, listed_through: null });
      should(summary.transcripts).have.properties({ listed: 0 });
    });

    it('knows the newest of several texts of a recording, and no other counts as missing', async () => {
      const [older, newer] = [
        text('older', 'rec-1', { transcription_text: 'first try' }),
        text('newer', 'rec-1', { transcription_text: 'second try', created_at: '2026-03-04T10:00:00.000Z' })
      ] as const;
      const both = (): AsyncGenerator<ListedBatch> => batches({ items: [older, newer] });
      await stored.enter(
        stored.file('rec-1', { transcription: 'first try', transcribed_at: '2026-03-04T09:20:07.000Z' })
      );
      should((await run({ transcripts: both() })).summary.transcripts).have.properties({
        stored: 1,
        missing: 1
      });
      await stored.enter(
        stored.file('rec-1', { transcription: 'second try', transcribed_at: '2026-03-04T10:00:07.000Z' })
      );
      should((await run({ transcripts: both() })).summary.transcripts).have.properties({
        stored: 2,
        missing: 0
      });
      wanted().should.eql([['newer', 'rec-1']]);
    });

    it('emits stored ones too when told to', async () => {
      await stored.enter(stored.file('rec-1', { transcription: 'text of rec-1' }));
      await run({ transcripts: batches({ items: [text('text-1', 'rec-1')] }), only: 'all' });
      emitted.should.match([{ recording: { transcript_id: 'text-1', isStored: true } }]);
    });
  });

  describe('of an archive from which recordings were deleted', () => {
    /** As a deletion leaves it. */
    const bury = (identity: string, place = stored.folder): Promise<unknown> =>
      stored.state.database.commit([
        new Tombstones(stored.state.database).putting([keyDigest(identity), keyDigest(place), 'mp3'], {
          stored_at: '2026-03-04T10:00:00.000Z',
          deleted_at: '2026-06-04T10:00:00.000Z',
          reason: 'expired',
          policy: 'calls',
          bytes: 14,
          seq: 4
        })
      ]);

    it('counts them as stored, and never fetches them back', async () => {
      await stored.enter(stored.file('rec-1'));
      await bury('telnyx:rec-2');
      for (const only of ['missing', 'all'] as const) {
        emitted = [];
        const list = batches({ items: [item('rec-1'), item('rec-2'), item('rec-3')] });
        const { summary } = await run({ list, only });
        should(summary).have.properties({ listed: 3, stored: 2, deleted: 1, missing: 1 });
        ids().should.eql(only === 'all' ? ['rec-1', 'rec-3'] : ['rec-3']);
      }
    });

    it('knows one that was stored by the address of its file', async () => {
      await bury('telnyx:https://media.example.com/rec-1.mp3');
      const { summary } = await run({ list: batches({ items: [item('rec-1')] }) });
      should(summary).have.properties({ stored: 1, deleted: 1, missing: 0, emitted: 0 });
    });

    it('and is as before while a copy is left elsewhere', async () => {
      await stored.enter(stored.file('rec-1'));
      await bury('telnyx:rec-1', '/another/archive');
      const { summary } = await run({ list: batches({ items: [item('rec-1')] }), only: 'all' });
      should(summary).have.properties({ stored: 1, deleted: 0, emitted: 1 });
    });

    it('fetches neither their transcripts nor the other tracks', async () => {
      await bury('telnyx:rec-1');
      const text = {
        record_type: 'recording_transcription',
        id: 'text-1',
        recording_id: 'rec-1',
        status: 'completed',
        transcription_text: 'text of rec-1',
        created_at: '2026-03-04T09:20:00.000Z'
      };
      const { summary } = await run({ transcripts: batches({ items: [text] }), only: 'all' });
      should(summary.transcripts).have.properties({ stored: 1, deleted: 1, missing: 0 });
      await bury('daily:raw#one');
      const tracks = [{ s3Key: 'domain/room/one' }, { s3Key: 'domain/room/two' }];
      const raw = { id: 'raw', status: 'finished', start_ts: 1772611200, tracks };
      const daily = await run({ origin: dailyProvider, list: batches({ items: [raw] }) });
      should(daily.summary).have.properties({ stored: 1, deleted: 1, missing: 0 });
      emitted.should.be.empty();
    });
  });

  it('emits all when told to', async () => {
    await stored.enter(stored.file('rec-1'));
    const list = batches({ items: [item('rec-1'), item('rec-2'), item('rec-3', { status: 'in-progress' })] });
    const { summary } = await run({ list, only: 'all' });
    ids().should.eql(['rec-1', 'rec-2']);
    should(summary).have.properties({ stored: 1, missing: 1, emitted: 2 });
  });

  it('knows a recording by the address of its file, when its event had no id', async () => {
    await stored.enter({
      ...stored.file('by-address'),
      identity: 'telnyx:https://media.example.com/rec-1.mp3'
    });
    const { summary } = await run({ list: batches({ items: [item('rec-1')] }) });
    should(summary).have.properties({ stored: 1, missing: 0 });
  });

  it('wants all tracks of a raw recording of Daily, and nothing of one without tracks', async () => {
    const tracks = [{ s3Key: 'domain/room/one' }, { s3Key: 'domain/room/two' }];
    const raw = { id: 'raw', status: 'finished', start_ts: 1772611200, tracks };
    const track = stored.file('track-1', { provider: 'daily', recording_id: 'raw', track: 'one' });
    await stored.enter({ ...track, identity: 'daily:raw#domain/room/one' });
    const plan = { origin: dailyProvider };
    should((await run({ ...plan, list: batches({ items: [raw] }) })).summary.missing).equal(1);
    await stored.enter({ ...track, identity: 'daily:raw#two', wantedFormat: 'webm' });
    should((await run({ ...plan, list: batches({ items: [raw] }) })).summary).have.properties({
      stored: 1,
      missing: 0
    });
  });

  it('says what may be missing, and goes on with the next phase', async () => {
    const gap = new CodedError('LIST_INCOMPLETE', 'It kept changing.');
    const refused = new CodedError('API_UNAUTHORIZED', 'The key is refused.');
    await stored.enter(stored.file('rec-1'));
    const { summary, failure } = await run({
      list: batches({ items: [item('rec-2')], gap, through: NOW - 1000 }, refused),
      verify: { read: () => Promise.resolve({ kind: 'missing', archive: 'a folder' }) }
    });
    should(failure).equal(refused);
    ids().should.eql(['damaged rec-1', 'rec-2']);
    should(summary).have.properties({
      complete: false,
      listed: 1,
      emitted: 2,
      listed_through: '2026-03-04T11:59:59.000Z'
    });
    summary.errors.map(({ code }) => code).should.eql(['LIST_INCOMPLETE', 'API_UNAUTHORIZED']);
    should(summary.verify).have.properties({ files: 1, missing: 1 });
  });

  it('returns the first of several failures', async () => {
    const broken = new CodedError('STORE_FAILED', 'The state cannot be read.');
    await stored.enter(stored.file('rec-1'));
    const { summary, failure } = await run({
      verify: { read: () => Promise.reject(broken) },
      list: batches(new CodedError('API_UNAUTHORIZED', 'The key is refused.'))
    });
    should(failure).equal(broken);
    summary.errors.map(({ code }) => code).should.eql(['STORE_FAILED', 'API_UNAUTHORIZED']);
  });

  it('says nothing about a fault that only the stop caused', async () => {
    const stop = new AbortController();
    const phases: string[] = [];
    await stored.enter(stored.file('rec-1'));
    const read = (): Promise<never> => {
      stop.abort(new Error('stopped by the test'));
      return Promise.reject(new CodedError('STALLED', 'The connection is gone.'));
    };
    const list = batches({ items: [item('rec-2')] });
    const ended = run({ verify: { read }, list }, stop.signal, (phase) => phases.push(phase));
    await ended.should.be.rejectedWith('stopped by the test');
    should([emitted, phases]).eql([[], ['verify']]);
  });

  it('reports an error that nobody thought of', async () => {
    const { summary, failure } = await run({ list: batches(new TypeError('made up')) });
    should(failure).have.property('code', 'GAVE_UP');
    summary.errors[0]!.message.should.match(/made up/);
  });

  it('ends when it is told to, and says nothing more', async () => {
    const stop = new AbortController();
    const list = batches({ items: [item('rec-1')] }, new Error('aborted'));
    stop.abort(new CodedError('GAVE_UP', 'stopped by the test'));
    await run({ list }, stop.signal).should.be.rejectedWith('stopped by the test');
  });
});

describe('the errors of a summary', () => {
  it('are listed once each, up to a limit', () => {
    const summary = newSummary(null, null, 0);
    for (let count = 0; count < 100; count += 1) {
      noteError(summary, new CodedError('STORE_FAILED', 'the same'));
      noteError(summary, new CodedError('STORE_FAILED', `another one ${count}`));
    }
    should(summary.errors).have.length(20);
    should(summary.errors.filter(({ message }) => message === 'the same')).have.length(1);
    should(summary.complete).be.false();
  });
});

describe('handing recordings out', () => {
  const never = new AbortController().signal;

  it('waits while the download nodes have enough to do', async () => {
    const load = { due: 0, all: 0 };
    const waits: boolean[] = [];
    const pace = new EmissionPace(
      () => load,
      (isWaiting) => {
        waits.push(isWaiting);
        if (isWaiting) setImmediate(() => Object.assign(load, { due: 0, all: 0 }));
      }
    );
    for (const full of [
      { due: MOST_DUE, all: MOST_DUE },
      { due: 0, all: MOST_ORDERS }
    ]) {
      Object.assign(load, full);
      for (let count = 0; count < 25; count += 1) await pace.turn(never);
    }
    waits.should.eql([true, false, true, false]);
  });

  it('never has more than a few on the way', async () => {
    let onTheWay = 0;
    let most = 0;
    // What is sent arrives a little later; two are completed each millisecond.
    const worker = setInterval(() => (onTheWay = Math.max(0, onTheWay - 2)), 1);
    const pace = new EmissionPace(
      () => ({ due: onTheWay, all: onTheWay }),
      () => undefined
    );
    for (let count = 0; count < 400; count += 1) {
      await pace.turn(never);
      setTimeout(() => (most = Math.max(most, ++onTheWay)), 5);
    }
    clearInterval(worker);
    most.should.be.belowOrEqual(MOST_DUE + 25);
  });

  it('stops waiting when it is told to', async () => {
    const stop = new AbortController();
    const pace = new EmissionPace(
      () => ({ due: MOST_DUE, all: MOST_DUE }),
      () => stop.abort(new Error('stop'))
    );
    const all = Array.from({ length: 25 }, () => pace.turn(stop.signal));
    await Promise.all(all).should.be.rejectedWith('stop');
  });

  it('counts the jobs of the nodes that run, and no further than it has to', async () => {
    const state = new StateFixture();
    try {
      const jobs = new JobRepository(state.database, state.now);
      for (const node of ['one', 'two', 'gone'])
        for (let count = 0; count < 10; count += 1)
          await jobs.add(node, jobs.job({}, [jobFor(`${node}-${count}`)]));
      const due = jobs.next('one', new Set())!;
      await jobs.postpone('one', due, state.time + 60_000, []);
      should(jobs.load(['one', 'two'], 100)).eql({ due: 19, all: 20 });
      should(jobs.load(['one', 'two'], 5)).eql({ due: 5, all: 5 });
      should(jobs.load([], 5)).eql({ due: 0, all: 0 });
    } finally {
      await state.remove();
    }
  });
});
