import { readFile, rm } from 'node:fs/promises';
import path from 'node:path';
import should from 'should';
import { LateDetails } from '../../../../src/archive/download/late-details';
import { DeletedRecordings, SourceDeletion } from '../../../../src/archive/download/source-deletion';
import { LocalFacts } from '../../../../src/archive/index/local-facts';
import type { Job } from '../../../../src/archive/queue/job';
import { JobProcessor } from '../../../../src/archive/queue/job-processor';
import type { FileOutcome } from '../../../../src/archive/queue/run-result';
import { Tombstones } from '../../../../src/evidence/deletion/tombstones';
import { readFilter } from '../../../../src/providers/list-filter';
import {
  type ProviderAccounts,
  ProviderRegistry,
  openProviders,
  providers
} from '../../../../src/providers/registry';
import { type Emitted, type RunSummary, reconcile } from '../../../../src/reconcile/reconcile';
import {
  STORED_RECORD_TYPE,
  fromStored,
  referencesFromMessage
} from '../../../../src/recording/find-recordings';
import { folderSidecar } from '../../../../src/store/folder/folder-sidecar';
import { createFolderStore } from '../../../../src/store/folder/folder-store';
import { type LocalServer, localServer, sha256, wav } from '../../../support/media';
import { ArchiveFixture, FRESH, STORED_AT, NOTHING_HELD, errorOf } from '../../archive/archive-fixture';
import { StateFixture } from '../../archive/state-fixture';
import { testOwner } from '../../store/folder/store-fixture';
import { atticProvider } from './attic-provider';

const never = new AbortController().signal;

/** The only registration, which would be a word in `src/providers/registry.ts`. */
const [usual, ...others] = [providers.usual, ...providers.all.slice(1), atticProvider] as const;
const registry = new ProviderRegistry(usual, ...others);

