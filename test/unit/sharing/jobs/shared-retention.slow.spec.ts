import should from 'should';
import { NO_EFFECTS } from '../../../../src/archive/effects';
import type { Job, MessageSnapshot } from '../../../../src/archive/queue/job';
import type { JobOutcome } from '../../../../src/archive/queue/job-queue';
import { CodedError } from '../../../../src/errors/coded-error';
import { readPolicySettings } from '../../../../src/retention/policy-settings';
import { RetentionPolicy } from '../../../../src/retention/retention-policy';
import { createFolderStore } from '../../../../src/store/folder/folder-store';
import { type RetentionFacts, readRetention } from '../../../../src/store/kept-facts';
import { localServer, wav, type LocalServer } from '../../../support/media';
import { until } from '../../../support/until';
import { ArchiveFixture, recordingAt, STORED_AT, type TestArchiver } from '../../archive/archive-fixture';
import { testOwner } from '../../store/folder/store-fixture';
import { SharingFixture } from '../sharing-fixture';
import { type SharingInstance, instanceOf } from './shared-jobs-stage';

const DAY_MS = 86_400_000;
const inDays = (days: number): string => new Date(STORED_AT + days * DAY_MS).toISOString();

/** A recording without times of its own: its dates count from the first attempt. */
const timeless = (url: string): ReturnType<typeof recordingAt> => {
  const reference = recordingAt(url);
  Object.assign(reference.details, { started_at: null, ended_at: null });
  return reference;
};

describe('how long a recording of a shared job is kept', () => {
  const bytes = wav({ seconds: 1 });
  let sharing: SharingFixture;
  let archive: ArchiveFixture;
  let media: LocalServer;
  let instances: SharingInstance[];
  let archivers: TestArchiver[];
  let stored: { by: string; retention: RetentionFacts | undefined }[];
  /** Attempts that failed. */
  let failed: string[];

  beforeEach(async function () {
    [instances, archivers, stored, failed] = [[], [], [], []];
    sharing = await SharingFixture.start(this);
    archive = await ArchiveFixture.create();
    media = await localServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': bytes.length }).end(bytes);
    });
  });
  afterEach(async () => {
    await Promise.all(instances.map(({ jobs }) => jobs.close()));
    await Promise.all(archivers.map((archiver) => archiver.close()));
    await Promise.all(instances.map(({ state }) => state.remove()));
    await Promise.all([sharing.close(), media.close(), archive.remove()]);
  });

  /** A Node-RED with a policy of its own. @param later days on its clock; @param fails whether its JSON files are refused */
  async function join(
    name: string,
    { deleteAfter, later = 0, fails = false }: { deleteAfter: number; later?: number; fails?: boolean }
  ): Promise<SharingInstance> {
    const policy = new RetentionPolicy(readPolicySettings({ policy: name, deleteAfter }));
    const store = createFolderStore({ folder: archive.folder, owner: testOwner() });
    const write = (): Promise<never> =>
      Promise.reject(new CodedError('STORE_FAILED', 'No space.', { retryable: true }));
    const archiver = archive.archiver(
      {},
      {
        now: () => STORED_AT + later * DAY_MS,
        keeping: {
          ...{ hasPolicy: true, lockMode: 'none', read: readRetention },
          of: (recording, message) => policy.of(recording, message)
        },
        store: {
          ...store,
          openPart: async (id) => {
            const part = await store.openPart(id);
            const publish = part.publish.bind(part);
            // So that the JSON file is not written ahead.
            part.publish = ({ name, sha256, size, contentType }) =>
              publish({ name, sha256, size, contentType });
            return part;
          },
          sidecars: fails ? { ...store.sidecars, write } : store.sidecars
        }
      }
    );
    archivers.push(archiver);
    const work = async (job: Job): Promise<JobOutcome> => {
      const result = await archiver.pass(job);
      if (result.kind !== 'ended') {
        failed.push(name);
        return { kind: 'again', pauseMs: 100, effects: NO_EFFECTS };
      }
      const [outcome] = result.outcomes;
      if (outcome?.kind === 'stored') stored.push({ by: name, retention: outcome.file.recording.retention });
      return { kind: 'done', effects: NO_EFFECTS };
    };
    const instance = instanceOf(await sharing.join(name), { work, place: store.place });
    instances.push(instance);
    return instance;
  }

  const add = ({ jobs }: SharingInstance, message: MessageSnapshot): Promise<void> =>
    jobs.add(message, [{ reference: timeless(`${media.url}/a.wav`), format: 'any' }], () => undefined);

  it('is what the first attempt has computed, whoever stores it in the end', async () => {
    const one = await join('one', { deleteAfter: 90, fails: true });
    one.jobs.start();
    await add(one, {});
    await until('a failed attempt', () => failed.length > 0);
    const other = await join('other', { deleteAfter: 1, later: 3 });
    other.jobs.start();
    await one.jobs.close();
    await until('the recording', () => stored.length > 0, { deadline: 30_000 });
    should(stored).containDeep([
      { by: 'other', retention: { policy: { name: 'one' }, delete_after: inDays(90) } }
    ]);
  });

  it('is what its message asked for, whoever stores it', async () => {
    const one = await join('one', { deleteAfter: 90 });
    const other = await join('other', { deleteAfter: 1 });
    other.jobs.start();
    await add(one, { retention: { deleteAfter: 2555, keepUntil: inDays(400) } });
    await until('the recording', () => stored.length > 0, { deadline: 30_000 });
    should(stored).containDeep([
      { by: 'other', retention: { retain_until: inDays(400), delete_after: inDays(2555) } }
    ]);
  });
});
