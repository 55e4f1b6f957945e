import { readFile, writeFile } from 'node:fs/promises';
import should from 'should';
import { LateDetails } from '../../../../src/archive/download/late-details';
import { DeletedRecordings, SourceDeletion } from '../../../../src/archive/download/source-deletion';
import { LocalFacts } from '../../../../src/archive/index/local-facts';
import type { Job } from '../../../../src/archive/queue/job';
import { JobProcessor } from '../../../../src/archive/queue/job-processor';
import type { JobOutcome } from '../../../../src/archive/queue/job-queue';
import type { FileOutcome } from '../../../../src/archive/queue/run-result';
import { SideFileSearch } from '../../../../src/archive/side-files/side-file-search';
import { CodedError } from '../../../../src/errors/coded-error';
import type { SideFiles } from '../../../../src/providers/provider';
import { sideFilesUntil } from '../../../../src/providers/daily/side-files';
import { sideFile } from '../../../../src/recording/extract/from-daily-text';
import { mediaLink } from '../../../../src/recording/recording-reference';
import { folderSidecar } from '../../../../src/store/folder/folder-sidecar';
import { createFolderStore } from '../../../../src/store/folder/folder-store';
import { mp4Media } from '../../../../src/simulator/media/media-mp4';
import { type LocalServer, localServer } from '../../../support/media';
import { testOwner } from '../../store/folder/store-fixture';
import { dailyReference } from '../../providers/daily/daily-fixture';
import { ArchiveFixture, FRESH, STORED_AT, NOTHING_HELD, errorOf } from '../archive-fixture';
import { StateFixture } from '../state-fixture';

const MP4 = mp4Media({ title: 'meeting', seconds: 1, channels: 1 }).bytes();
const FILES: Record<string, string> = {
  'event-json': '{"recording":{"type":"cloud-recording"},"events":[]}',
  'transcript-webvtt': 'WEBVTT\n\n00:00.000 --> 00:01.000\nHello.\n'
};
const MINUTE = 60_000;

