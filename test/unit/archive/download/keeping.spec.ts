import { readFile, rm, writeFile } from 'node:fs/promises';
import should from 'should';
import type { Keeping } from '../../../../src/archive/download/keeping';
import type { Job } from '../../../../src/archive/queue/job';
import { CodedError } from '../../../../src/errors/coded-error';
import { readPolicySettings } from '../../../../src/retention/policy-settings';
import { RetentionPolicy } from '../../../../src/retention/retention-policy';
import type { Destination, WantedLock } from '../../../../src/store/destination';
import { createFolderStore } from '../../../../src/store/folder/folder-store';
import { type LockFacts, type RetentionFacts, readRetention } from '../../../../src/store/kept-facts';
import { createMessageStore } from '../../../../src/store/message/message-store';
import type { StoredRecording } from '../../../../src/store/stored-recording';
import type { Fields } from '../../../../src/values/fields';
import { localServer, wav, type LocalServer } from '../../../support/media';
import { testOwner } from '../../store/folder/store-fixture';
import {
  ArchiveFixture,
  onlyFile,
  recordingAt,
  STORED_AT,
  type TestArchiver,
  errorOf
} from '../archive-fixture';

const DAY_MS = 86_400_000;
const LATE = { keepUntil: 30, deleteAfter: 90 };

