import { readFile, rm, writeFile } from 'node:fs/promises';
import should from 'should';
import type { ArchiveDeps, ArchiveSettings } from '../../../../src/archive/archive-context';
import {
  LateDetails,
  MOST_DETAILS_ATTEMPTS,
  detailsPauseMs
} from '../../../../src/archive/download/late-details';
import { DeletedRecordings, SourceDeletion } from '../../../../src/archive/download/source-deletion';
import { LocalFacts } from '../../../../src/archive/index/local-facts';
import type { Job } from '../../../../src/archive/queue/job';
import { JobProcessor } from '../../../../src/archive/queue/job-processor';
import { JobQueue } from '../../../../src/archive/queue/job-queue';
import { JobRepository } from '../../../../src/archive/queue/job-repository';
import type { FileOutcome } from '../../../../src/archive/queue/run-result';
import { LONGEST_PAUSE_MS } from '../../../../src/clock/backoff';
import { CodedError } from '../../../../src/errors/coded-error';
import { compileFilename } from '../../../../src/naming/filename-template';
import { folderSidecar } from '../../../../src/store/folder/folder-sidecar';
import { createFolderStore } from '../../../../src/store/folder/folder-store';
import type { StoredFile } from '../../../../src/store/stored-recording';
import { type LocalServer, localServer, wav } from '../../../support/media';
import { until } from '../../../support/until';
import { testOwner } from '../../store/folder/store-fixture';
import { ArchiveFixture, FRESH, STORED_AT, recordingAt, NOTHING_HELD } from '../archive-fixture';
import { StateFixture } from '../state-fixture';

type Ask = Required<ArchiveDeps>['completeDetails'];

const TOLD = { from: '+15550100', to: '+15550101', duration_seconds: 61.5 };
const away = (): CodedError => new CodedError('STALLED', 'The API is away.', { retryable: true });

