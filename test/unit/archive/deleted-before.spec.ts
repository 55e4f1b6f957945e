import { readdirSync, rmSync } from 'node:fs';
import should from 'should';
import { type Archiver } from '../../../src/archive/archiver';
import { deletedKey } from '../../../src/archive/deletion/stored-removal';
import { NO_EFFECTS, entering } from '../../../src/archive/effects';
import { LocalFacts } from '../../../src/archive/index/local-facts';
import type { IndexedFile } from '../../../src/archive/index/stored-index';
import type { Job } from '../../../src/archive/queue/job';
import type { FileOutcome } from '../../../src/archive/queue/run-result';
import type { DeletionReason } from '../../../src/evidence/deletion/tombstones';
import type { RecordingReference } from '../../../src/recording/recording-reference';
import { type LocalServer, localServer, wav } from '../../support/media';
import { ArchiveFixture, FRESH, STORED_AT, recordingAt } from './archive-fixture';
import { StateFixture } from './state-fixture';

const HOUR_MS = 60 * 60 * 1000;

describe('a recording that was deleted on purpose', () => {
  const bytes = wav({ seconds: 1 });
  let archive: ArchiveFixture;
  let state: StateFixture;
  let server: LocalServer;
  let archiver: Archiver;
  let onRequest: () => Promise<void>;
  let jobs = 0;

  beforeEach(async () => {
    [archive, state] = [await ArchiveFixture.create(), new StateFixture()];
    onRequest = () => Promise.resolve();
    server = await localServer((_request, response) => {
      void onRequest().then(() => response.writeHead(200, { 'content-type': 'audio/wav' }).end(bytes));
    });
    archiver = archive.plainArchiver(facts().at(archive.folder), { retries: 0 });
  });
  afterEach(async () => {
    await archiver.close();
    await server.close();
    await archive.remove();
    await state.remove();
  });

  const facts = () => new LocalFacts(state.database, () => STORED_AT);
  const reference = (): RecordingReference => recordingAt(`${server.url}/a.wav`);
  const files = (): string[] =>
    readdirSync(archive.folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.wav')
    );

  async function run(about: RecordingReference = reference(), acceptedAt = STORED_AT): Promise<FileOutcome> {
    const items = [{ reference: about, format: 'any' as const }];
    jobs += 1;
    const job: Job = { id: `job-${jobs}`, acceptedAt, message: {}, items, files: {} };
    const result = await archiver.run(job, FRESH);
    await facts().commit(entering(facts().at(archive.folder), result.entries));
    if (result.kind !== 'ended' || result.outcomes[0] === undefined) throw new Error(result.kind);
    return result.outcomes[0];
  }

  /** As a sweep or an erasure does. */
  async function remove(reason: DeletionReason, place = archive.folder, wantedFormat = 'wav'): Promise<void> {
    const [file] = facts().recordings.find('telnyx:rec-1');
    const key = deletedKey({ identity: 'telnyx:rec-1', wantedFormat }, place);
    const time = new Date(STORED_AT).toISOString();
    const tombstone = {
      stored_at: time,
      deleted_at: time,
      reason,
      policy: null,
      bytes: bytes.length,
      seq: 1
    };
    if (place === archive.folder && file !== undefined) rmSync(String(file.recording.path));
    await facts().commit({ ...NO_EFFECTS, removed: [{ key, tombstone }] });
  }

  it('is not stored again, and nobody is asked for it', async () => {
    should(await run()).have.property('kind', 'stored');
    const format = (facts().recordings.find('telnyx:rec-1')[0] as IndexedFile).wantedFormat ?? '';
    await remove('expired', archive.folder, format);
    const requests = server.requests.length;
    should(await run()).containDeep({ kind: 'deleted', tombstone: { reason: 'expired' } });
    // Also an event without an address, for which the API would be asked.
    should(await run({ ...reference(), links: [] })).have.property('kind', 'deleted');
    should(server.requests).have.length(requests);
    should(files()).eql([]);
  });

  it('is recognised by its address, and by its id', async () => {
    await remove('expired');
    const byAddress = { ...reference(), identity: `telnyx:${server.url}/a.wav` };
    should(await run(byAddress)).have.property('kind', 'deleted');
  });

  it('is stored again from an address that a flow set itself, where other bytes may be tomorrow', async () => {
    await remove('erased');
    const own = reference();
    own.details = { ...own.details, recording_id: null, event_type: null };
    should(await run(own)).have.property('kind', 'stored');
  });

  it('stays away from another place, unless that was asked to keep it before', async () => {
    await remove('expired', '/elsewhere');
    should(await run(reference(), STORED_AT + HOUR_MS)).have.property('kind', 'deleted');
    should(await run(reference(), STORED_AT - HOUR_MS)).have.property('kind', 'stored');
  });

  it('stays away from where it was, whenever that was asked for it', async () => {
    await remove('expired');
    should(await run(reference(), STORED_AT - HOUR_MS)).have.property('kind', 'deleted');
  });

  it('stays away from everywhere when somebody asked for that', async () => {
    await remove('erased', '/elsewhere');
    should(await run(reference(), STORED_AT - HOUR_MS)).have.property('kind', 'deleted');
  });

  it('is mended where it was not deleted', async () => {
    await run();
    await remove('erased', '/elsewhere');
    const [file] = facts().recordings.find('telnyx:rec-1');
    rmSync(String(file?.recording.path));
    should(await run(reference(), STORED_AT + HOUR_MS)).have.property('kind', 'stored');
  });

  it('does not come back with a transfer that was under way when it was deleted', async () => {
    onRequest = () => remove('erased');
    should(await run()).have.property('kind', 'deleted');
    should(files()).eql([]);
  });
});
