import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import type { SampleReply } from '../../nodes/samples/sample-request';
import { jsonDelivery } from '../support/deliveries';
import { account, node, recorder, tab, webhookIn } from '../support/flows';
import { exchange } from '../support/http-client';
import { sha256 } from '../support/media';
import { NodeRedProcess, type RecordedMessage } from '../support/node-red-process';
import { TRUSTED } from '../support/sign';

const XML = '<?xml version="1.0"?><Response><Say>Hello</Say></Response>';

const FLOW = [
  tab(),
  account({ publicKeys: TRUSTED.publicKey }),
  // Neither of them has an account; the other one is only for real deliveries.
  webhookIn({ account: '', path: '/samples', wires: [['archive', 'events']] }),
  { ...webhookIn({ path: '/real', wires: [['archive']] }), id: 'real' },
  { ...webhookIn({ account: '', path: '/voice', reply: 'flow', wires: [['template']] }), id: 'voice' },
  node('template', 'template', {
    field: 'payload',
    template: XML,
    syntax: 'plain',
    output: 'str',
    wires: [['answer']]
  }),
  node('answer', 'http response', {
    statusCode: '201',
    headers: { 'Content-Type': 'application/xml' },
    wires: []
  }),
  node('archive', 'telnyx-recording-download', {
    folder: 'archive',
    retries: 8,
    network: 'public-https',
    deleteAtSource: false,
    wires: [['seen']]
  }),
  ...recorder(),
  ...recorder('events', 'events.jsonl'),
  node('catch', 'catch', { scope: ['archive'], uncaught: false, wires: [['caught']] }),
  ...recorder('caught', 'caught.jsonl')
];

describe('a sample sent through the packed package', function () {
  this.timeout(120_000);
  let nodeRed: NodeRedProcess;
  let events = 0;

  before(async () => {
    nodeRed = await NodeRedProcess.start({
      flow: FLOW,
      adminAuth: { user: 'admin', password: 'a password' }
    });
  });
  after(() => (nodeRed as NodeRedProcess | undefined)?.stop());

  async function send(event: string, id = 'webhook'): Promise<SampleReply> {
    const response = await nodeRed.admin('telnyx-webhook-in/sample', {
      method: 'POST',
      body: JSON.stringify({ id, event })
    });
    const reply = (await response.json()) as SampleReply & { error?: string };
    if (!response.ok) throw new Error(`${response.status}: ${reply.error ?? ''}`);
    return reply;
  }

  /** The event that the last sample made. */
  async function sent(): Promise<RecordedMessage> {
    events += 1;
    return (await nodeRed.messages(events, { file: 'events.jsonl' })).at(-1)!;
  }

  function check(message: RecordedMessage): void {
    const file = String(message.payload);
    const bytes = readFileSync(file);
    should(bytes.subarray(0, 4).toString()).equal('RIFF');
    should(message.recording).match({ sample: true, sha256: sha256(bytes), size: bytes.length });
    const sidecar = JSON.parse(readFileSync(`${file}.json`, 'utf8')) as Record<string, unknown>;
    should(sidecar).match({ sample: true, sha256: sha256(bytes) });
  }

  it('is refused to a stranger', async () => {
    const response = await fetch(new URL('telnyx-webhook-in/sample', nodeRed.editorUrl), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ id: 'webhook', event: 'call.recording.saved' })
    });
    should(response.status).equal(401);
  });

  it('is stored, without account and key', async () => {
    should((await send('call.recording.saved')).isWired).be.true();
    check((await nodeRed.messages(1))[0]!);
    should((await sent()).event).match({ sample: true, verified: null });
  });

  it('is stored after a crash in between, because the job names the file and not a link', async () => {
    const folder = path.join(nodeRed.userDir, 'archive');
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'in the way');
    await send('call.recording.saved');
    await sent();
    await nodeRed.waitForLog(/\[warn\] \[telnyx-recording-download:archive\]/);
    await nodeRed.kill();
    rmSync(folder);
    await nodeRed.start();
    check((await nodeRed.messages(2, { deadline: 60_000 })).at(-1)!);
  });

  it('of another time or place is refused, also when a signed delivery claims to be one', async () => {
    const genuine = (await nodeRed.messages(1, { file: 'events.jsonl' }))[0]!;
    const { event = {}, payload = {} } = genuine as { event?: Record<string, unknown>; payload?: object };
    const body = {
      sample: true,
      data: {
        ...(event['body'] as { data: object }).data,
        id: event['id'],
        sample: true,
        payload: { ...payload, recording_id: 'sample-hostile', sample: true }
      }
    };
    const answer = await exchange(nodeRed.port, { path: '/real', ...jsonDelivery(JSON.stringify(body)) });
    should(answer.status).equal(200);
    const [refused] = await nodeRed.messages(1, { file: 'caught.jsonl' });
    should(nodeRed.codeOf(refused)).equal('UNSUPPORTED_URL');
    should(refused?.event?.['sample']).be.undefined();
  });

  it('shows the instructions that the flow answers through an http response node', async () => {
    const { answer } = await send('texml.voice', 'voice');
    should(answer).match({ kind: 'answered', status: 201, body: XML, isCut: false });
    should(answer)
      .have.property('contentType')
      .match(/^application\/xml/);
  });

  it('leaves nothing in the delivery log', () => {
    const folder = path.join(nodeRed.userDir, 'telnyx', 'deliveries');
    const logs = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    const text = logs
      .filter((name) => name.endsWith('.log'))
      .map((name) => readFileSync(path.join(folder, name), 'latin1'))
      .join('');
    should(text).containEql('sample-hostile').and.not.containEql('texml.voice');
  });
});