describe('late details', () => {
  const bytes = wav({ seconds: 1 });
  let archive: ArchiveFixture;
  let state: StateFixture;
  let server: LocalServer;
  let ask: Ask;
  let deletions: string[];
  let missing: string[];
  let delivered: StoredFile[];
  let works: JobProcessor[];

  beforeEach(async () => {
    archive = await ArchiveFixture.create();
    state = new StateFixture();
    server = await localServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': bytes.length }).end(bytes);
    });
    [deletions, missing, delivered, works] = [[], [], [], []];
  });
  afterEach(async () => {
    await Promise.all(works.map((work) => work.close()));
    await server.close();
    await archive.remove();
    await state.remove();
  });

  const facts = () => new LocalFacts(state.database);
  const index = () => facts().at(archive.folder);
  const indexed = () => facts().recordings.find('telnyx:rec-1')[0]?.recording;
  const sidecar = async (): Promise<Record<string, unknown>> =>
    JSON.parse(await readFile(`${String(delivered[0]?.payload)}.json`, 'utf8')) as Record<string, unknown>;

  /** An API that never responds, and notices when its caller stops waiting. */
  const hangs: Ask = (_reference, signal) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason as Error));
    });
  const tells: Ask = ({ details }) => Promise.resolve({ ...details, ...TOLD });

  function workOf({ deletes = false, ...settings }: Partial<ArchiveSettings> & { deletes?: boolean } = {}) {
    const completeDetails: Ask = (reference, signal) => ask(reference, signal);
    const filename = compileFilename('{{from}}-{{recording_id}}.{{ext}}');
    const deletion = new SourceDeletion({
      store: createFolderStore({ folder: archive.folder, owner: testOwner() }),
      deleteRecording: ({ details }) => {
        deletions.push(String(details.recording_id));
        return Promise.resolve({ ok: true, already_gone: false });
      },
      deleted: new DeletedRecordings(facts()),
      ...NOTHING_HELD,
      now: () => STORED_AT
    });
    const work = new JobProcessor({
      node: 'node',
      retries: 2,
      archiver: archive.plainArchiver(
        index(),
        { filename, ...settings },
        { completeDetails, detailsBudgetMs: 50 }
      ),
      index: index(),
      deletion: deletes ? deletion : null,
      lateDetails: new LateDetails({ index: index(), sidecar: folderSidecar, completeDetails }),
      commit: (effects) => facts().commit(effects),
      now: () => STORED_AT,
      random: () => 1,
      deliver: (_order: Job, outcomes: FileOutcome[]) =>
        void delivered.push(...outcomes.flatMap((each) => (each.kind === 'stored' ? [each.file] : []))),
      onNotDeleted: (_order, message) => void missing.push(`not deleted: ${message}`),
      onDetailsMissing: (message) => void missing.push(message)
    });
    works.push(work);
    return work;
  }

  const newOrder = (): Job => ({
    id: 'order',
    acceptedAt: STORED_AT,
    message: { topic: 'kept' },
    items: [{ reference: recordingAt(`${server.url}/a.wav`), format: 'any' }],
    files: {}
  });

  /** Runs once, with the job on disk before and after, like the queue. */
  async function carryOut(work: JobProcessor, job: Job): Promise<[string, number, Job]> {
    const onDisk = state.database.collection<Job>('orders');
    await onDisk.put('order', job);
    const kept = onDisk.get('order')!;
    const verdict = await work.work(kept, FRESH);
    await state.database.commit([...facts().changes(verdict.effects), onDisk.putting('order', kept)]);
    if (verdict.kind === 'again') should(verdict.isFollowUp).be.true();
    return [verdict.kind, verdict.kind === 'again' ? verdict.pauseMs : 0, onDisk.get('order')!];
  }

  it('stores the details of the event when the API does not respond, and completes them later', async () => {
    ask = hangs;
    const work = workOf();
    const begun = performance.now();
    const [kind, pauseMs, left] = await carryOut(work, newOrder());
    should(performance.now() - begun).be.within(45, 5000);
    [kind, pauseMs].should.eql(['again', 15_000]);
    // Its name contains no more than the event, either.
    should(await archive.files()).eql(['unknown-rec-1.wav', 'unknown-rec-1.wav.json']);
    delivered[0]!.recording.should.have.properties({ from: null, channels: 'dual', attempts: 1 });
    // Data that is no longer needed is not kept.
    [left.message, left.items, left.files].should.eql([{}, [], {}]);

    ask = () => Promise.reject(away());
    const [, longer, still] = await carryOut(work, left);
    longer.should.equal(30_000);
    should(indexed()).have.properties({ from: null });

    ask = tells;
    (await carryOut(work, still))[0].should.equal('done');
    should(indexed()).have.properties({ ...TOLD, channels: 'dual' });
    (await sidecar()).should.have.properties({ ...TOLD, channels: 'dual', already_stored: false });
    should(await archive.files()).eql(['unknown-rec-1.wav', 'unknown-rec-1.wav.json']);
    [delivered.length, missing].should.eql([1, []]);
  });

  it('waits for a response within the budget', async () => {
    ask = tells;
    (await carryOut(workOf(), newOrder()))[0].should.equal('done');
    should(await archive.files()).eql(['_15550100-rec-1.wav', '_15550100-rec-1.wav.json'].map(asNamed));
    delivered[0]!.recording.should.have.properties(TOLD);
  });

  it('obeys the pause that the API asks for, and gives up silently after about a day', async () => {
    ask = () => Promise.reject(away());
    const work = workOf();
    let [kind, , job] = await carryOut(work, newOrder());
    ask = () =>
      Promise.reject(new CodedError('RATE_LIMITED', 'Wait.', { retryable: true, retryAfterMs: 100_000 }));
    const [, asked, next] = await carryOut(work, job);
    asked.should.equal(100_000);
    job = next;
    ask = () => Promise.reject(away());
    let tries = 2;
    for (; kind === 'again'; tries += 1) [kind, , job] = await carryOut(work, job);
    tries.should.equal(MOST_DETAILS_ATTEMPTS + 1);
    missing.should.eql([
      'The recording rec-1 is stored without the details that only the API knows: The API is away.'
    ]);
    delivered.should.have.length(1);
  });

  it('stores nothing when the API has nothing to add', async () => {
    ask = hangs;
    const work = workOf();
    const [, , left] = await carryOut(work, newOrder());
    const before = await sidecar();
    ask = ({ details }) => Promise.resolve(details);
    (await carryOut(work, left))[0].should.equal('done');
    (await sidecar()).should.eql(before);
  });

  it('overrules nothing, keeps concurrent changes, and creates no sidecar', async () => {
    ask = hangs;
    const work = workOf();
    const [, , left] = await carryOut(work, newOrder());
    const path = `${String(delivered[0]!.payload)}.json`;
    const noted = { ...(await sidecar()), transcription: 'Hello.', to: '+15550199' };
    await writeFile(path, JSON.stringify(noted));
    ask = tells;
    const copy = structuredClone(left);
    (await carryOut(work, left))[0].should.equal('done');
    (await sidecar()).should.have.properties({ ...TOLD, transcription: 'Hello.', to: '+15550199' });

    await rm(path);
    (await carryOut(work, copy))[0].should.equal('done');
    should(await archive.files()).eql(['unknown-rec-1.wav']);
    await writeFile(path, '{"sha256":"of another file"}');
    (await carryOut(work, copy))[0].should.equal('done');
    should(await readFile(path, 'utf8')).equal('{"sha256":"of another file"}');
  });

  it('asks for the details before it deletes the recording at the source', async () => {
    ask = hangs;
    const work = workOf({ deletes: true });
    const [kind, , left] = await carryOut(work, newOrder());
    // The message is not delayed, and nothing is deleted yet.
    [kind, deletions].should.eql(['again', []]);
    delivered[0]!.recording.should.have.properties({ deleted_at_source: null });
    left.message.should.eql({ topic: 'kept' });

    ask = () => Promise.reject(away());
    const [, pauseMs, still] = await carryOut(work, left);
    [pauseMs, deletions].should.eql([1000, []]);

    ask = tells;
    (await carryOut(work, still))[0].should.equal('done');
    deletions.should.eql(['rec-1']);
    for (const told of [await sidecar(), indexed()])
      should(told).have.properties({ ...TOLD, deleted_at_source: new Date(STORED_AT).toISOString() });
  });

  it('reports that nothing was deleted while the API is unavailable, and still waits for the details', async () => {
    ask = hangs;
    const work = workOf({ deletes: true });
    let [kind, , job] = await carryOut(work, newOrder());
    ask = () => Promise.reject(away());
    for (let time = 0; time < 3; time += 1) [kind, , job] = await carryOut(work, job);
    [kind, missing].should.eql(['again', ['not deleted: The API is away.']]);
    should(job.deletion).be.undefined();
    ask = tells;
    (await carryOut(work, job))[0].should.equal('done');
    should(indexed()).have.properties({ ...TOLD, deleted_at_source: null });
    deletions.should.eql([]);
  });

  it('survives a restart between storing and completing', async () => {
    ask = hangs;
    const [, , left] = await carryOut(workOf(), newOrder());
    await state.reopen();
    ask = tells;
    (await carryOut(workOf(), left))[0].should.equal('done');
    (await sidecar()).should.have.properties(TOLD);
  });

  it('takes no slot from recordings: it has its own queue', async () => {
    ask = () => Promise.reject(away());
    const work = workOf();
    const jobs = new JobRepository(state.database);
    const common = { concurrency: 1, facts: facts(), onWaiting: () => undefined, onFault: () => undefined };
    const seen: string[] = [];
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    const followUps = new JobQueue(jobs, {
      ...common,
      list: { followUpsOf: 'node' },
      work: async (job) => {
        seen.push(job.id);
        await held;
        return await work.work(job, FRESH);
      }
    });
    const soon = async (job: Job) => {
      const verdict = await work.work(job, FRESH);
      return verdict.kind === 'again' ? { ...verdict, pauseMs: 0 } : verdict;
    };
    const queue = new JobQueue(jobs, { ...common, list: 'node', work: soon, followUps });
    followUps.start();
    queue.start();
    try {
      await queue.add({}, newOrder().items, () => undefined);
      await until('the follow-up', () => seen[0]);
      // It hangs, but the next recording is stored.
      ask = tells;
      const other = recordingAt(`${server.url}/b.wav`);
      other.identity = 'telnyx:rec-2';
      await queue.add({}, [{ reference: other, format: 'any' }], () => undefined);
      await until('the other recording', () => (delivered.length === 2 ? true : undefined));
      should(indexed()).have.properties({ from: null });
      [jobs.count({ followUpsOf: 'node' })].should.eql([1]);
      release();
      await until('the details', () => indexed()?.from ?? undefined);
      await until('the end', () => (jobs.count({ followUpsOf: 'node' }) === 0 ? true : undefined));
    } finally {
      release();
      await Promise.all([queue.close(), followUps.close()]);
    }
  });

  it('resumes at most a quarter of an hour after the API', () => {
    should([1, 2, 3, 6].map((failures) => detailsPauseMs(failures, 1))).eql([
      15_000, 30_000, 60_000, 480_000
    ]);
    for (const failures of [7, 50, 100, 10_000])
      should(detailsPauseMs(failures, 1, Infinity)).equal(LONGEST_PAUSE_MS);
    should(detailsPauseMs(7, 0)).equal(LONGEST_PAUSE_MS / 2);
  });
});

/** Names keep a "+". */
function asNamed(name: string): string {
  return name.replace('_', '+');
}
