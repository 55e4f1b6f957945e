import { mkdtemp, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { stateDatabase } from '../../nodes/lib/state';
import { ListRuns } from '../../src/evidence/certificate/list-runs';
import { TelnyxStandIn } from '../../src/simulator/stand-in';
import { node } from '../support/flows';
import { loadedNode, nodeHelper, type TestMessage } from '../support/node-helper';
import { until } from '../support/until';
import { ListStage, type Run } from './list-stage';

const DAY = 86_400_000;

describe('telnyx-recording-list', () => {
  let stage: ListStage;
  let standIn: TelnyxStandIn;

  beforeEach(async () => {
    stage = await ListStage.make();
    standIn = new TelnyxStandIn();
    await standIn.start();
  });

  afterEach(async () => {
    await stage.remove();
    await standIn.stop();
    delete process.env['TELNYX_API_KEY'];
  });

  async function start(properties: object = {}, wires?: string[][]): Promise<void> {
    process.env['TELNYX_API_KEY'] ??= standIn.apiKey;
    await stage.load(stage.flow(standIn.apiUrl, properties, { ...(wires && { wires }) }));
  }

  const run = (message: TestMessage = {}): Promise<Run> => stage.run(message);
  const messages = (id: string): TestMessage[] => stage.messages(id);
  const storedAll = (received: TestMessage[], count: number): Promise<true> =>
    stage.storedAll(received, count);

  it('has missing recordings fetched, once', async () => {
    const recordings = Array.from({ length: 30 }, () => standIn.addRecording({ seconds: 0.1 }));
    await start();
    const stored = messages('stored');
    const summaries = messages('summary');
    const first = await run({ topic: 'nightly', customer: 'kept' });
    await storedAll(stored, 30);
    should(summaries).have.length(1);
    summaries[0]!.should.have.properties({ topic: 'recording.list', customer: 'kept' });
    should(first).have.properties({ completed: true, error: null });
    first.summary!.should.have.properties({
      listed: 30,
      stored: 0,
      missing: 30,
      emitted: 30,
      complete: true,
      from: null
    });
    (await stage.names()).filter((name) => name.endsWith('.mp3')).should.have.length(30);
    for (const message of stored) {
      message.should.have.properties({ topic: 'recording.missing', provider: 'telnyx', customer: 'kept' });
      const details = message['recording'] as Record<string, unknown>;
      const recording = recordings.find(({ id }) => id === details['recording_id'])!;
      details.should.have.properties({
        started_at: new Date(recording.startedAt).toISOString(),
        call_leg_id: recording.call.call_leg_id,
        channels: 'single',
        sha256: standIn.expectedFiles(recording)[0]!.sha256
      });
    }
    (await run()).summary!.should.have.properties({ listed: 30, stored: 30, missing: 0, emitted: 0 });
  });

  it('has damaged files fetched again, and keeps them', async () => {
    const recordings = Array.from({ length: 4 }, () => standIn.addRecording({ seconds: 0.1 }));
    await start();
    const stored = messages('stored');
    await run();
    await storedAll(stored, 4);
    const file = (index: number): string =>
      String(stored.find(({ recording_id }) => recording_id === recordings[index]!.id)!['payload']);
    await writeFile(file(0), 'rotten');
    await unlink(file(1));
    const { summary, completed } = await run({ verify: true });
    await storedAll(stored, 6);
    completed.should.be.true();
    summary!.should.have.properties({ listed: 4, stored: 4, missing: 0, emitted: 2, complete: true });
    summary!.verify!.should.eql({ files: 4, intact: 2, changed: 1, missing: 1, unreadable: 0 });
    stored
      .slice(4)
      .every(({ topic }) => topic === 'recording.damaged')
      .should.be.true();
    const again = await run({ verify: 'only' });
    again.summary!.should.have.properties({ listed: 0, emitted: 0 });
    again.summary!.verify!.should.eql({ files: 4, intact: 4, changed: 0, missing: 0, unreadable: 0 });
    const aside = (await stage.names()).filter((name) => /\.damaged-\d{8}T\d{6}Z$/.test(name));
    aside.should.have.length(1);
    (await readFile(path.join(path.dirname(file(0)), aside[0]!), 'utf8')).should.equal('rotten');
  });

  it('reads the sidecars of a folder when the state is lost', async () => {
    for (let count = 0; count < 5; count += 1) standIn.addRecording({ seconds: 0.1 });
    await start();
    const stored = messages('stored');
    await run();
    await storedAll(stored, 5);
    await nodeHelper.unload();
    const other = await mkdtemp(path.join(tmpdir(), 'telnyx-user-dir-'));
    try {
      nodeHelper.settings({ userDir: other });
      await start();
      const { summary } = await run({ rebuild: true, folder: stage.folder });
      summary!.should.have.properties({ listed: 0, emitted: 0, complete: true });
      summary!.rebuild!.should.have.properties({ sidecars: 5, indexed: 5, unusable: 0 });
      (await run()).summary!.should.have.properties({ listed: 5, stored: 5, emitted: 0 });
    } finally {
      await nodeHelper.unload();
      await rm(other, { recursive: true, force: true, maxRetries: 10 });
    }
  });

  it('lists by the span and filter of the message, which override those of the node', async () => {
    const now = Date.now();
    const wanted = standIn.addRecording({ createdAt: now - 3 * DAY });
    standIn.addRecording({ createdAt: now - 3 * DAY });
    standIn.addRecording({ createdAt: now - 9 * DAY });
    standIn.addRecording({ createdAt: now - 1000 });
    await start({ from: '2d' }, [['stored'], ['summary']]);
    (await run()).summary!.should.have.properties({ listed: 1 });
    const stored = messages('stored');
    const filter = { call_leg_id: wanted.call.call_leg_id };
    const { summary } = await run({ from: '7d', to: '1d', filter });
    summary!.should.have.properties({ listed: 1, missing: 1 });
    Date.parse(String(summary!['from'])).should.be.approximately(now - 7 * DAY, 60_000);
    Date.parse(String(summary!['to'])).should.be.approximately(now - DAY, 60_000);
    stored[0]!.should.have.property('recording_id', wanted.id);
    (stored[0]!['payload'] as object).should.have.property('id', wanted.id);
  });

  it('remembers which span each run covered, and whether it was whole', async () => {
    standIn.addRecording({ seconds: 0.1 });
    await start({ from: '2d' });
    const begun = Date.now();
    const { summary } = await run();
    await run({ filter: { connection_id: '1' }, to: '1h' });
    process.env['TELNYX_API_KEY'] = 'KEY_WRONG';
    await stage.unload();
    await start({ from: '' });
    await run();
    const database = stateDatabase({ settings: { userDir: stage.userDir } });
    const runs = [...new ListRuns(database).endedFrom(0)];
    should(runs).have.length(3);
    const [whole, filtered, failed] = runs;
    should(whole).have.properties({ node: 'list', provider: 'telnyx', account: 'account' });
    should(whole).have.properties({ isWhole: true, complete: true, listed: 1, missing: 1, errors: [] });
    should(whole?.from).equal(Date.parse(String(summary?.['from'])));
    should(whole?.to).be.aboveOrEqual(begun);
    should(filtered).have.properties({ isWhole: false, complete: true });
    should(failed).have.properties({ isWhole: true, complete: false, from: null });
    should(failed?.errors).eql(['API_UNAUTHORIZED']);
  });

  it('refuses a second run while one is under way', async () => {
    for (let count = 0; count < 60; count += 1) standIn.addRecording({ seconds: 0.1 });
    await start();
    const first = run();
    const second = await run();
    second.error!.should.have.property('code', 'ALREADY_RUNNING');
    should(second.summary).be.null();
    (await first).completed.should.be.true();
  });

  it('is stopped by a deploy, and sends no summary', async () => {
    for (let count = 0; count < 300; count += 1) standIn.addRecording({ seconds: 0.1 });
    await start({}, [['stored'], ['summary']]);
    const received = messages('stored');
    loadedNode('list').receive({ _msgid: 'stopped' });
    await until('the first recording', () => (received.length > 0 ? true : undefined));
    const summaries = messages('summary');
    await nodeHelper.unload();
    const count = received.length;
    count.should.be.below(300);
    await start({}, [['stored'], ['summary']]);
    (await run()).summary!.should.have.properties({ listed: 300, emitted: 300 });
    should([received.length, summaries.length]).eql([count, 0]);
  });

  it('says what is wrong with the API key, in the summary and to the Catch nodes', async () => {
    process.env['TELNYX_API_KEY'] = 'KEY-of-somebody-else';
    await start();
    const { summary, error, completed } = await run();
    completed.should.be.false();
    error!.should.have.property('code', 'API_UNAUTHORIZED');
    summary!.should.have.properties({ complete: false, listed: 0, listed_through: null });
    summary!.errors[0]!.code.should.equal('API_UNAUTHORIZED');
  });

  it('shows that a run has begun, and what ended it', async () => {
    process.env['TELNYX_API_KEY'] = 'KEY-of-somebody-else';
    await stage.load([
      ...stage.flow(standIn.apiUrl),
      node('status', 'status', { scope: ['list'], wires: [['statuses']] }),
      node('statuses', 'helper')
    ]);
    const texts: string[] = [];
    loadedNode('statuses').on('input', ({ status }: TestMessage) =>
      texts.push(String((status as { text?: string }).text))
    );
    await run();
    await until('the end', () => (/failed/.test(texts.at(-1) ?? '') ? true : undefined));
    texts[0]!.should.match(/begun/);
  });

  it('needs an account for a list, but not for a check', async () => {
    await start({ account: '' });
    (await run()).error!.should.have.property('code', 'BAD_SETTING');
    const { summary, completed } = await run({ verify: true });
    completed.should.be.true();
    summary!.verify!.should.have.property('files', 0);
  });

  for (const [properties, message] of [
    [{ from: 'yesterday' }, {}],
    [{ provider: 'other' }, {}],
    [{ filter: '[]' }, {}],
    [{}, { from: 'yesterday' }],
    [{}, { filter: 'x' }],
    [{}, { rebuild: true, folder: 7 }],
    [{}, { rebuild: 'all' }],
    [{}, { verify: 1 }],
    [{}, { verify: 'yes' }],
    [{ provider: 'daily' }, {}]
  ]) {
    it(`refuses ${JSON.stringify(properties)} with ${JSON.stringify(message)}`, async () => {
      await start(properties);
      const { error, summary } = await run(message);
      error!.should.have.property('code', 'BAD_SETTING');
      should(summary).be.null();
    });
  }
});
