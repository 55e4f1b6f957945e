import { readFile, writeFile } from 'node:fs/promises';
import should from 'should';
import type { Keeping } from '../../../../src/archive/download/keeping';
import { CodedError } from '../../../../src/errors/coded-error';
import { readPolicySettings } from '../../../../src/retention/policy-settings';
import { RetentionPolicy } from '../../../../src/retention/retention-policy';
import type { Destination, WantedLock } from '../../../../src/store/destination';
import { createFolderStore } from '../../../../src/store/folder/folder-store';
import { type LockFacts, readRetention } from '../../../../src/store/kept-facts';
import type { StoredRecording } from '../../../../src/store/stored-recording';
import type { Fields } from '../../../../src/values/fields';
import { localServer, wav, type LocalServer } from '../../../support/media';
import { testOwner } from '../../store/folder/store-fixture';
import { ArchiveFixture, recordingAt, STORED_AT, type TestArchiver } from '../archive-fixture';

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
        : { recording: undefined, code: outcome?.error.code, tries };
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
