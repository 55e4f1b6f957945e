import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, RequestListener } from 'node:http';
import path from 'node:path';
import should from 'should';
import dailyAccount from '../../nodes/daily-account';
import dailyWebhookIn from '../../nodes/daily-webhook-in';
import type { AdminHandler, NodeRedApi } from '../../nodes/lib/node-red';
import { activityOf } from '../../nodes/sidebar/activity';
import telnyxAccount from '../../nodes/telnyx-account';
import recordingDownload from '../../nodes/telnyx-recording-download';
import telnyxWebhookIn from '../../nodes/telnyx-webhook-in';
import type { SampleReply } from '../../nodes/samples/sample-request';
import { CATALOGUE } from '../../src/events/catalogue';
import type { SampleChoices } from '../../src/samples/sample-choices';
import { node, tab } from '../support/flows';
import { exchange } from '../support/http-client';
import { loadedNode, type TestMessage } from '../support/node-helper';
import { serve } from '../unit/webhook/express/real-http';
import { NodeStage } from './node-stage';

const XML = '<Response><Say>Hello</Say></Response>';

interface Stored extends TestMessage {
  payload: string;
  recording: Record<string, unknown>;
}

describe('a sample sent from the editor', () => {
  let stage: NodeStage;
  let admin: number;
  let permissions: string[];
  let observed: NodeRedApi;
  afterEach(() => stage.unload());

  /** Without any account: the nodes cannot verify anything. */
  async function start(properties: object = {}, download: object = {}): Promise<void> {
    permissions = [];
    let httpAdmin: unknown;
    const observe = (RED: NodeRedApi): void => {
      observed = RED;
      httpAdmin = RED.httpAdmin;
      let asked = '';
      const needsPermission = RED.auth.needsPermission.bind(RED.auth);
      RED.auth.needsPermission = (permission: string) => {
        asked = permission;
        return needsPermission(permission);
      };
      for (const method of ['get', 'post'] as const) {
        const serveAt = RED.httpAdmin[method].bind(RED.httpAdmin);
        RED.httpAdmin[method] = (route: string, ...handlers: AdminHandler[]) => {
          permissions.push(`${method.toUpperCase()} ${route}: ${asked}`);
          serveAt(route, ...handlers);
        };
      }
    };
    const nodes = [telnyxAccount, dailyAccount, telnyxWebhookIn, dailyWebhookIn, recordingDownload];
    stage = await NodeStage.load(
      [observe, ...nodes],
      [
        tab(),
        node('telnyx', 'telnyx-webhook-in', {
          path: '/telnyx',
          reply: 'at-once',
          // Two wires: one of the nodes gets a clone of the message.
          wires: [['events', 'download']],
          ...properties
        }),
        node('daily', 'daily-webhook-in', { path: '/daily', wires: [['events', 'download']] }),
        node('events', 'recorder', { answer: XML }),
        node('download', 'telnyx-recording-download', {
          folder: 'archive',
          wires: [['stored']],
          ...download
        }),
        node('stored', 'recorder'),
        node('catch', 'catch', { scope: ['download'], wires: [['caught']] }),
        node('caught', 'recorder')
      ]
    );
    admin = await serve((request, response) => (httpAdmin as RequestListener)(request, response));
  }

  async function send(
    event: string,
    { id = 'telnyx', type = 'telnyx-webhook-in', contentType = 'application/json' } = {}
  ): Promise<{ status: number; body: SampleReply & { error?: string } }> {
    const answer = await exchange(admin, {
      path: `/${type}/sample`,
      method: 'POST',
      headers: { 'content-type': contentType },
      body: Buffer.from(JSON.stringify({ id, event }))
    });
    return { status: answer.status, body: JSON.parse(answer.body.toString()) as SampleReply };
  }

  it('leaves the node as a delivery would, marked, verified by nobody, and neither counted nor remembered', async () => {
    await start();
    const before = stage.status('telnyx');
    should(before?.fill).equal('red');
    const { status, body } = await send('call.answered');
    should(status).equal(200);
    should(body).match({ event_type: 'call.answered', isWired: true, answer: null });
    const [message] = await stage.messages('events', 1);
    should(Object.keys(message ?? {}).sort()).deepEqual(['_msgid', 'event', 'payload', 'topic']);
    should(message?.topic).equal('call.answered');
    should(message?.['event']).match({
      sample: true,
      verified: null,
      key_index: null,
      duplicate: false,
      known: true,
      shape: 'envelope-meta'
    });
    should(stage.status('telnyx')).deepEqual(before);
    should(stage.log().some((line) => line.includes('call.answered'))).be.true();
    await send('call.answered');
    await stage.messages('events', 2);
  });

  it('ends as a file of the folder that says what it is', async () => {
    await start();
    const before = { ...activityOf(observed).downloads };
    await send('call.recording.saved');
    const [message] = (await stage.messages('stored', 1)) as Stored[];
    const bytes = readFileSync(message!.payload);
    const { recording } = message!;
    should(recording['sha256']).equal(createHash('sha256').update(bytes).digest('hex'));
    should(recording).match({ sample: true, format: 'wav', deleted_at_source: null });
    should(path.basename(message!.payload)).match(/sample-[0-9a-f-]{36}_single\.wav$/);
    const sidecar = JSON.parse(readFileSync(`${message!.payload}.json`, 'utf8')) as Record<string, unknown>;
    should(sidecar['sample']).be.true();
    should(stage.caught).be.empty();
    // The totals of today are about real calls.
    should(activityOf(observed).downloads).eql(before);
  });

  for (const [event, type, ending] of [
    ['recording.ready-to-download', 'daily', 'wav'],
    ['transcript.ready-to-download', 'daily', 'vtt'],
    ['batch-processor.job-finished', 'daily', 'txt'],
    ['texml.recording.completed', 'telnyx', 'wav'],
    ['call.recording.transcription.saved', 'telnyx', 'wav'],
    ['fax.received', 'telnyx', 'pdf'],
    ['meeting.recording.available', 'telnyx', 'wav'],
    ['meeting.transcript.completed', 'telnyx', 'txt'],
    ['meeting.artifact.completed', 'telnyx', 'txt'],
    ['video.room.recording.completed', 'telnyx', 'wav'],
    ['recording_saved', 'telnyx', 'wav']
  ] as const)
    it(`stores the file of ${event}, too, whatever format is wanted`, async () => {
      await start({}, { format: 'mp3' });
      const sent = await send(event, { id: type, type: `${type}-webhook-in` });
      should(sent.status).equal(200);
      const [message] = (await stage.messages('stored', 1)) as Stored[];
      should(message!.payload).endWith(`.${ending}`);
      should(message!.recording['sample']).be.true();
    });

  it('goes to the message where that is the destination', async () => {
    await start({}, { destination: 'message' });
    await send('call.recording.saved');
    const [message] = await stage.messages('stored', 1);
    should((message?.payload as Buffer).subarray(0, 4).toString()).equal('RIFF');
  });

  it('shows what the flow answers', async () => {
    await start({ reply: 'flow', wires: [['events']] });
    const { body } = await send('texml.voice');
    should(body.answer).match({ kind: 'answered', status: 200, body: XML, isCut: false });
    const [message] = await stage.messages('events', 1);
    const { req } = message as unknown as { req: IncomingMessage & { body: unknown; ip: string } };
    should(req.method).equal('POST');
    should(req.headers['content-type']).equal('application/x-www-form-urlencoded');
    should(req.body).have.property('CallSid');
    should(req.ip).equal('127.0.0.1');
  });

  it('says that the flow answers nothing', async () => {
    await start({ reply: 'flow', replyTimeout: '0.2', wires: [['stored']] });
    const { body } = await send('texml.voice');
    should(body.answer).deepEqual({ kind: 'none', seconds: 0.2 });
    should(stage.caught).be.empty();
  });

  it('needs the permission to change flows; the list, that to look', async () => {
    await start();
    for (const type of ['telnyx-webhook-in', 'daily-webhook-in']) {
      should(permissions).containEql(`POST /${type}/sample: flows.write`);
      should(permissions).containEql(`GET /${type}/sample: telnyx.read`);
    }
    const { status, body } = await exchange(admin, { path: '/daily-webhook-in/sample', method: 'GET' });
    should(status).equal(200);
    const { families, usual } = JSON.parse(body.toString()) as SampleChoices;
    should(usual).equal('recording.ready-to-download');
    should(families[0]?.types.map(({ type }) => type)).containEql(usual);
    const count = families.reduce((sum, { types }) => sum + types.length, 0);
    should(count).equal(CATALOGUE.filter(({ provider }) => provider === 'daily').length);
  });

  it('says that nothing is wired', async () => {
    await start({ wires: [[]] });
    should((await send('call.answered')).body.isWired).be.false();
  });

  it('needs a deployed node, an event of its provider, and JSON of the same site', async () => {
    await start();
    should((await send('call.answered', { id: 'new' })).body.error).match(/^Deploy first/);
    should((await send('call.answered', { id: 'daily' })).body.error).match(/^Deploy first/);
    should(await send('meeting.nothing')).match({ status: 400 });
    const form = await send('call.answered', { contentType: 'application/x-www-form-urlencoded' });
    should(form.status).equal(415);
    should(stage.received('events')).be.empty();
  });

  it('of another process, or invented, leads to no file', async () => {
    await start();
    await send('call.recording.saved');
    const [genuine] = await stage.messages('events', 1);
    await stage.messages('stored', 1);
    const { event, payload } = genuine as unknown as { event: Record<string, unknown>; payload: object };
    const download = loadedNode('download');
    for (const [id, sample] of [
      [event['id'], undefined],
      [`${String(event['id']).slice(0, -64)}${'0'.repeat(64)}`, true],
      ['sample-1', true]
    ] as const)
      download.receive({
        _msgid: 'x',
        event: { ...event, id, sample },
        payload: { ...payload, recording_id: `sample-${String(sample)}` }
      });
    await stage.messages('caught', 3);
    for (const { code, message } of stage.caught) {
      should(code).equal('UNSUPPORTED_URL');
      should(message).match(/Send the sample again/);
    }
    should(stage.received('stored')).have.length(1);
  });

  it('does not make a sample of a real recording that the flow puts into its message', async () => {
    await start();
    await send('call.recording.saved');
    const [genuine] = await stage.messages('events', 1);
    await stage.messages('stored', 1);
    const { event } = genuine as unknown as { event: Record<string, unknown> };
    const payload = { recording_id: 'real', recording_urls: { wav: 'https://127.0.0.1/real.wav' } };
    loadedNode('download').receive({ _msgid: 'x', event, payload });
    await stage.messages('caught', 1);
    should(stage.caught[0]?.code).equal('UNSAFE_URL');
  });
});