describe('SideFileSearch', () => {
  let archive: ArchiveFixture;
  let state: StateFixture;
  let server: LocalServer;
  let delivered: FileOutcome[][];
  let notDeleted: string[];
  let missing: string[];
  let deletions: string[];
  let now: number;
  /** What the API says; the last entry stays. */
  let looks: (SideFiles | CodedError)[];
  let looked: number;
  /** From 0 to 1: shortens pauses. */
  let chance: number;
  /** In place of a file. */
  let instead: string | undefined;
  let works: JobProcessor[];

  beforeEach(async () => {
    archive = await ArchiveFixture.create();
    state = new StateFixture();
    [delivered, notDeleted, missing, deletions, works] = [[], [], [], [], []];
    [now, looked, instead, chance] = [STORED_AT, 0, undefined, 1];
    looks = [has([], [], false)];
    server = await localServer((request, response) => {
      const name = (request.url ?? '').slice(1);
      response.end(name === 'rec' ? MP4 : (instead ?? FILES[name]));
    });
  });
  afterEach(async () => {
    await Promise.all(works.map((work) => work.close()));
    await server.close();
    await archive.remove();
    await state.remove();
  });

  const facts = () => new LocalFacts(state.database, () => STORED_AT);
  const recordings = () => facts().recordings;
  const recording = dailyReference(
    { started_at: '2026-03-04T09:50:00.000Z' },
    { announced_at: new Date(STORED_AT).toISOString() }
  );
  const has = (names: string[], missingNames: string[], isComplete: boolean): SideFiles => ({
    ready: names.map((name) => sideFile(recording, name, null)),
    missing: missingNames,
    isComplete
  });

  function workOf(): JobProcessor {
    const index = recordings().at(archive.folder);
    const resolveLinks = (reference: { output?: { name: string } }) =>
      Promise.resolve([
        { ...mediaLink(`${server.url}/${reference.output?.name ?? 'rec'}`, null), isFleeting: true as const }
      ]);
    const archiver = archive.plainArchiver(index, { retries: 2 }, { resolveLinks });
    const work = new JobProcessor({
      node: 'node',
      retries: 2,
      archiver,
      index,
      deletion: new SourceDeletion({
        store: createFolderStore({ folder: archive.folder, owner: testOwner() }),
        deleteRecording: ({ details }) => {
          deletions.push(String(details.recording_id));
          return Promise.resolve({ ok: true, already_gone: false });
        },
        deleted: new DeletedRecordings(facts()),
        ...NOTHING_HELD,
        now: () => STORED_AT
      }),
      lateDetails: new LateDetails({ index, sidecar: folderSidecar }),
      sideFiles: new SideFileSearch({
        archiver,
        index,
        sideFilesUntil,
        findSideFiles: () => {
          looked += 1;
          const look = looks.length > 1 ? looks.shift() : looks[0];
          return look instanceof CodedError ? Promise.reject(look) : Promise.resolve(look!);
        },
        now: () => now,
        random: () => chance,
        onMissing: (message) => void missing.push(message)
      }),
      onDetailsMissing: () => undefined,
      commit: (effects) => facts().commit(effects),
      now: () => now,
      random: () => 1,
      deliver: (_job, outcomes) => void delivered.push(outcomes),
      onNotDeleted: (_job, message) => void notDeleted.push(message)
    });
    works.push(work);
    return work;
  }

  const newJob = (): Job => ({
    id: 'job-1',
    acceptedAt: STORED_AT,
    message: { topic: 'kept' },
    items: [{ reference: recording, format: 'any' }],
    files: {}
  });

  /** Runs once in a process of its own. In between, the job is on disk. */
  async function step(job: Job): Promise<JobOutcome> {
    const onDisk = state.database.collection<Job>('orders');
    await onDisk.put(job.id, job);
    const kept = onDisk.get(job.id)!;
    const outcome = await workOf().work(kept, FRESH);
    await facts().commit(outcome.effects);
    for (const name of Object.keys(job)) Reflect.deleteProperty(job, name);
    Object.assign(job, kept);
    if (outcome.kind === 'again') now += outcome.pauseMs;
    return outcome;
  }

  async function run(job: Job): Promise<number[]> {
    const pauses: number[] = [];
    for (;;) {
      const outcome = await step(job);
      if (outcome.kind !== 'again') return pauses;
      should(outcome.isFollowUp).be.true();
      pauses.push(Math.round(outcome.pauseMs / 1000));
    }
  }

  const tracks = () =>
    delivered.map((outcomes) =>
      outcomes.map((outcome) =>
        outcome.kind === 'stored' ? outcome.file.recording.track : errorOf(outcome).code
      )
    );

  it('sends the recording at once, looks with growing pauses for an hour, then deletes it', async () => {
    const job = newJob();
    should(await step(job)).have.properties({ kind: 'again', pauseMs: 0 });
    should([tracks(), looked, deletions]).eql([[[null]], 0, []]);
    should(job.message).eql({ topic: 'kept' });
    should(await run(job)).eql([15, 30, 60, 120, 240, 480, 900, 900, 855]);
    should(now - STORED_AT).equal(60 * MINUTE);
    should([looked, deletions, missing]).eql([10, ['rec-1'], []]);
  });

  it('stores what comes, beside the recording, as messages of their own, and deletes when all was read back', async () => {
    looks = [
      has([], ['event-json', 'transcript-webvtt'], false),
      new CodedError('RATE_LIMITED', 'later', { retryable: true, retryAfterMs: 40_000 }),
      has(['event-json'], ['transcript-webvtt'], false),
      has(['event-json', 'transcript-webvtt'], [], true)
    ];
    should(await run(newJob())).eql([0, 15, 40, 60]);
    should(tracks()).eql([[null], ['events'], ['transcript']]);
    const [[first], [events], [text]] = delivered as [FileOutcome[], FileOutcome[], FileOutcome[]];
    const pathOf = (one?: FileOutcome) => (one?.kind === 'stored' ? String(one.file.payload) : '');
    const stem = pathOf(first).replace(/\.mp4$/, '');
    should([pathOf(events), pathOf(text)]).eql([`${stem}.events.json`, `${stem}.transcript.vtt`]);
    should(await readFile(pathOf(events), 'utf8')).equal(FILES['event-json']);
    should(deletions).eql(['rec-1']);
    for (const file of [first, events, text]) {
      const sidecar = JSON.parse(await readFile(`${pathOf(file)}.json`, 'utf8')) as Record<string, unknown>;
      should(sidecar).have.property('deleted_at_source').which.is.a.String();
    }
    const [indexed] = recordings().find('daily:side-file:rec-1:event-json');
    should(indexed?.recording.deleted_at_source).be.a.String();
  });

  describe('in one process', () => {
    /** Runs each job when it is due. They arrive one second apart. @returns how often the search of one was continued */
    async function runTogether(count: number): Promise<number> {
      const work = workOf();
      const jobs = Array.from({ length: count }, (_, number): Job => ({ ...newJob(), id: `job-${number}` }));
      const due = new Map(jobs.map((job, number) => [job, now + 1000 * number]));
      let steps = 0;
      while (due.size > 0) {
        const [job, at] = [...due].reduce((first, each) => (each[1] < first[1] ? each : first));
        now = Math.max(now, at);
        const outcome = await work.work(job, FRESH);
        await facts().commit(outcome.effects);
        steps += 1;
        if (outcome.kind === 'again') due.set(job, now + outcome.pauseMs);
        else due.delete(job);
      }
      return steps / count;
    }

    for (const luck of [0, 1])
      it(`makes each look of a job a new one (luck ${luck})`, async () => {
        chance = luck;
        const steps = await runTogether(1);
        // The first step stores the recording.
        should(looked).equal(steps - 1);
      });

    it('looks about as often for a recording that several events announce', async () => {
      await runTogether(4);
      // Ten for one job, as above; the last one of each job is its own.
      should(looked).be.within(10, 20);
      should(deletions).eql(['rec-1']);
    });
  });

  it('believes that there are none only when it was told so for a while', async () => {
    looks = [has([], [], true)];
    should(await run(newJob())).eql([0, 15, 30, 60]);
    should([looked, deletions]).eql([4, ['rec-1']]);
  });

  it('deletes at once when they would be there by now and there are none', async () => {
    now = STORED_AT + 61 * MINUTE;
    should(await step(newJob())).have.property('kind', 'done');
    should([looked, deletions]).eql([1, ['rec-1']]);
  });

  it('fetches those of an old recording first', async () => {
    now = STORED_AT + 61 * MINUTE;
    looks = [has(['event-json'], [], true)];
    await run(newJob());
    should(tracks()).eql([[null], ['events']]);
    should(deletions).eql(['rec-1']);
  });

  it('deletes nothing when one of them could not be stored, and says so', async () => {
    looks = [has(['event-json'], [], true)];
    instead = '<html>Sign in</html>';
    await run(newJob());
    should(tracks()).eql([[null], ['NOT_MEDIA']]);
    should(deletions).eql([]);
    should(notDeleted).have.length(1);
    should(notDeleted[0]).match(/a file that belongs to it could not be stored/);
  });

  it('deletes nothing when the copy of one of them is not what was received', async () => {
    looks = [has(['event-json'], [], true)];
    const job = newJob();
    await step(job);
    await step(job);
    const [, [events]] = delivered as [FileOutcome[], FileOutcome[]];
    if (events?.kind === 'stored') await writeFile(String(events.file.payload), 'spoilt');
    await run(job);
    should(deletions).eql([]);
    should(notDeleted[0]).match(/not what was received/);
  });

  it('fetches one that is empty or half again', async () => {
    looks = [has(['event-json'], [], true)];
    const job = newJob();
    await step(job);
    for (const bytes of ['', '{"events":[']) {
      instead = bytes;
      should(await step(job)).have.property('kind', 'again');
    }
    instead = undefined;
    await run(job);
    should(tracks()).eql([[null], ['events']]);
    should(deletions).eql(['rec-1']);
  });

  it('says which did not come, and why it could not look', async () => {
    looks = [has([], ['chat-webvtt'], false)];
    await run(newJob());
    should(missing).have.length(1);
    should(missing[0]).match(/chat-webvtt did not come within an hour/);
    // It may still come, and a deletion would take it along.
    should(deletions).eql([]);
    should(notDeleted).have.length(1);
    should(JSON.stringify(notDeleted[0])).match(/a file that belongs to it is missing/);
    looks = [new CodedError('API_UNAUTHORIZED', 'The key was revoked.')];
    await run({ ...newJob(), id: 'job-2' });
    should(missing[1]).match(/The key was revoked/);
    looks = [new CodedError('STALLED', 'No answer.', { retryable: true })];
    await run({ ...newJob(), id: 'job-3' });
    should(missing[2]).match(/No answer/);
  });

  it('fetches those of a recording whose hour is over while the API is away', async () => {
    const job = newJob();
    await step(job);
    now = STORED_AT + 300 * MINUTE;
    looks = [
      new CodedError('STALLED', 'No network.', { retryable: true }),
      new CodedError('STALLED', 'No network.', { retryable: true }),
      has(['event-json'], [], true)
    ];
    should(await run(job)).eql([15, 30]);
    should(tracks()).eql([[null], ['events']]);
    should(deletions).eql(['rec-1']);
  });

  it('deletes nothing when it never learned whether there are any', async () => {
    for (const fault of [
      new CodedError('API_UNAUTHORIZED', 'The key was revoked.'),
      new CodedError('STALLED', 'No answer.', { retryable: true })
    ])
      for (const late of [0, 61 * MINUTE]) {
        [now, looks, notDeleted] = [STORED_AT + late, [fault], []];
        await run({ ...newJob(), id: `job-${fault.code}-${late}` });
        should(deletions).eql([]);
        should(notDeleted).have.length(1);
        should(notDeleted[0]).endWith(fault.message);
      }
    looks = [new CodedError('API_NOT_FOUND', 'The recording is gone.')];
    await run({ ...newJob(), id: 'job-gone' });
    should(deletions).eql(['rec-1']);
  });

  it('looks once for all tracks of a recording', async () => {
    const job = newJob();
    const item = job.items[0]!;
    job.items.push({ ...item, reference: { ...recording, identity: 'daily:rec-1#other' } });
    looks = [has([], [], true)];
    await step(job);
    await step(job);
    should(looked).equal(1);
  });

  it('gives up files during which the process ended again and again, and deletes nothing', async () => {
    looks = [has(['event-json'], [], true)];
    instead = '';
    const job = newJob();
    await step(job);
    await step(job);
    should((await workOf().giveUp(job, 5)).kind).equal('done');
    should(tracks()).eql([[null], ['REPEATED_CRASH']]);
    should(notDeleted).have.length(1);
    should(deletions).eql([]);
  });
});
