import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import should from 'should';
import { MEETING_EVENTS } from '../../src/simulator/telnyx/meeting';
import type { StandInRecording } from '../../src/simulator/telnyx/recording-shelf';
import { TelnyxStandIn } from '../../src/simulator/stand-in';
import { S3_USER } from '../support/ceph';
import { formDelivery, holdEvent, jsonDelivery } from '../support/deliveries';
import { exampleFlow } from '../support/example-flow';
import { exchange } from '../support/http-client';
import { localServer, sha256, wav } from '../support/media';
import { NodeRedProcess, type RecordedMessage } from '../support/node-red-process';
import { S3Server } from '../support/s3-server';
import { TRUSTED } from '../support/sign';
import { until } from '../support/until';

/** The examples that archive announced recordings, as imported, with the account and the bucket filled in. */
describe('the examples of the archive', function () {
  this.timeout(90_000);
  let nodeRed: NodeRedProcess;
  let standIn: TelnyxStandIn;
  /** Milliseconds by which the links of the stand-in age. */
  let later: number;

  before(async () => {
    nodeRed = await NodeRedProcess.start({ coreNodes: 'all' });
  });
  after(() => nodeRed.stop());
  beforeEach(async () => {
    later = 0;
    standIn = new TelnyxStandIn({ clock: () => Date.now() + later });
    await standIn.start();
  });
  afterEach(() => standIn.stop());

  async function deploy(name: string, filledIn: Readonly<Record<string, object>> = {}): Promise<void> {
    const account = { publicKeys: TRUSTED.publicKey, credentials: { apiKey: standIn.apiKey } };
    await nodeRed.deploy(exampleFlow(name, standIn.apiUrl, { 'telnyx-account': account, ...filledIn }));
  }

  async function deliver(
    where: string,
    body: string | Buffer,
    contentType = 'application/json'
  ): Promise<number> {
    const delivery = contentType === 'application/json' ? jsonDelivery(body) : formDelivery(body);
    const { status } = await exchange(nodeRed.port, { path: where, ...delivery });
    return status;
  }

  /** Announces a new recording of the stand-in. */
  async function record(where: string): Promise<StandInRecording> {
    const { recording, body } = standIn.sample('call.recording.saved', { seconds: 0.5 });
    should(await deliver(where, body(1, nodeRed.url + where))).equal(200);
    return recording!;
  }

  it('"Archive meetings" keeps the secret of the session that it starts, and stores what that leaves', async () => {
    await deploy('Archive meetings', {
      'http request': {
        url: `${standIn.apiUrl}/meeting_sessions`,
        credentials: { user: '', password: standIn.apiKey }
      }
    });
    const click = await nodeRed.admin('inject/6e2f9a4c8d1b5004', { method: 'POST' });
    should(click.status).equal(200);
    const [started] = await until('the started session', () => {
      const said = nodeRed.recorded('the bot is on its way.jsonl');
      return said.length > 0 ? said : undefined;
    });
    const [meeting] = standIn.meetings.all;
    should(JSON.stringify(started)).containEql(meeting!.id).and.not.containEql(meeting!.secret);
    for (const event of MEETING_EVENTS) {
      const { accepted } = await standIn.deliverMeeting(meeting!, event, `${nodeRed.url}/telnyx-meetings`);
      should(accepted).be.true(event);
    }
    const files = await until('the files', () => {
      const found = ofRecording('stored file.jsonl', meeting!.id);
      return found.length === 4
        ? found.map(({ payload }) => path.basename(String(payload))).sort()
        : undefined;
    });
    should(files.map((file) => file.slice(file.indexOf(meeting!.id) + meeting!.id.length))).deepEqual([
      '_summary.txt',
      '_transcript.json',
      '_transcript.txt',
      '_video_mixed.mp4'
    ]);
    should(nodeRed.recorded('not stored.jsonl')).be.empty();
  });

  const textOf = (recording: StandInRecording, text: string): string =>
    event('call.recording.transcription.saved', {
      ...recording.call,
      recording_id: recording.id,
      recording_transcription_id: randomUUID(),
      status: 'completed',
      transcription_text: text
    });

  const ofRecording = (file: string, id: string): RecordedMessage[] =>
    nodeRed.recorded(file).filter(({ recording }) => recording?.['recording_id'] === id);

  /** The next message about a recording. */
  async function told(file: string, id: string, before = 0): Promise<RecordedMessage> {
    try {
      return await until(`a message about ${id}`, () => ofRecording(file, id)[before], { deadline: 30_000 });
    } catch (error) {
      throw new Error(`${(error as Error).message}. Log:\n${nodeRed.log}`, { cause: error });
    }
  }

  /** Waits for what a Catch node receives about an event. */
  const caught = (file: string, id: string): Promise<RecordedMessage> =>
    until('the alarm', () => nodeRed.recorded(file).find((message) => JSON.stringify(message).includes(id)));

  function shouldNotBeCaught(ids: readonly string[]): void {
    const errors = nodeRed.recorded('not stored.jsonl').map((message) => JSON.stringify(message));
    should(errors.filter((error) => ids.some((id) => error.includes(id)))).be.empty();
  }

  const sidecarOf = (file: string): Record<string, unknown> =>
    JSON.parse(readFileSync(`${file}.json`, 'utf8')) as Record<string, unknown>;

  function shouldBeIntact(recording: StandInRecording, file: string): void {
    should(file).startWith(path.join(nodeRed.userDir, 'telnyx-recordings'));
    should(sha256(readFileSync(file))).equal(standIn.expectedFiles(recording)[0]!.sha256);
  }

  describe('"Archive recordings with transcripts"', () => {
    const WHERE = '/telnyx-transcripts';
    const STORED = 'stored file and text.jsonl';

    function shouldHaveText(file: string, message: RecordedMessage, text: string): void {
      const textFile = file.replace(/\.wav$/, '.txt');
      should(readFileSync(textFile, 'utf8')).equal(text);
      should(message.recording).have.properties({ transcription: text, transcription_file: textFile });
      should(sidecarOf(file)).have.properties({ transcription: text, transcription_file: textFile });
    }

    it('puts the text beside audio that arrived first', async () => {
      await deploy('Archive recordings with transcripts');
      const recording = await record(WHERE);
      const file = String((await told(STORED, recording.id)).payload);
      shouldBeIntact(recording, file);
      should(existsSync(file.replace(/\.wav$/, '.txt'))).be.false();
      should(await deliver(WHERE, textOf(recording, 'Good morning. Grüß Gott.'))).equal(200);
      shouldHaveText(file, await told(STORED, recording.id, 1), 'Good morning. Grüß Gott.');
      should(standIn.downloads(recording)).equal(1);
      shouldNotBeCaught([recording.id]);
    });

    it('fetches the audio of a text that arrives first, and nothing more when the audio is announced', async () => {
      await deploy('Archive recordings with transcripts');
      const { recording, body } = standIn.sample('call.recording.saved', { seconds: 0.5 });
      should(await deliver(WHERE, textOf(recording!, 'Too early.'))).equal(200);
      const message = await told(STORED, recording!.id);
      const file = String(message.payload);
      shouldBeIntact(recording!, file);
      shouldHaveText(file, message, 'Too early.');
      await deliver(WHERE, body(1, nodeRed.url + WHERE));
      const second = await told(STORED, recording!.id, 1);
      should(second.payload).equal(file);
      should(second.recording).have.property('already_stored', true);
      shouldHaveText(file, second, 'Too early.');
      should(standIn.downloads(recording!)).equal(1);
    });

    it('sends everything else to "other events"', async () => {
      await deploy('Archive recordings with transcripts');
      const id = randomUUID();
      should(await deliver(WHERE, holdEvent(id))).equal(200);
      await until('the event', () =>
        nodeRed.recorded('other events.jsonl').find((message) => message.event?.['id'] === id)
      );
    });
  });

  describe('"Archive call recordings to a bucket"', () => {
    const WHERE = '/telnyx-bucket';
    const STORED = 'stored object.jsonl';
    let server: S3Server;

    beforeEach(async function () {
      server = await S3Server.start(this);
      const { url, bucket } = server;
      await deploy('Archive call recordings to a bucket', {
        'telnyx-bucket': { endpoint: url, bucket, forcePathStyle: true, credentials: S3_USER }
      });
    });
    afterEach(() => server.close());

    it('stores the recording with the job on disk before the answer, reads it back, and only then deletes it at Telnyx', async () => {
      let atTelnyx: number | undefined;
      server.pause = ({ name, key, headers }) => {
        if (name === 'GetObject' && key.endsWith('.wav') && headers.range === undefined)
          atTelnyx = standIn.recordings.length;
        return undefined;
      };
      const recording = await record(WHERE);
      const original = standIn.expectedFiles(recording)[0]!.sha256;
      const message = await told(STORED, recording.id);
      should(atTelnyx).equal(1);
      should(standIn.recordings).be.empty();
      const { key, deleted_at_source } = message.recording as { key: string; deleted_at_source: string };
      should(message.payload).equal(`s3://${server.bucket}/${key}`);
      should(key).startWith('calls/');
      should(sha256(await server.bytes(key))).equal(original);
      should(await server.keys()).eql([key, `${key}.json`]);
      const sidecar = JSON.parse((await server.bytes(`${key}.json`)).toString()) as Record<string, unknown>;
      should(Date.parse(deleted_at_source)).be.within(Date.now() - 60_000, Date.now());
      should(sidecar).have.properties({ sha256: original, deleted_at_source });
    });

    it('deletes nothing when the stored object differs from what was received, and reports it', async () => {
      server.pause = async ({ name, key, headers }) => {
        if (name !== 'GetObject' || !key.endsWith('.wav') || headers.range !== undefined) return;
        const rotten = { Bucket: server.bucket, Key: key, Body: wav({ seed: 99 }) };
        await server.direct.send(new PutObjectCommand(rotten));
      };
      const recording = await record(WHERE);
      const { error } = await caught('not stored.jsonl', recording.id);
      should(error).have.property('code', 'STORE_FAILED');
      should(error?.message).match(/not deleted/);
      should(standIn.recordings.map(({ id }) => id)).eql([recording.id]);
      const { recording: stored } = await told(STORED, recording.id);
      should(stored).have.property('deleted_at_source', null);
    });

    it('answers other events with 200', async () => {
      should(await deliver(WHERE, holdEvent())).equal(200);
      should(await server.keys()).be.empty();
    });
  });

  describe('"Alert when a recording is given up"', () => {
    const WHERE = '/telnyx-alert';
    const ALARM = 'put your alarm here.jsonl';

    it('raises no alarm for stored recordings', async () => {
      await deploy('Alert when a recording is given up');
      const recording = await record(WHERE);
      shouldBeIntact(recording, String((await told('stored file.jsonl', recording.id)).payload));
      should(nodeRed.recorded(ALARM)).be.empty();
    });

    /** Announces a recording whose link expires before use. */
    async function announceTooLate(
      name = 'call.recording.saved',
      prepare?: (recording: StandInRecording) => Promise<void>
    ): Promise<string> {
      const { recording, body, contentType } = standIn.sample(name, { seconds: 0.5 });
      const sent = body(1, nodeRed.url + WHERE);
      later += 3_600_000;
      await prepare?.(recording!);
      should(await deliver(WHERE, sent, contentType)).equal(200);
      return recording!.id;
    }

    const deleteAtTelnyx = async ({ id }: StandInRecording): Promise<void> => {
      const headers = { authorization: `Bearer ${standIn.apiKey}` };
      await fetch(`${standIn.apiUrl}/recordings/${id}`, { method: 'DELETE', headers });
    };

    it('names code and recording when the link has expired and there is no key for a fresh one', async () => {
      const account = { publicKeys: TRUSTED.publicKey, credentials: { apiKey: '' } };
      await deploy('Alert when a recording is given up', { 'telnyx-account': account });
      for (const name of ['call.recording.saved', 'texml.recording.completed']) {
        const id = await announceTooLate(name);
        const { payload, error } = await caught(ALARM, id);
        should(error).have.property('code', 'LINK_EXPIRED');
        should(payload)
          .be.a.String()
          .and.startWith(`Recording ${id} was not stored: LINK_EXPIRED: The link no longer works.`);
        should(payload).not.match(/X-Amz/);
      }
    });

    it('names code and recording when it is no longer at Telnyx', async () => {
      await deploy('Alert when a recording is given up');
      const id = await announceTooLate('call.recording.saved', deleteAtTelnyx);
      const { payload, error } = await caught(ALARM, id);
      should(error).have.property('code', 'API_NOT_FOUND');
      should(payload).be.a.String().and.startWith(`Recording ${id} was not stored: API_NOT_FOUND: `);
    });
  });

  describe('"Answer Telnyx when the job is on disk"', () => {
    const WHERE = '/telnyx-queued';
    const STORED = 'stored file.jsonl';
    const BYTES = wav({ seconds: 20, seed: 21 });

    it('has the recording although Node-RED is killed right after the answer', async () => {
      let open = false;
      const media = await localServer((_request, response) => {
        response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': BYTES.length, etag: '"1"' });
        // Half of it; the rest only for the second Node-RED.
        if (open) response.end(BYTES);
        else response.write(BYTES.subarray(0, BYTES.length / 2));
      });
      try {
        await deploy('Answer Telnyx when the job is on disk');
        const ids = Array.from({ length: 5 }, () => randomUUID());
        const saved = (id: string): string =>
          event('call.recording.saved', {
            channels: 'single',
            recording_id: id,
            recording_started_at: '2026-05-06T07:00:00Z',
            recording_urls: { wav: `${media.url}/${id}.wav` }
          });
        const bodies = ids.map(saved);
        const answers = await Promise.all(bodies.map((body) => deliver(WHERE, body)));
        await nodeRed.kill();
        should(answers).eql([200, 200, 200, 200, 200]);
        should(ids.flatMap((id) => ofRecording(STORED, id))).be.empty();
        open = true;
        await nodeRed.start();
        const files = await Promise.all(ids.map(async (id) => String((await told(STORED, id)).payload)));
        for (const file of files) should(sha256(readFileSync(file))).equal(sha256(BYTES));
        // Telnyx may not have received the answer of a dead process, and sends the event again.
        for (const body of bodies) should(await deliver(WHERE, body)).equal(200);
        // It also announces a recording twice.
        should(await deliver(WHERE, saved(ids[0]!))).equal(200);
        const again = await told(STORED, ids[0]!, 1);
        should([again.payload, again.recording?.['already_stored']]).eql([files[0], true]);
        const folder = path.dirname(files[0]!);
        should(readdirSync(folder).sort()).eql(
          files.flatMap((file) => [path.basename(file), `${path.basename(file)}.json`]).sort()
        );
        shouldNotBeCaught(ids);
      } finally {
        await media.close();
      }
    });

    it('answers events without a recording with 200', async () => {
      await deploy('Answer Telnyx when the job is on disk');
      const started = performance.now();
      should(await deliver(WHERE, holdEvent())).equal(200);
      should(await deliver(WHERE, event('call.hangup', { hangup_cause: 'normal_clearing' }))).equal(200);
      should(await deliver(WHERE, event('made.up.later', {}))).equal(200);
      // Faster than the reply timeout of ten seconds.
      should(performance.now() - started).be.below(5000);
    });
  });
});

/** An API v2 event with its own id. */
function event(type: string, payload: object): string {
  return JSON.stringify({
    data: {
      record_type: 'event',
      event_type: type,
      id: randomUUID(),
      occurred_at: new Date().toISOString(),
      payload
    }
  });
}