describe('how a recording is kept', () => {
  const bytes = wav({ seconds: 1 });
  let fixture: ArchiveFixture;
  let server: LocalServer;
  const archivers: TestArchiver[] = [];

  beforeEach(async () => {
    fixture = await ArchiveFixture.create();
    server = await localServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': bytes.length }).end(bytes);
    });
  });
  afterEach(async () => {
    await Promise.all(archivers.splice(0).map((each) => each.close()));
    await server.close();
    await fixture.remove();
  });

  const keeping = (given: Fields): Keeping => {
    const policy = new RetentionPolicy(readPolicySettings({ policy: 'calls', ...given }));
    return {
      hasPolicy: true,
      lockMode: policy.lockMode,
      of: (recording, message) => policy.of(recording, message),
      read: readRetention
    };
  };

  /** A folder that says it can lock, as a bucket does. */
  function lockable(lock: (wanted: WantedLock) => Promise<LockFacts>): Destination {
    const store = createFolderStore({ folder: fixture.folder, owner: testOwner() });
    return { ...store, lock: async (_location, _copy, wanted) => await lock(wanted) };
  }

  /** Runs a job until it ends. @returns what was stored, or the code of the error; and the tries */
  async function archive(
    given: Fields | undefined,
    { message = {}, store }: { message?: Fields; store?: Destination } = {}
  ): Promise<{ recording: StoredRecording | undefined; code: string | undefined; tries: number }> {
    const made = fixture.archiver({}, { ...(given && { keeping: keeping(given) }), ...(store && { store }) });
    archivers.push(made);
    const job = made.order({ reference: recordingAt(`${server.url}/a.wav`), format: 'any' });
    job.message = message;
    for (let tries = 1; ; tries += 1) {
      const result = await made.pass(job);
      if (result.kind === 'stopped') throw new Error('stopped');
      if (result.kind === 'again') continue;
      const [outcome] = result.outcomes;
      return outcome?.kind === 'stored'
        ? { recording: outcome.file.recording, code: undefined, tries }
        : { recording: undefined, code: outcome && errorOf(outcome).code, tries };
    }
  }
  const sidecar = async (recording: StoredRecording | undefined): Promise<Fields> =>
    JSON.parse(await readFile(recording?.sidecar ?? '', 'utf8')) as Fields;

  it('is not said without a policy, whatever the message holds', async () => {
    const { recording } = await archive(undefined, { message: { retention: { deleteAfter: 1 } } });
    should(recording).not.have.property('retention');
    should(await sidecar(recording)).not.have.property('retention');
  });

  it('is in the message, the sidecar and the index', async () => {
    const { recording } = await archive(LATE);
    should(recording?.retention).containDeep({
      policy: { name: 'calls' },
      retain_until: '2026-04-03T09:15:02.118Z',
      delete_after: '2026-06-02T09:15:02.118Z'
    });
    should((await sidecar(recording))['retention']).eql(recording?.retention);
    should(recording).not.have.property('lock');
  });

  it('is what the message asks for', async () => {
    const { recording } = await archive(LATE, { message: { retention: { deleteAfter: null } } });
    should(recording?.retention).have.property('delete_after', null);
  });

  it('stays when the same file is stored under other settings', async () => {
    const first = await archive(LATE);
    const again = await archive({ deleteAfter: 1 });
    should(again.recording).have.property('already_stored', true);
    should(again.recording?.retention).eql(first.recording?.retention);
    should((await sidecar(again.recording))['retention']).eql(first.recording?.retention);
  });

  it('is added to a file that was stored before, and nothing else of its sidecar changes', async () => {
    const { recording } = await archive(undefined);
    const before = { ...(await sidecar(recording)), deleted_at_source: '2026-03-05T00:00:00.000Z' };
    await writeFile(recording?.sidecar ?? '', JSON.stringify(before));
    const again = await archive(LATE);
    should(await sidecar(again.recording)).eql({ ...before, retention: again.recording?.retention });
  });

  describe('without a JSON file beside it', () => {
    /** Stores a recording twice; the second time with other settings and after its file is gone. */
    async function twice(again: Fields, change: (path: string) => Promise<void>): Promise<StoredRecording[]> {
      const policy = keeping(LATE);
      const made = fixture.archiver({ sidecar: false }, { keeping: policy });
      archivers.push(made);
      const store = () =>
        onlyFile(made.archive({ reference: recordingAt(`${server.url}/a.wav`), format: 'any' }));
      const first = await store();
      policy.of = keeping(again).of;
      await change(first.recording.path ?? '');
      const second = await store();
      should(server.requests).have.length(2);
      return [first.recording, second.recording];
    }

    it('keeps the dates of the index when its file had to be fetched again', async () => {
      const [first, second] = await twice({ deleteAfter: 1 }, (file) => rm(file));
      should(second).have.property('already_stored', false);
      should(second?.retention).eql(first?.retention);
    });

    it('keeps them when the file is damaged', async () => {
      const [first, second] = await twice({ deleteAfter: 1 }, (file) => writeFile(file, 'damaged'));
      should(second?.retention).eql(first?.retention);
    });

    it('keeps them when its address is all that is known of it', async () => {
      const policy = keeping(LATE);
      const made = fixture.archiver({ sidecar: false }, { keeping: policy });
      archivers.push(made);
      const reference = recordingAt(`${server.url}/latest.wav`);
      Object.assign(reference.details, { recording_id: null, event_type: null });
      const first = await onlyFile(made.archive({ reference, format: 'any' }));
      policy.of = keeping({ deleteAfter: 1 }).of;
      const second = await onlyFile(made.archive({ reference, format: 'any' }));
      should(second.recording).have.property('already_stored', true);
      should(second.recording.retention).eql(first.recording.retention);
    });
  });

  it('is for the flow to keep when the file is in its message only', async () => {
    const { recording } = await archive(LATE, { store: createMessageStore() });
    should(recording?.retention).containEql({ delete_after: '2026-06-02T09:15:02.118Z' });
  });

  describe('that says neither when it began nor when it ended', () => {
    let time: number;
    let job: Job;
    beforeEach(() => {
      time = STORED_AT;
      const reference = recordingAt(`${server.url}/a.wav`);
      Object.assign(reference.details, { started_at: null, ended_at: null });
      job = {
        ...{ id: 'order', acceptedAt: 0, message: {}, files: {} },
        items: [{ reference, format: 'any' }]
      };
    });

    /** Runs the job once in a process of its own, days later. @returns the dates, or null to try again */
    async function run(
      given: Fields,
      { later = 0, fails = false }: { later?: number; fails?: boolean }
    ): Promise<RetentionFacts | null> {
      time += later * DAY_MS;
      const store = createFolderStore({ folder: fixture.folder, owner: testOwner() });
      const write = (): Promise<never> =>
        Promise.reject(new CodedError('STORE_FAILED', 'No space.', { retryable: true }));
      const made = fixture.archiver(
        {},
        {
          ...{ keeping: keeping(given), now: () => time },
          store: {
            ...store,
            // So that the JSON file is not written ahead.
            openPart: async (id) => {
              const part = await store.openPart(id);
              const publish = part.publish.bind(part);
              part.publish = ({ name, sha256, size, contentType }) =>
                publish({ name, sha256, size, contentType });
              return part;
            },
            sidecars: fails ? { ...store.sidecars, write } : store.sidecars
          }
        }
      );
      archivers.push(made);
      const result = await made.pass(job);
      if (result.kind === 'again') return null;
      const [outcome] = result.kind === 'ended' ? result.outcomes : [];
      return (outcome?.kind === 'stored' && outcome.file.recording.retention) || null;
    }

    it('gets its dates once, whatever happens and is set until it is stored', async () => {
      should(await run({ deleteAfter: 30 }, { fails: true })).be.null();
      should(await run({ deleteAfter: 30 }, { later: 2, fails: true })).be.null();
      const retention = await run({ policy: 'other', deleteAfter: 1 }, { later: 2 });
      should(retention).containDeep({
        policy: { name: 'calls' },
        delete_after: new Date(STORED_AT + 30 * DAY_MS).toISOString()
      });
    });

    it('is not to be deleted because a policy says so that came later', async () => {
      should(await run({}, { fails: true })).be.null();
      should(await run({ deleteAfter: 1 }, { later: 2 })).be.null();
      should(server.requests).have.length(1);
    });
  });

  describe('with a lock', () => {
    const locked = { ...LATE, lockMode: 'governance' };
    const confirmed = ({ mode, until, hold }: WantedLock): LockFacts => ({
      mode,
      until,
      hold,
      version_id: 'v1',
      confirmed_at: new Date(STORED_AT).toISOString()
    });

    it('is locked for as long as it has to be kept, and says so', async () => {
      const wanted: WantedLock[] = [];
      const store = lockable((lock) => {
        wanted.push(lock);
        return Promise.resolve(confirmed(lock));
      });
      const { recording } = await archive(locked, { store });
      should(wanted).eql([{ mode: 'governance', until: '2026-04-03T09:15:02.118Z', hold: false }]);
      should(recording?.lock).eql(confirmed(wanted[0]!));
      should((await sidecar(recording))['lock']).eql(recording?.lock);
    });

    it('is not stored before the lock is confirmed, and is not fetched again for it', async () => {
      let asked = 0;
      const store = lockable((lock) =>
        ++asked < 3
          ? Promise.reject(new CodedError('LOCK_UNCONFIRMED', 'Not yet.', { retryable: true }))
          : Promise.resolve(confirmed(lock))
      );
      const { recording, tries } = await archive(locked, { store });
      should([tries, asked, server.requests.length]).eql([3, 3, 1]);
      should(recording?.lock).have.property('mode', 'governance');
    });

    it('is locked later when it was stored before that was asked for, once', async () => {
      let asked = 0;
      const store = lockable((lock) => {
        asked += 1;
        return Promise.resolve(confirmed(lock));
      });
      const policy = keeping(LATE);
      const made = fixture.archiver({}, { store, keeping: policy });
      archivers.push(made);
      const again = async (): Promise<number> => {
        const [outcome] = await made.archive({
          reference: recordingAt(`${server.url}/a.wav`),
          format: 'any'
        });
        should(outcome).have.property('ok', true);
        return asked;
      };
      should([await again(), await again()]).eql([0, 0]);
      policy.lockMode = 'governance';
      should([await again(), await again()]).eql([1, 1]);
      should(server.requests).have.length(2);
    });

    it('fails where nothing can be locked', async () => {
      should((await archive(locked)).code).equal('LOCK_UNCONFIRMED');
    });

    it('is not locked when it need not be kept any longer', async () => {
      const store = lockable(() => Promise.reject(new Error('not asked')));
      const past = {
        message: { retention: { keepUntil: new Date(STORED_AT - DAY_MS).toISOString() } },
        store
      };
      const { recording } = await archive(locked, past);
      should(recording).not.have.property('lock');
    });
  });
});