/** A provider needs only a folder that implements the contract, and its registration. */
describe('a provider that this package does not know', () => {
  const tapes = new Map<string, Buffer>();
  let server: LocalServer;
  let keys: Set<string | undefined>;
  let archive: ArchiveFixture;
  let state: StateFixture;
  let accounts: ProviderAccounts;

  beforeEach(async () => {
    tapes.clear();
    for (const seed of [1, 2, 3]) tapes.set(`tape ${seed}`, wav({ seed }));
    keys = new Set();
    server = await localServer((request, response) => {
      const url = new URL(request.url ?? '', 'http://attic.invalid');
      const [, place, name] = url.pathname.split('/').map(decodeURIComponent);
      const json = (value: unknown): void => {
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
      };
      if (place === 'files') {
        should(request.headers.authorization).be.undefined();
        const bytes = tapes.get(name ?? '');
        response.writeHead(bytes ? 200 : 404, { 'content-type': 'audio/wav' }).end(bytes);
        return;
      }
      keys.add(request.headers.authorization);
      if (name === undefined) {
        const rest = [...tapes.keys()].filter((id) => id > (url.searchParams.get('after') ?? ''));
        const page = rest.slice(0, 2);
        json({
          tapes: page.map((id) => ({ id, begun: '2026-03-04T09:15:02Z' })),
          next: rest.length > 2 ? page.at(-1) : null
        });
      } else if (request.method === 'DELETE') {
        tapes.delete(name);
        response.writeHead(204).end();
      } else json({ id: name, file: `${server.url}/files/${encodeURIComponent(name)}`, caller: '+15550100' });
    });
    archive = await ArchiveFixture.create();
    state = new StateFixture();
    accounts = new Map([['attic', { apiUrl: server.url, apiKey: () => 'attic-key' }]]);
  });
  afterEach(async () => {
    await archive.remove();
    await state.remove();
    await server.close();
  });

  const facts = () => new LocalFacts(state.database, () => STORED_AT);

  /** Like the recording list. */
  async function list(rebuild = false): Promise<{ emitted: Emitted[]; summary: RunSummary }> {
    const emitted: Emitted[] = [];
    const provider = atticProvider.open(accounts.get('attic') ?? null, {});
    const { summary, failure } = await reconcile(
      {
        origin: atticProvider,
        only: 'missing',
        from: null,
        to: STORED_AT,
        rebuild: rebuild
          ? {
              folder: archive.folder,
              index: facts().at(archive.folder),
              origins: registry,
              commit: (effects) => facts().commit(effects),
              deletions: {
                tombstones: new Tombstones(state.database),
                delete: () => Promise.reject(new Error('none'))
              }
            }
          : null,
        list: provider.listRecordings(
          {
            filter: readFilter('', atticProvider.filters),
            from: null,
            to: null,
            begun: STORED_AT,
            onWait: () => undefined
          },
          never
        ),
        verify: null
      },
      {
        facts: facts(),
        tombstones: { has: () => false },
        emit: (one) => {
          emitted.push(one);
          return Promise.resolve();
        },
        onProgress: () => undefined,
        now: () => STORED_AT,
        signal: never
      }
    );
    should(failure).be.null();
    await provider.close();
    return { emitted, summary };
  }

  /** Like the download node with the messages of the list. */
  async function download(emitted: Emitted[]): Promise<FileOutcome[]> {
    const open = openProviders(registry, accounts, {});
    const delivered: FileOutcome[] = [];
    const index = facts().at(archive.folder);
    const work = new JobProcessor({
      node: 'node',
      retries: 0,
      archiver: archive.plainArchiver(
        index,
        { retries: 0 },
        {
          authorize: open.authorize,
          resolveLinks: open.resolveLinks,
          completeDetails: open.completeDetails
        }
      ),
      index,
      deletion: new SourceDeletion({
        store: createFolderStore({ folder: archive.folder, owner: testOwner() }),
        deleteRecording: open.deleteRecording,
        deleted: new DeletedRecordings(facts()),
        ...NOTHING_HELD,
        now: () => STORED_AT
      }),
      lateDetails: new LateDetails({ index, sidecar: folderSidecar, completeDetails: open.completeDetails }),
      commit: (effects) => facts().commit(effects),
      now: () => STORED_AT,
      random: () => 0,
      deliver: (_job, outcomes) => delivered.push(...outcomes),
      onTrouble: () => undefined,
      onNotDeleted: (_job, message) => {
        throw new Error(message);
      },
      onDetailsMissing: () => undefined
    });
    for (const [at, one] of emitted.entries()) {
      if (one.kind !== 'recording') throw new Error('A recording was expected.');
      const { provider, recording_id, item } = one.recording;
      const references = referencesFromMessage({ provider, recording_id, payload: item }, registry);
      const items = references.map((reference) => ({ reference, format: 'any' as const }));
      let job: Job = { id: `job-${at}`, acceptedAt: 0, message: {}, items, files: {} };
      // The rest of the job, the deletion, runs as for a job read from disk.
      for (let isLeft = true; isLeft;) {
        job = JSON.parse(JSON.stringify(job)) as Job;
        const outcome = await work.work(job, FRESH);
        await facts().commit(outcome.effects);
        isLeft = outcome.kind === 'again';
      }
    }
    await work.close();
    await open.close();
    return delivered;
  }

  it('is listed, resolved, downloaded and deleted', async () => {
    const bytes = new Map(tapes);
    const { emitted, summary } = await list();
    should(summary).have.properties({ listed: 3, stored: 0, missing: 3, emitted: 3 });

    const outcomes = await download(emitted);
    outcomes.should.have.length(3);
    for (const outcome of outcomes) {
      if (outcome.kind !== 'stored') throw errorOf(outcome);
      const { recording, payload } = outcome.file;
      const id = String(recording.recording_id);
      const file = String(payload);
      path.dirname(file).should.equal(path.join(archive.folder, '2026/03/04'));
      should(sha256(await readFile(file))).equal(sha256(bytes.get(id)!));
      const sidecar = await folderSidecar.read(file);
      should(sidecar).have.properties({
        provider: 'attic',
        identity: `attic:${id}`,
        from: '+15550100',
        started_at: '2026-03-04T09:15:02.000Z',
        deleted_at_source: new Date(STORED_AT).toISOString()
      });
      const damaged = { record_type: STORED_RECORD_TYPE, ...sidecar };
      should(fromStored(damaged, registry)).have.properties({ kind: 'audio', identity: `attic:${id}` });
    }
    should(tapes.size).equal(0);
    should([...keys]).deepEqual(['Bearer attic-key']);
  });

  it('is recognised in the index, and in sidecars if the index is lost', async () => {
    const bytes = new Map(tapes);
    await download((await list()).emitted);
    for (const [id, tape] of bytes) tapes.set(id, tape);
    should((await list()).summary).have.properties({ listed: 3, stored: 3, missing: 0, emitted: 0 });

    await state.database.close();
    await rm(state.directory, { recursive: true });
    state = new StateFixture();
    const { summary } = await list(true);
    should(summary).have.properties({ stored: 3, missing: 0, emitted: 0 });
    should(summary.rebuild).have.properties({ sidecars: 3, indexed: 3, unusable: 0 });
  });

  it('reports what is missing when no account is chosen', async () => {
    const open = openProviders(registry, new Map(), {});
    const [reference] = referencesFromMessage({ provider: 'attic', recording_id: 'tape 1' }, registry);
    await open
      .resolveLinks(reference!, 'missing', never)
      .should.be.rejectedWith({ code: 'NO_RECORDING', message: /Attic account/ });
    await open.close();
  });
});
