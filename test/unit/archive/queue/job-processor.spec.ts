import { readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import should from 'should';
import type { ArchiveDeps, ArchiveSettings } from '../../../../src/archive/archive-context';
import { LateDetails } from '../../../../src/archive/download/late-details';
import {
  DeletedRecordings,
  SourceDeletion,
  type SourceDeletionDeps
} from '../../../../src/archive/download/source-deletion';
import { LocalFacts } from '../../../../src/archive/index/local-facts';
import type { Job, JobItem } from '../../../../src/archive/queue/job';
import { JobProcessor, type JobProcessorDeps } from '../../../../src/archive/queue/job-processor';
import type { JobOutcome } from '../../../../src/archive/queue/job-queue';
import type { FileOutcome } from '../../../../src/archive/queue/run-result';
import { CodedError } from '../../../../src/errors/coded-error';
import type { SidecarWriter } from '../../../../src/store/destination';
import { folderSidecar } from '../../../../src/store/folder/folder-sidecar';
import { createFolderStore } from '../../../../src/store/folder/folder-store';
import type { StoredFile } from '../../../../src/store/stored-recording';
import { transfer } from '../../../../src/transfer/transfer';
import { type LocalServer, localServer, wav } from '../../../support/media';
import { until } from '../../../support/until';
import { testOwner } from '../../store/folder/store-fixture';
import { alteredStore } from '../altered-store';
import { ArchiveFixture, FRESH, recordingAt, STORED_AT, NOTHING_HELD } from '../archive-fixture';
import { StateFixture } from '../state-fixture';

const DELETED_AT = new Date(STORED_AT).toISOString();

describe('JobProcessor', () => {
  const bytes = wav({ seconds: 1 });
  let archive: ArchiveFixture;
  let state: StateFixture;
  let server: LocalServer;
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let delivered: FileOutcome[][];
  let notDeleted: { message: string; code: string | null }[];
  let deletions: string[];
  let deleteAtSource: SourceDeletionDeps['deleteRecording'];
  /** Records a deletion in a sidecar. */
  let writeDeletion: SidecarWriter['write'];
  /** What the process remembers; a new process remembers nothing. */
  let deleted: DeletedRecordings;
  let commit: JobProcessorDeps['commit'];
  let works: JobProcessor[];
  let troubles: unknown[];
  let orders = 0;

  beforeEach(async () => {
    archive = await ArchiveFixture.create();
    state = new StateFixture();
    answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': bytes.length }).end(bytes);
    };
    server = await localServer((request, response) => answer(request, response));
    [delivered, notDeleted, deletions, works, troubles] = [[], [], [], [], []];
    deleteAtSource = () => Promise.resolve({ ok: true, already_gone: false });
    writeDeletion = (...about) => folderSidecar.write(...about);
    deleted = new DeletedRecordings(facts());
    commit = (effects) => facts().commit(effects);
  });
  afterEach(async () => {
    await Promise.all(works.map((work) => work.close()));
    await server.close();
    await archive.remove();
    await state.remove();
  });

  const facts = () => new LocalFacts(state.database, () => STORED_AT);
  const recordings = () => facts().recordings;
  const givenUp = () => facts().givenUp;

  function workOf(settings: Partial<ArchiveSettings> = {}, deps: Partial<ArchiveDeps> = {}): JobProcessor {
    const index = recordings().at(archive.folder);
    const work = new JobProcessor({
      node: 'node',
      retries: settings.retries ?? 2,
      archiver: archive.plainArchiver(index, { retries: 2, ...settings }, deps),
      index,
      deletion: new SourceDeletion({
        store: {
          ...createFolderStore({ folder: archive.folder, owner: testOwner() }),
          sidecars: { ...folderSidecar, write: (...about) => writeDeletion(...about) }
        },
        deleteRecording: (reference, signal) => {
          deletions.push(String(reference.details.recording_id));
          return deleteAtSource(reference, signal);
        },
        deleted,
        ...NOTHING_HELD,
        now: () => STORED_AT
      }),
      lateDetails: new LateDetails({ index, sidecar: folderSidecar }),
      onDetailsMissing: () => undefined,
      commit: (effects) => commit(effects),
      now: () => STORED_AT,
      random: () => 1,
      deliver: (_order, outcomes) => void delivered.push(outcomes),
      onTrouble: ({ before, now }) =>
        void troubles.push([before, now && { ...now.retry, code: now.error.code }]),
      onNotDeleted: (_order, message, error) => void notDeleted.push({ message, code: error?.code ?? null })
    });
    works.push(work);
    return work;
  }

  function orderFor(...jobs: JobItem[]): Job {
    orders += 1;
    return { id: `order-${orders}`, acceptedAt: STORED_AT, message: {}, items: jobs, files: {} };
  }

  /** Changes files after they are stored, before they are read back. */
  const spoilt = (isMeant: (name: string) => boolean): Partial<ArchiveDeps> => ({
    store: alteredStore(archive.folder, async (file, publish) => {
      const published = await publish(file);
      if (isMeant(file.name)) await writeFile(published.location!, 'spoilt');
      return published;
    })
  });

  const item = (...paths: string[]): JobItem => ({
    reference: recordingAt(...paths.map((path) => server.url + path)),
    format: paths.length > 1 ? 'all' : 'any'
  });

  /** Runs once and persists the outcome, like the queue. In between, the job is on disk. */
  async function carryOut(work: JobProcessor, job: Job, run = FRESH): Promise<JobOutcome> {
    const onDisk = state.database.collection<Job>('orders');
    await onDisk.put(job.id, job);
    const kept = onDisk.get(job.id)!;
    const verdict = await work.work(kept, run);
    await facts().commit(verdict.effects);
    Object.assign(job, kept);
    return verdict;
  }

  const stored = () => {
    const outcome = delivered.at(-1)?.[0];
    if (outcome?.kind !== 'stored') throw new Error('Nothing was stored');
    return outcome.file;
  };

  const sidecar = async (): Promise<unknown> =>
    JSON.parse(await readFile(`${String(stored().payload)}.json`, 'utf8'));

  it('stores a recording, deletes it at the source, notifies the flow, and updates the index', async () => {
    should((await carryOut(workOf(), orderFor(item('/a.wav')))).kind).equal('done');
    deletions.should.eql(['rec-1']);
    stored().recording.should.have.properties({ already_stored: false, deleted_at_source: DELETED_AT });
    should(await sidecar()).eql(stored().recording);
    const [indexed] = recordings().find('telnyx:rec-1');
    should(indexed?.recording).eql(stored().recording);
    notDeleted.should.eql([]);
  });

  it('deletes nothing while another file of the recording is missing', async () => {
    answer = (request, response) => {
      if (request.url === '/b.mp3') response.writeHead(410).end();
      else response.writeHead(200, { 'content-type': 'audio/wav' }).end(bytes);
    };
    should((await carryOut(workOf(), orderFor(item('/a.wav', '/b.mp3')))).kind).equal('done');
    deletions.should.eql([]);
    stored().recording.should.have.property('deleted_at_source', null);
  });

  it('deletes nothing while another track of the recording is missing', async () => {
    answer = (request, response) => {
      if (request.url === '/b.wav') response.writeHead(410).end();
      else response.writeHead(200, { 'content-type': 'audio/wav' }).end(bytes);
    };
    const [one, other] = [item('/a.wav'), item('/b.wav')];
    other.reference.identity = `${one.reference.identity}#2`;
    should((await carryOut(workOf(), orderFor(one, other))).kind).equal('done');
    should(delivered[0]?.map(({ kind }) => kind)).eql(['stored', 'failed']);
    deletions.should.eql([]);
  });

  it('deletes nothing when one of several stored copies differs from what was received', async () => {
    const spoiling = spoilt((name) => name.endsWith('.mp3'));
    const mp3 = Buffer.concat([Buffer.from([0xff, 0xfb, 0x90, 0x64]), Buffer.alloc(2000)]);
    answer = (request, response) => {
      const isMp3 = request.url === '/b.mp3';
      response.writeHead(200, { 'content-type': isMp3 ? 'audio/mpeg' : 'audio/wav' });
      response.end(isMp3 ? mp3 : bytes);
    };
    await carryOut(workOf({}, spoiling), orderFor(item('/a.wav', '/b.mp3')));
    should(delivered[0]?.map(({ kind }) => kind)).eql(['stored', 'stored']);
    deletions.should.eql([]);
    notDeleted.map(({ code }) => code).should.eql(['STORE_FAILED']);
  });

  it('deletes nothing when the stored copy differs from what was received', async () => {
    const spoiling = spoilt(() => true);
    await carryOut(workOf({}, spoiling), orderFor(item('/a.wav')));
    deletions.should.eql([]);
    notDeleted.map(({ code }) => code).should.eql(['STORE_FAILED']);
    stored().recording.should.have.property('deleted_at_source', null);
  });

  it('sends the message although the source refuses the deletion, and says why', async () => {
    deleteAtSource = () => Promise.resolve({ ok: false, message: 'No API deletes this.' });
    should((await carryOut(workOf(), orderFor(item('/a.wav')))).kind).equal('done');
    stored().recording.should.have.property('deleted_at_source', null);
    notDeleted.should.eql([{ message: 'No API deletes this.', code: null }]);
  });

  it('retries the deletion after a pause, without a second message', async () => {
    let failures = 0;
    deleteAtSource = () => {
      failures += 1;
      return failures <= 2
        ? Promise.reject(new CodedError('RATE_LIMITED', 'later', { retryable: true, retryAfterMs: 5000 }))
        : Promise.resolve({ ok: true, already_gone: false });
    };
    const job = orderFor(item('/a.wav'));
    const pauses: unknown[] = [];
    for (;;) {
      // A new process each time.
      const verdict = await carryOut(workOf(), job);
      if (verdict.kind !== 'again') break;
      pauses.push(verdict.pauseMs);
    }
    pauses.should.eql([5000, 5000]);
    delivered.should.have.length(1);
    server.requests.should.have.length(1);
    stored().recording.should.have.property('deleted_at_source', null);
    should(await sidecar()).have.property('deleted_at_source', DELETED_AT);
    should(recordings().find('telnyx:rec-1')[0]?.recording.deleted_at_source).equal(DELETED_AT);
    notDeleted.should.eql([]);
  });

  it('does not delete again when only the update of the sidecar failed', async () => {
    writeDeletion = () => Promise.reject(new CodedError('STORE_FAILED', 'full', { retryable: true }));
    const job = orderFor(item('/a.wav'));
    should((await carryOut(workOf(), job)).kind).equal('again');
    should(await sidecar()).have.property('deleted_at_source', null);
    writeDeletion = (...about) => folderSidecar.write(...about);
    should((await carryOut(workOf(), job)).kind).equal('done');
    should(await sidecar()).have.property('deleted_at_source', DELETED_AT);
    deletions.should.have.length(1);
    notDeleted.should.eql([]);
  });

  it('does not notify the flow when stopped during a deletion; its successor does', async () => {
    let asked: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    deleteAtSource = (_reference, signal) => {
      asked();
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    };
    const job = orderFor(item('/a.wav'));
    const first = workOf();
    const stopped = carryOut(first, job);
    await isAsked;
    await first.close();
    should((await stopped).kind).equal('stopped');
    delivered.should.eql([]);
    notDeleted.should.eql([]);
    deleteAtSource = () => Promise.resolve({ ok: true, already_gone: false });
    await carryOut(workOf(), job);
    stored().recording.should.have.properties({ already_stored: false, deleted_at_source: DELETED_AT });
    server.requests.should.have.length(1);
  });

  it('gives up the deletion after the last retry; the recording stays stored', async () => {
    deleteAtSource = () => Promise.reject(new CodedError('STALLED', 'no answer', { retryable: true }));
    const job = orderFor(item('/a.wav'));
    const kinds: string[] = [];
    while (kinds.at(-1) !== 'done') kinds.push((await carryOut(workOf(), job)).kind);
    kinds.should.eql(['again', 'again', 'done']);
    notDeleted.map(({ code }) => code).should.eql(['STALLED']);
    [...givenUp().list()].should.eql([]);
  });

  it('deletes a stored recording when its message is repeated, unless it is already deleted', async () => {
    deleteAtSource = () => Promise.resolve({ ok: false, message: 'not today' });
    await carryOut(workOf(), orderFor(item('/a.wav')));
    deleteAtSource = () => Promise.resolve({ ok: true, already_gone: false });
    await carryOut(workOf(), orderFor(item('/a.wav')));
    stored().recording.should.have.properties({ already_stored: true, deleted_at_source: DELETED_AT });
    should(recordings().find('telnyx:rec-1')[0]?.recording.deleted_at_source).equal(DELETED_AT);
    await carryOut(workOf(), orderFor(item('/a.wav')));
    deletions.should.have.length(2);
  });

  describe('of two messages for the same recording', () => {
    const files = (): StoredFile[] =>
      delivered.map(([outcome]) => {
        if (outcome?.kind !== 'stored') throw new Error('Nothing was stored');
        return outcome.file;
      });

    it('deletes once when both arrive at the same time, and reports it to both', async () => {
      let release: () => void = () => undefined;
      const isReleased = new Promise<void>((resolve) => (release = resolve));
      deleteAtSource = async () => {
        await isReleased;
        return { ok: true, already_gone: false };
      };
      const work = workOf();
      const first = carryOut(work, orderFor(item('/a.wav')));
      await until('the first deletion', () => deletions.length === 1 || undefined);
      const second = carryOut(work, orderFor(item('/a.wav')));
      const other = carryOut(workOf(), orderFor(item('/a.wav')));
      release();
      await Promise.all([first, second, other]);
      deletions.should.eql(['rec-1']);
      files()
        .map(({ recording }) => recording.deleted_at_source)
        .should.eql([DELETED_AT, DELETED_AT, DELETED_AT]);
      files()
        .map(({ recording }) => recording.already_stored)
        .sort()
        .should.eql([false, true, true]);
      should(await sidecar()).have.properties({ already_stored: false, deleted_at_source: DELETED_AT });
    });

    it('deletes once when the second arrives before the end of the first is persisted', async () => {
      const work = workOf();
      await work.work(orderFor(item('/a.wav')), FRESH);
      await carryOut(work, orderFor(item('/a.wav')));
      deletions.should.eql(['rec-1']);
      stored().recording.should.have.properties({ already_stored: true, deleted_at_source: DELETED_AT });
      should(recordings().find('telnyx:rec-1')[0]?.recording.deleted_at_source).equal(DELETED_AT);
    });

    it('lets the second delete when the first could not', async () => {
      let failures = 0;
      deleteAtSource = () => {
        failures += 1;
        return failures === 1
          ? Promise.reject(new CodedError('STALLED', 'no'))
          : Promise.resolve({ ok: true, already_gone: false });
      };
      const work = workOf();
      await Promise.all([1, 2].map(() => carryOut(work, orderFor(item('/a.wav')))));
      deletions.should.eql(['rec-1', 'rec-1']);
      notDeleted.map(({ code }) => code).should.eql(['STALLED']);
      await carryOut(workOf(), orderFor(item('/a.wav')));
      deletions.should.have.length(2);
      stored().recording.should.have.property('deleted_at_source', DELETED_AT);
    });

    it('stops waiting for the other when its node closes', async () => {
      deleteAtSource = (_reference, signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error));
        });
      const [one, other] = [workOf(), workOf()];
      const first = carryOut(one, orderFor(item('/a.wav')));
      await until('the first deletion', () => deletions.length === 1 || undefined);
      const once = deleted.once.bind(deleted);
      const isWaiting = new Promise<void>((resolve) => {
        deleted.once = (...about) => {
          setImmediate(resolve);
          return once(...about);
        };
      });
      const second = carryOut(other, orderFor(item('/a.wav')));
      await isWaiting;
      await other.close();
      should((await second).kind).equal('stopped');
      await one.close();
      should((await first).kind).equal('stopped');
      deletions.should.eql(['rec-1']);
    });
  });

  describe('after a crash between the deletion and its note', () => {
    const gone = (): void => {
      answer = (_request, response) => response.writeHead(410).end();
      // A new process, without the memory of the one before.
      deleted = new DeletedRecordings(facts());
    };

    it('knows that the recording is stored, and does not fetch it again', async () => {
      const job = orderFor(item('/a.wav'));
      await workOf().work(structuredClone(job), FRESH);
      gone();
      should((await carryOut(workOf(), job)).kind).equal('done');
      stored().recording.should.have.properties({ already_stored: false, deleted_at_source: DELETED_AT });
      deletions.should.eql(['rec-1']);
      [...givenUp().list()].should.eql([]);
    });

    it('deletes again when the sidecar does not say so either', async () => {
      writeDeletion = () => Promise.reject(new CodedError('STORE_FAILED', 'killed'));
      const job = orderFor(item('/a.wav'));
      await workOf().work(structuredClone(job), FRESH);
      gone();
      writeDeletion = (...about) => folderSidecar.write(...about);
      await carryOut(workOf(), job);
      stored().recording.should.have.property('deleted_at_source', DELETED_AT);
      should(await sidecar()).have.property('deleted_at_source', DELETED_AT);
      deletions.should.eql(['rec-1', 'rec-1']);
    });
  });

  it('deletes nothing while the state cannot record that it is stored, and retries', async () => {
    commit = () => Promise.reject(new Error('disk full'));
    const job = orderFor(item('/a.wav'));
    should((await carryOut(workOf(), job)).kind).equal('again');
    stored().recording.should.have.property('deleted_at_source', null);
    deletions.should.eql([]);
    commit = (effects) => facts().commit(effects);
    should((await carryOut(workOf(), job)).kind).equal('done');
    deletions.should.eql(['rec-1']);
    notDeleted.should.eql([]);
  });

  it('reports what a job waits for, keeps that with it, and reports when the wait is over', async () => {
    let status = 503;
    answer = (_request, response) => {
      if (status === 200) response.writeHead(200, { 'content-type': 'audio/wav' }).end(bytes);
      else response.writeHead(status).end();
    };
    const job = orderFor(item('/a.wav'));
    await carryOut(workOf(), job);
    should(job.retry).eql({ trouble: 'source-fault', attempt: 1, of: 2 });
    status = 429;
    await carryOut(workOf(), job);
    status = 200;
    await carryOut(workOf(), job);
    troubles.should.eql([
      [null, { trouble: 'source-fault', attempt: 1, of: 2, code: 'LINK_REFUSED' }],
      ['source-fault', { trouble: 'source-busy', attempt: 2, of: 2, code: 'RATE_LIMITED' }],
      ['source-busy', null]
    ]);
    await carryOut(workOf(), orderFor(item('/a.wav')));
    troubles.should.have.length(3);
  });

  it('reports what a deletion waits for', async () => {
    deleteAtSource = () => Promise.reject(new CodedError('STALLED', 'no answer', { retryable: true }));
    const job = orderFor(item('/a.wav'));
    await carryOut(workOf(), job);
    troubles.should.eql([[null, { trouble: 'source-silent', attempt: 1, of: 2, code: 'STALLED' }]]);
  });

  it('gives up a job that keeps crashing the process, and names the recording', async () => {
    const job = orderFor(item('/a.wav'));
    const verdict = await workOf().giveUp(job, 5);
    await facts().commit(verdict.effects);
    verdict.kind.should.equal('done');
    should(delivered[0]?.[0]).have.properties({ kind: 'failed', attempts: 5 });
    const [given] = [...givenUp().list('node')];
    should(given).have.properties({ code: 'REPEATED_CRASH', identity: 'telnyx:rec-1' });
    given!.message.should.containEql('5 times').and.containEql('rec-1 of call.recording.saved');
    server.requests.should.eql([]);
  });

  it('gives up a deletion that keeps crashing the process; the recording stays stored', async () => {
    deleteAtSource = () => Promise.reject(new CodedError('STALLED', 'no answer', { retryable: true }));
    const job = orderFor(item('/a.wav'));
    await carryOut(workOf(), job);
    (await workOf().giveUp(job, 5)).kind.should.equal('done');
    notDeleted.map(({ code }) => code).should.eql(['REPEATED_CRASH']);
    [...givenUp().list()].should.eql([]);
    delivered.should.have.length(1);
  });

  it('keeps the number of attempts across restarts, and lists a failed recording until it is stored after all', async () => {
    answer = (_request, response) => response.writeHead(503).end();
    const job = orderFor(item('/a.wav'));
    const pauses: unknown[] = [];
    for (;;) {
      const verdict = await carryOut(workOf(), job);
      if (verdict.kind !== 'again') break;
      pauses.push(verdict.pauseMs);
    }
    pauses.should.eql([1000, 2000]);
    should(delivered[0]?.[0]).have.properties({ kind: 'failed', attempts: 3 });
    const [given] = [...givenUp().list('node')];
    should(given).have.properties({ code: 'GAVE_UP', attempts: 3, at: STORED_AT, identity: 'telnyx:rec-1' });
    should(JSON.stringify(given)).not.containEql(server.url);
    answer = (_request, response) => response.writeHead(200, { 'content-type': 'audio/wav' }).end(bytes);
    await carryOut(workOf(), orderFor(item('/a.wav')));
    [...givenUp().list()].should.eql([]);
  });

  it('recognises what an earlier run of the same job stored, and does not fetch it again', async () => {
    let busy = true;
    answer = (request, response) => {
      if (request.url === '/b.mp3' && busy) response.writeHead(503).end();
      else response.writeHead(200, { 'content-type': 'audio/wav' }).end(bytes);
    };
    const job = orderFor(item('/a.wav', '/b.mp3'));
    should((await carryOut(workOf(), job)).kind).equal('again');
    delivered.should.eql([]);
    busy = false;
    should((await carryOut(workOf(), job)).kind).equal('done');
    server.requests.filter((path) => path === '/a.wav').should.have.length(1);
    delivered[0]!
      .map((outcome) => (outcome.kind === 'stored' ? outcome.file.recording.already_stored : null))
      .should.eql([false, true]);
  });

  it('resumes after a restart where a stop cut the transfer', async () => {
    const long = wav({ seconds: 20 });
    answer = (request, response) => {
      const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      response.setHeader('etag', '"one"');
      response.setHeader('content-type', 'audio/wav');
      response.setHeader('content-length', long.length - from);
      if (from > 0) {
        response.setHeader('content-range', `bytes ${from}-${long.length - 1}/${long.length}`);
        response.writeHead(206).end(long.subarray(from));
      } else {
        response.writeHead(200);
        response.write(long.subarray(0, 100_000));
      }
    };
    let begun: () => void = () => undefined;
    const isBegun = new Promise<void>((resolve) => (begun = resolve));
    const job = orderFor(item('/a.wav'));
    const first = workOf(
      {},
      {
        transfer: (request) =>
          transfer({
            ...request,
            onProgress: (received, total) => {
              request.onProgress?.(received, total);
              begun();
            }
          })
      }
    );
    const stopped = carryOut(first, job);
    await isBegun;
    await first.close();
    should((await stopped).kind).equal('stopped');
    delivered.should.eql([]);
    await carryOut(workOf(), job);
    stored().recording.should.have.properties({ resumed: true, attempts: 2, size: long.length });
    (await readFile(String(stored().payload))).equals(long).should.be.true();
  });

  it('distinguishes a file that a crash left unrecorded from a repetition', async () => {
    const lost = orderFor(item('/a.wav'));
    await workOf().work(structuredClone(lost), FRESH);
    await carryOut(workOf(), lost, { isResumed: true });
    stored().recording.already_stored.should.be.false();
    await carryOut(workOf(), orderFor(item('/a.wav')), { isResumed: true });
    stored().recording.already_stored.should.be.true();
  });
});
