import { existsSync, readFileSync, readdirSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import type { StandInRecording } from '../../src/simulator/telnyx/recording-shelf';
import { TelnyxStandIn } from '../../src/simulator/stand-in';
import { exampleFlow, onlyNode } from '../support/example-flow';
import { sha256 } from '../support/media';
import { NodeRedProcess, type RecordedMessage } from '../support/node-red-process';
import { until } from '../support/until';

const DAY = 86_400_000;

/** The examples around the list node, as imported, with nothing but the API key filled in. */
describe('the examples of the recording list', function () {
  this.timeout(300_000);
  let standIn: TelnyxStandIn;
  let nodeRed: NodeRedProcess;

  beforeEach(async () => {
    standIn = new TelnyxStandIn();
    await standIn.start();
    nodeRed = await NodeRedProcess.start({ env: { TELNYX_API_KEY: standIn.apiKey } });
  });
  afterEach(async () => {
    await nodeRed.stop();
    await standIn.stop();
  });

  /** Deploys an example in place of all that is there; the result clicks its button and waits for the report. */
  async function deploy(name: string): Promise<() => Promise<RecordedMessage>> {
    const flow = exampleFlow(name, standIn.apiUrl);
    await nodeRed.deploy(flow);
    const button = onlyNode(flow, 'inject');
    let reports = nodeRed.recorded('report.jsonl').length;
    return async () => {
      const response = await nodeRed.admin(`inject/${button}`, { method: 'POST' });
      should(response.status).equal(200);
      await response.arrayBuffer();
      reports += 1;
      return (await nodeRed.messages(reports, { file: 'report.jsonl' })).at(-1)!;
    };
  }

  const add = (createdAt: number): StandInRecording =>
    standIn.addRecording({ seconds: 0.2, createdAt, startedAt: createdAt - 60_000 });

  /** Where the files are, by recording, once there are `count` of them. */
  async function stored(file: string, count: number): Promise<Map<unknown, string>> {
    const messages = await nodeRed.messages(count, { file });
    return new Map(messages.map(({ recording, payload }) => [recording?.['recording_id'], String(payload)]));
  }

  function shouldBeIntact(recordings: StandInRecording[], files: Map<unknown, string>): void {
    for (const recording of recordings) {
      const file = files.get(recording.id) ?? '';
      should(file).startWith(path.join(nodeRed.userDir, 'telnyx-recordings'));
      should(sha256(readFileSync(file))).equal(standIn.expectedFiles(recording)[0]!.sha256);
      should(existsSync(`${file}.json`)).be.true();
    }
  }

  it('"Fetch all recordings of an account" fetches what is years old, and has nothing to do on the second click', async () => {
    const recordings = [0, 1, 40, 400, 1500, 2500].map((days) => add(Date.now() - days * DAY - 1000));
    const click = await deploy('Fetch all recordings of an account');
    should((await click()).payload).equal('6 recordings listed, 0 stored before, 6 to fetch.');
    shouldBeIntact(recordings, await stored('last stored file.jsonl', 6));
    should((await click()).payload).equal('6 recordings listed, 6 stored before, 0 to fetch.');
    should(nodeRed.recorded('not stored.jsonl')).be.empty();
  });

  it('"Fetch all recordings of an account" goes on after Node-RED is killed halfway, and fetches nothing twice', async () => {
    const recordings = Array.from({ length: 400 }, (_value, index) => add(Date.now() - index * DAY - 1000));
    const flow = exampleFlow('Fetch all recordings of an account', standIn.apiUrl);
    await nodeRed.deploy(flow);
    const click = async (): Promise<void> => {
      const response = await nodeRed.admin(`inject/${onlyNode(flow, 'inject')}`, { method: 'POST' });
      await response.arrayBuffer();
    };
    await click();
    await nodeRed.messages(60, { file: 'last stored file.jsonl', deadline: 60_000 });
    await nodeRed.kill();
    should(nodeRed.recorded('report.jsonl')).be.empty();
    const sent = nodeRed.log.split('\n').filter((line) => line.includes('Stored: '));
    const sentBefore = new Set(
      recordings.map(({ id }) => id).filter((id) => sent.some((line) => line.includes(id)))
    );
    const fetchedBefore = recordings.filter((recording) => standIn.downloads(recording) > 0).length;
    should(fetchedBefore).be.within(60, 399);
    await nodeRed.start();
    await click();
    const [report] = await nodeRed.messages(1, { file: 'report.jsonl', deadline: 60_000 });
    should(report!.summary).have.properties({ listed: 400, complete: true });
    // The flow is in memory only: what was sent to it right before the kill may never have reached its end, and is
    // not sent again once its job is off the disk. Everything else arrives.
    const arrived = (): Map<unknown, string> =>
      new Map(
        nodeRed
          .recorded('last stored file.jsonl')
          .map(({ recording, payload }) => [recording?.['recording_id'], String(payload)])
      );
    await until(
      'all recordings that were not sent before the kill',
      () => {
        const ids = arrived();
        return recordings.every(({ id }) => ids.has(id) || sentBefore.has(id)) || undefined;
      },
      { deadline: 60_000 }
    );

    // Every file is there, once, and the index knows it.
    const folder = path.join(nodeRed.userDir, 'telnyx-recordings');
    const sidecars = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.json') && !name.startsWith('.telnyx-partial'))
      .map((name) => readFileSync(path.join(folder, name), 'utf8'))
      .map((text) => JSON.parse(text) as { recording_id: string; path: string });
    should(sidecars).have.length(recordings.length);
    shouldBeIntact(recordings, new Map(sidecars.map((sidecar) => [sidecar.recording_id, sidecar.path])));
    // Only what was on its way when the process died (16 orders at once), or was stored just before and is not
    // in the index on disk yet. Without an index, everything stored before would be fetched again.
    const again = recordings.filter((recording) => standIn.downloads(recording) > 1);
    should(again.length).be.belowOrEqual(45);

    // "Everything in the list" sends what the flow may have missed, and fetches nothing.
    const downloads = recordings.map((recording) => standIn.downloads(recording));
    await nodeRed.deploy(
      flow.map((node) => (node.type === 'telnyx-recording-list' ? { ...node, only: 'all' } : node))
    );
    await click();
    const everything = (await nodeRed.messages(2, { file: 'report.jsonl', deadline: 60_000 }))[1];
    should(everything!.summary).have.properties({ listed: 400, stored: 400, missing: 0, emitted: 400 });
    await until('all messages', () => arrived().size === recordings.length || undefined, {
      deadline: 60_000
    });
    shouldBeIntact(recordings, arrived());
    should(recordings.map((recording) => standIn.downloads(recording))).eql(downloads);
  });

  it('"Fetch missed recordings every night" fetches what is missing from two days, reports it and raises the alarm', async () => {
    const recordings = [1, 30, 47].map((hours) => add(Date.now() - hours * 3_600_000));
    add(Date.now() - 3 * DAY);
    const click = await deploy('Fetch missed recordings every night');
    should((await click()).payload).equal('3 recordings listed, 3 of them missing and now being fetched.');
    shouldBeIntact(recordings, await stored('stored file.jsonl', 3));
    await nodeRed.messages(1, { file: 'put your alarm here.jsonl' });
    const { payload, summary } = await click();
    should(payload).equal('3 recordings listed, 0 of them missing and now being fetched.');
    should(summary).have.properties({ stored: 3, complete: true });
    should(nodeRed.recorded('put your alarm here.jsonl')).have.length(1);

    const text = standIn.addTranscription(recordings[1]!.id, { text: 'No event told of this text.' });
    should((await click()).payload).equal(
      '3 recordings listed, 0 of them missing and now being fetched. 1 transcripts listed, 1 of them missing.'
    );
    await nodeRed.messages(2, { file: 'put your alarm here.jsonl' });
    const filed = (await nodeRed.messages(4, { file: 'stored file.jsonl' })).at(-1)!.recording;
    should(filed).have.properties({ recording_id: recordings[1]!.id, transcription: text.text });
    should(readFileSync(String(filed!['transcription_file']), 'utf8')).equal(text.text);
    should((await click()).summary).match({ transcripts: { stored: 1, missing: 0 } });
  });

  it('"Fetch missed recordings every night" says when the list is incomplete, and why', async () => {
    const flow = exampleFlow('Fetch missed recordings every night', standIn.apiUrl);
    await standIn.stop();
    await nodeRed.stop();
    nodeRed = await NodeRedProcess.start({ flow, env: { TELNYX_API_KEY: '' } });
    await nodeRed.admin(`inject/${onlyNode(flow, 'inject')}`, { method: 'POST' });
    const [alarm] = await nodeRed.messages(1, { file: 'put your alarm here.jsonl' });
    should(alarm!.payload)
      .be.a.String()
      .and.match(/^0 recordings listed, .+ INCOMPLETE: .*API key/);
    await nodeRed.messages(1, { file: 'not stored.jsonl' });
  });

  it('"Check stored recordings every month" finds what is damaged, has it fetched again and raises the alarm', async () => {
    const recordings = [1, 2, 3, 4].map((days) => add(Date.now() - days * DAY));
    await (
      await deploy('Fetch all recordings of an account')
    )();
    const files = await stored('last stored file.jsonl', 4);
    const click = await deploy('Check stored recordings every month');
    const WELL = '4 files checked: 4 intact, 0 changed, 0 missing, 0 could not be read.';
    should((await click()).payload).equal(WELL);

    writeFileSync(files.get(recordings[0]!.id)!, 'rotten');
    unlinkSync(files.get(recordings[1]!.id)!);
    should((await click()).payload).equal(
      '4 files checked: 2 intact, 1 changed, 1 missing, 0 could not be read.'
    );
    shouldBeIntact(recordings.slice(0, 2), await stored('stored again.jsonl', 2));
    const damaged = nodeRed
      .recorded('damaged file.jsonl')
      .map(({ payload }) => payload as { damage: string });
    should(damaged.map(({ damage }) => damage).sort()).eql(['changed', 'missing']);
    should((await click()).payload).equal(WELL);
    should(nodeRed.recorded('put your alarm here.jsonl')).have.length(1);
    should(nodeRed.recorded('not stored.jsonl')).be.empty();
  });
});
