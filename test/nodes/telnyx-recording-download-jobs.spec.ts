import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import should from 'should';
import { itemsOf } from '../../nodes/download/download-messages';
import { archiveState } from '../../nodes/lib/archive-state';
import { deletionsOf } from '../../nodes/lib/deletions';
import { stateDatabase } from '../../nodes/lib/state';
import { deletionOf } from '../../src/archive/deletion/stored-removal';
import { keptMessage } from '../../src/archive/queue/job';
import { JobRepository } from '../../src/archive/queue/job-repository';
import { Deletions } from '../../src/evidence/deletion/deletions';
import { Holds } from '../../src/evidence/deletion/holds';
import { type DeletedKey, Tombstones } from '../../src/evidence/deletion/tombstones';
import { identityOfId } from '../../src/recording/recording-reference';
import { StateDatabase } from '../../src/state/state-database';
import { keyDigest } from '../../src/values/fields';
import { retryAfter } from '../../src/webhook/endpoint/http-responses';
import { localServer } from '../support/media';
import { type TestMessage, loadedNode, nodeHelper } from '../support/node-helper';
import { until } from '../support/until';
import { DownloadStage } from './download-stage';

describe('telnyx-recording-download: jobs', () => {
  let stage: DownloadStage;

  beforeEach(async () => {
    stage = await DownloadStage.create();
  });
  afterEach(() => stage.remove());

  /** Leaves jobs on disk like a process that is killed right after it accepted them. */
  async function leave(...messages: TestMessage[]): Promise<void> {
    const database = new StateDatabase(path.join(stage.userDir, 'telnyx'));
    const jobs = new JobRepository(database);
    for (const message of messages) {
      await jobs.add('download', jobs.job(keptMessage(message), itemsOf(message, 'any')));
    }
    await database.close();
  }

  /** The status that the sender of this message's delivery gets. */
  async function answered(message: TestMessage): Promise<Response> {
    const server = await localServer((_request, response) => {
      loadedNode('download').receive({ ...message, res: { _res: response } });
    });
    try {
      return await fetch(server.url);
    } finally {
      await server.close();
    }
  }

  it('wait, and the deploy reports why, when the folder is unusable', async function () {
    if (process.platform !== 'linux') this.skip();
    await stage.start({ folder: '/proc/nope' });
    const download = loadedNode('download');
    const [text] = await new Promise<unknown[]>((resolve) =>
      download.on('call:warn', ({ args }: { args: unknown[] }) => resolve(args))
    );
    should(text).match(/cannot be stored in "\/proc\/nope"/);
    should(text).match(/another folder under "Folder"/);
  });

  it('resume by themselves at the start, and their messages are sent', async () => {
    await leave(stage.saved('rec-1', { kept: 'as it was' }), stage.saved('rec-2'));
    await stage.start({ concurrency: '1' });
    const messages = await stage.next('stored', 2);
    messages.map(({ _msgid }) => _msgid).should.eql(['rec-1', 'rec-2']);
    messages[0]!.should.have.properties({ kept: 'as it was', topic: 'call.recording.saved' });
    should(messages[0]!['recording']).have.properties({ recording_id: 'rec-1', already_stored: false });
    (await stage.files()).should.have.length(4);
  });

  it('are reported to the Catch nodes even when an earlier process accepted them', async () => {
    stage.answer = (_request, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<p>');
    await leave(stage.saved('rec-1', { kept: 'as it was' }));
    await stage.start();
    const [caught] = await stage.next('caught');
    caught!.should.have.properties({ _msgid: 'rec-1', kept: 'as it was' });
    should(caught!['error']).have.property('code', 'NOT_MEDIA');
    JSON.stringify(caught!['error']).should.not.containEql('geheim');
  });

  it('are on disk before the sender is answered, and start by then', async () => {
    let asked: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    let send: () => void = () => undefined;
    stage.answer = (_request, response) => {
      send = () => stage.sendAll(response);
      asked();
    };
    await stage.start({ answer: 'queued' });
    const stored = stage.next('stored');
    (await answered(stage.saved())).status.should.equal(200);
    await isAsked;
    (await stage.files()).filter((name) => name.endsWith('.wav')).should.eql([]);
    send();
    await stored;
  });

  for (const answer of ['queued', 'stored']) {
    it(`do not exist when there is nothing to store, and the sender gets 200 immediately: ${answer}`, async () => {
      await stage.start({ answer });
      const caught = stage.next('caught');
      const payload = { recording_urls: {}, public_recording_urls: {} };
      (await answered({ _msgid: 'empty', payload })).status.should.equal(200);
      should((await caught)[0]!['error']).have.property('code', 'NO_RECORDING');
    });

    it(`are rejected immediately by a node with a wrong setting: ${answer}`, async () => {
      await stage.start({ answer, filename: '{{nothing}}' });
      (await answered(stage.saved())).status.should.equal(503);
    });
  }

  it('are rejected with 503 and STORE_FAILED while the state directory is not writable', async () => {
    await writeFile(path.join(stage.userDir, 'telnyx'), 'a file is in the way');
    await stage.start({ answer: 'queued' });
    const caught = stage.next('caught');
    const response = await answered(stage.saved());
    response.status.should.equal(503);
    should(response.headers.get('retry-after')).equal(retryAfter());
    should((await caught)[0]!['error']).have.property('code', 'STORE_FAILED');
    stage.media.requests.should.eql([]);

    await rm(path.join(stage.userDir, 'telnyx'));
    const stored = stage.next('stored');
    (await answered(stage.saved())).status.should.equal(200);
    await stored;
  });

  it('of a redeployed node run with its new settings', async () => {
    const elsewhere = path.join(stage.userDir, 'elsewhere');
    await mkdir(elsewhere);
    stage.answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'audio/wav', etag: '"one"', 'content-length': 64_044 });
      response.write(stage.bytes.subarray(0, 20_000));
    };
    const begun = new Promise<void>((resolve) => {
      const { answer } = stage;
      stage.answer = (request, response) => {
        answer(request, response);
        resolve();
      };
    });
    await stage.start();
    loadedNode('download').receive(stage.saved());
    await begun;
    await nodeHelper.unload();
    stage.answer = (_request, response) => stage.sendAll(response);
    await stage.start({ folder: elsewhere });
    const [message] = await stage.next('stored');
    String(message!['payload']).should.startWith(elsewhere);
    (await stage.files()).should.eql([]);
  });

  it('of a deleted node wait for its return; partial copies do not', async () => {
    const begun = new Promise<void>((resolve) => {
      stage.answer = (_request, response) => {
        response.writeHead(200, { 'content-type': 'audio/wav', etag: '"one"', 'content-length': 64_044 });
        response.write(stage.bytes.subarray(0, 20_000), () => resolve());
      };
    });
    await stage.start();
    loadedNode('download').receive(stage.saved());
    await begun;
    await loadedNode('download').close(true);
    (await stage.files()).should.eql([]);
    const database = stateDatabase({ settings: { userDir: stage.userDir } });
    should(database.collection('archive-nodes-gone').get('download')).be.a.Number();
    await nodeHelper.unload();

    stage.answer = (_request, response) => stage.sendAll(response);
    await stage.start();
    await stage.next('stored');
    should(database.collection('archive-nodes-gone').get('download')).be.undefined();
  });

  it('are rejected with a code when no webhook sends such a message', async () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    const long = 'x'.repeat(3e6);
    const payloads: unknown[] = [null, undefined, 0, '', 'text', circle, [], Buffer.alloc(5e6), long];
    const urls: unknown[] = [
      circle,
      { wav: 17 },
      { wav: long },
      { wav: 'file:///etc/passwd' },
      { wav: 'http://' }
    ];
    const events: unknown[] = [null, 'x', 5, [], circle, { event_type: circle }, { body: circle }];
    const messages: TestMessage[] = [
      ...payloads.map((payload) => ({ payload })),
      ...urls.map((recording_urls) => ({ payload: { recording_urls } })),
      ...events.map((event) => ({ event, payload: null })),
      ...[circle, '../../../etc/passwd', long].map((recording_id) => ({ recording_id, payload: null })),
      ...[circle, long, 'file:///etc/passwd', 'http://', 5].map((url) => ({ url, payload: null })),
      { res: null, req: circle, payload: {} }
    ].map((message, index) => ({ _msgid: `hostile ${index}`, ...message }));
    await stage.start({ answer: 'stored' });
    const caught = stage.next('caught', messages.length);
    for (const message of messages) loadedNode('download').receive(message);
    const errors = (await caught).map(({ error }) => error as { code?: unknown; message: string });
    for (const { code, message } of errors) {
      should(code).be.a.String();
      message.length.should.be.below(2000);
      message.should.not.match(/unexpected/i);
    }
    stage.media.requests.should.eql([]);
    const stored = stage.next('stored');
    loadedNode('download').receive(stage.saved());
    await stored;
    (await stage.files()).should.have.length(2);
  });

  it('of two nodes with the same folder produce one file, with different folders two', async () => {
    const other = path.join(stage.userDir, 'other');
    await stage.start({}, {}, { folder: other });
    const stored = stage.next('stored', 3);
    for (const id of ['download', 'download2', 'download3']) loadedNode(id).receive(stage.saved());
    const payloads = (await stored).map(({ payload }) => String(payload));
    new Set(payloads).size.should.equal(2);
    (await stage.files()).should.have.length(2);
    (await readFile(payloads.find((file) => file.startsWith(other))!)).equals(stage.bytes).should.be.true();
  });

  describe('whose recording was deleted on purpose', () => {
    it('say so, store nothing, and end', async () => {
      await stage.start({ answer: 'stored' });
      const first = stage.next('stored');
      loadedNode('download').receive(stage.saved());
      await first;
      const { facts } = archiveState(stage.RED);
      await facts.settled();
      const [file] = facts.recordings.find(identityOfId('telnyx', 'rec-1'));
      const deletions = await deletionsOf(stage.RED);
      const request = deletionOf(file!, stage.folder, { reason: 'erased', actor: 'test' });
      should(await deletions.delete(request)).have.property('deleted', true);
      const requests = stage.media.requests.length;
      const again = stage.next('stored');
      should((await answered(stage.saved('rec-1'))).status).equal(200);
      const [message] = await again;
      should(message).have.properties({ payload: null, topic: 'call.recording.saved' });
      should(message!['recording']).have.properties({
        ...{ recording_id: 'rec-1', already_stored: true, deletion: 'erased', size: stage.bytes.length }
      });
      should((message!['recording'] as { deleted_at: string }).deleted_at).match(/^\d{4}-.*Z$/);
      should(stage.media.requests).have.length(requests);
      should(await stage.files()).eql([]);
      should(await facts.givenUp.newestFirst()).eql([]);
    });
  });

  describe('whose deletion a crash has interrupted', () => {
    const CASE = { id: 'case', reason: 'asked', by: 'Jane Doe' };

    /** Stores a recording, and leaves a deletion that has begun like a process that is killed. */
    async function beginDeletion(): Promise<DeletedKey> {
      await stage.start();
      const stored = stage.next('stored');
      loadedNode('download').receive(stage.saved());
      await stored;
      const { facts } = archiveState(stage.RED);
      await facts.settled();
      const [file] = facts.recordings.find(identityOfId('telnyx', 'rec-1'));
      await nodeHelper.unload();
      const database = new StateDatabase(path.join(stage.userDir, 'telnyx'));
      const deletions = new Deletions({
        database,
        custody: { append: () => Promise.resolve({ seq: 1, at: 0 }), clock: { doubt: () => null } },
        removal: { remove: () => Promise.reject(new Error('killed')), forgetting: () => [] },
        now: Date.now
      });
      const request = deletionOf(file!, stage.folder, { reason: 'erased', actor: 'test' });
      await should(deletions.delete(request)).be.rejectedWith('killed');
      await database.close();
      return request.key;
    }

    it('are finished when the node starts, without being asked', async () => {
      const key = await beginDeletion();
      should(await stage.files()).have.length(2);
      await stage.start();
      await until('the deletion', async () => (await stage.files()).length === 0);
      await until('the tombstone', () => new Tombstones(archiveState(stage.RED).database).get(key));
    });

    it('are not finished when another Node-RED has told since that they are held', async () => {
      const key = await beginDeletion();
      const database = new StateDatabase(path.join(stage.userDir, 'telnyx'));
      const hold = { ...CASE, at: new Date().toISOString(), releasedBy: null, releasedAt: null };
      await database.commit([new Holds(database).putting(key[0], hold)]);
      await database.close();
      await stage.start();
      const decisions = archiveState(stage.RED).database.collection<{ state: string }>('deletion-decisions');
      await until('the refusal', () => decisions.get(key)?.state === 'deferred');
      should(await stage.files()).have.length(2);
    });
  });

  describe('with deletion at the source', () => {
    const KEY = 'KEY-for-tests';
    let deleted: string[];

    beforeEach(() => {
      process.env['TELNYX_API_KEY'] = KEY;
      deleted = [];
      stage.answer = (request, response) => {
        if (request.method === 'DELETE') {
          deleted.push(request.url ?? '');
          response.writeHead(200, { 'content-type': 'application/json' }).end('{"data":{}}');
        } else if (request.url?.startsWith('/v2/') === true) response.writeHead(404).end();
        else stage.sendAll(response);
      };
    });
    afterEach(() => {
      delete process.env['TELNYX_API_KEY'];
    });

    it('delete the recording once it is stored, and report it in message and sidecar', async () => {
      await stage.start({ deleteAtSource: true });
      const stored = stage.next('stored');
      loadedNode('download').receive(stage.saved());
      const [message] = await stored;
      deleted.should.eql(['/v2/recordings/rec-1']);
      const { deleted_at_source } = message!['recording'] as { deleted_at_source: unknown };
      should(deleted_at_source)
        .be.a.String()
        .and.match(/^\d{4}-\d\d-\d\dT.*Z$/);
      const sidecar: unknown = JSON.parse(await readFile(`${String(message!['payload'])}.json`, 'utf8'));
      should(sidecar).eql(message!['recording']);
    });

    it('keep a held recording there until it is released, and say so', async () => {
      await stage.start({ deleteAtSource: true });
      const deletions = await deletionsOf(stage.RED);
      const key: DeletedKey = [keyDigest(identityOfId('telnyx', 'rec-1')), '', ''];
      await deletions.hold(key, 'rec-1', { id: 'case', reason: 'asked', by: 'Jane Doe' });
      const stored = stage.next('stored');
      loadedNode('download').receive(stage.saved());
      should((await stored)[0]!['recording']).have.property('deleted_at_source', null);
      const { warn } = loadedNode('download') as unknown as { warn: { args: string[][] } };
      await until('the warning', () => warn.args.some(([text = '']) => /held for a case/.test(text)));
      deleted.should.eql([]);
      await deletions.release(key, 'rec-1', { id: 'case', by: 'Jane Doe' });
      await until('the deletion', () => deleted.length > 0);
      deleted.should.eql(['/v2/recordings/rec-1']);
    });

    it('send the message when the API refuses, and notify the Catch nodes', async () => {
      const { answer } = stage;
      stage.answer = (request, response) => {
        if (request.method === 'DELETE') response.writeHead(403).end();
        else answer(request, response);
      };
      await stage.start({ deleteAtSource: true });
      const [stored, caught] = [stage.next('stored'), stage.next('caught')];
      loadedNode('download').receive(stage.saved());
      should((await stored)[0]!['recording']).have.property('deleted_at_source', null);
      const { error } = (await caught)[0] as { error: { code: string; message: string } };
      error.code.should.equal('API_UNAUTHORIZED');
      error.message.should.match(/is stored, but it was not deleted/).and.not.containEql(KEY);
    });

    it('are rejected without an account', async () => {
      await stage.start({ deleteAtSource: true, account: '' });
      const caught = stage.next('caught');
      loadedNode('download').receive(stage.saved());
      should((await caught)[0]!['error']).have.property('code', 'BAD_SETTING');
    });
  });

  describe('that are retried', () => {
    it('report the last trouble to Catch nodes when they are given up', async () => {
      stage.answer = (_request, response) => response.writeHead(503).end();
      await stage.start({ retries: '0' });
      const caught = stage.next('caught');
      loadedNode('download').receive(stage.saved('rec-1'));
      const error = (await caught)[0]!['error'] as { code?: string; cause?: { code?: string } };
      should([error.code, error.cause?.code]).eql(['GAVE_UP', 'LINK_REFUSED']);
    });
  });
});
