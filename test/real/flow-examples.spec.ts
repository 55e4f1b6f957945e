import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import should from 'should';
import type { SampleReply } from '../../nodes/samples/sample-request';
import { TelnyxStandIn } from '../../src/simulator/stand-in';
import { formDelivery, jsonDelivery } from '../support/deliveries';
import { allExamples, exampleFlow, exampleNamed } from '../support/example-flow';
import { exchange, type RawAnswer } from '../support/http-client';
import { localServer, type LocalServer, sha256 } from '../support/media';
import { type FlowNode, NodeRedProcess, type RecordedMessage } from '../support/node-red-process';
import { TRUSTED } from '../support/sign';

const NAMES = [
  'TeXML voice menu',
  'Missed-call alert',
  'SMS auto-reply',
  'Fax to e-mail',
  'Transcript to a summary',
  'Recordings page',
  'Sample events'
];
const CALLER = '+12025550111';
const OURS = '+12025550122';
const PASSWORD = 'correct horse';

/** Takes text messages as Telnyx does, or refuses them with `status`. */
class MessagesApi {
  readonly taken: { authorization: string | undefined; body: Record<string, string> }[] = [];
  status = 200;

  /** Listens on a free port. */
  listen(): Promise<LocalServer> {
    return localServer((request, response) => {
      void text(request).then((body) => {
        const message = JSON.parse(body) as Record<string, string>;
        this.taken.push({ authorization: request.headers.authorization, body: message });
        response.writeHead(this.status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(this.status === 200 ? { data: message } : { errors: ['made up'] }));
      });
    });
  }
}

/** The examples that answer, reply and show, all imported into one Node-RED. */
describe('the examples around calls, messages and pages', function () {
  this.timeout(120_000);
  let nodeRed: NodeRedProcess;
  let standIn: TelnyxStandIn;
  let apiServer: LocalServer;
  const api = new MessagesApi();

  before(async () => {
    standIn = new TelnyxStandIn();
    await standIn.start();
    apiServer = await api.listen();
    nodeRed = await NodeRedProcess.start({ coreNodes: 'all', env: { PAGE_PASSWORD: PASSWORD } });
    const account = { publicKeys: TRUSTED.publicKey, credentials: { apiKey: standIn.apiKey } };
    const filledIn = {
      'telnyx-account': account,
      'http request': {
        url: `${apiServer.url}/v2/messages`,
        credentials: { user: '', password: 'KEY-of-the-user' }
      }
    };
    await nodeRed.deploy(
      NAMES.flatMap((name) => ownFiles(name, exampleFlow(name, standIn.apiUrl, filledIn)))
    );
  });
  after(async () => {
    await nodeRed.stop();
    await standIn.stop();
    await apiServer.close();
  });

  const deliver = (where: string, type: string, payload: object): Promise<RawAnswer> =>
    exchange(nodeRed.port, { path: where, ...jsonDelivery(event(type, payload)) });

  async function accepted(where: string, type: string, payload: object): Promise<void> {
    should((await deliver(where, type, payload)).status).equal(200);
  }

  const shown = async (name: string, label: string, count = 1): Promise<RecordedMessage> =>
    (await nodeRed.messages(count, { file: `${name} ${label}.jsonl` }))[count - 1]!;

  const said = (name: string, label: string): RecordedMessage[] => nodeRed.recorded(`${name} ${label}.jsonl`);

  it('are all examples of these folders, and leave nothing out', () => {
    const here = allExamples().filter(({ folder }) => /^[34]/.test(folder));
    should(here.map(({ name }) => name).filter((name) => !NAMES.includes(name))).be.empty();
  });

  describe('"TeXML voice menu"', () => {
    const NAME = 'TeXML voice menu';
    const call = (): URLSearchParams =>
      new URLSearchParams({
        AccountSid: randomUUID(),
        CallSid: `v3:${randomUUID()}`,
        From: CALLER,
        To: OURS
      });

    async function ask(query: string, more: Record<string, string> = {}, fields = call()): Promise<string> {
      for (const [key, value] of Object.entries(more)) fields.set(key, value);
      const { status, headers, body } = await exchange(nodeRed.port, {
        path: `/telnyx-menu${query}`,
        ...formDelivery(fields.toString())
      });
      should(status).equal(200);
      should(headers['content-type']).match(/^application\/xml/);
      return body.toString();
    }

    it('asks for a key, with the address for the answer from the properties of the tab', async () => {
      const menu = await ask('');
      should(menu).containEql('<Gather numDigits="1"').and.containEql('press 1');
      // The template node escapes slashes, too; that is still valid XML.
      should(menu.replaceAll('&#x2F;', '/')).containEql(
        'action="https://hooks.example.com/telnyx-menu?step=key"'
      );
    });

    it('does what the key says, and shows the key', async () => {
      should(await ask('?step=key', { Digits: '1' })).containEql('<Dial>+12025550101</Dial>');
      should(await ask('?step=key', { Digits: '2' })).containEql('nine to five');
      should(await ask('?step=key', { Digits: '7' })).containEql('Sorry');
      const { payload } = await shown(NAME, 'chosen key', 3);
      should(payload).have.property('Digits', '7');
    });

    it('ends the call of somebody who presses nothing', async () => {
      should(await ask('?step=key'))
        .containEql('<Hangup/>')
        .and.not.containEql('<Gather');
    });

    it('answers everything else with 200', async () => {
      await accepted('/telnyx-menu', 'call.hangup', {});
    });
  });

  it('"Missed-call alert" tells of a call that nobody answered, and of no other', async () => {
    const where = '/telnyx-missed';
    const begin = async (direction: string): Promise<Record<string, string>> => {
      const ofCall = { call_control_id: `v3:${randomUUID()}`, from: CALLER, to: OURS };
      await accepted(where, 'call.initiated', { ...ofCall, direction, state: 'parked' });
      return ofCall;
    };
    const [answered, outgoing, missed] = [
      await begin('incoming'),
      await begin('outgoing'),
      await begin('incoming')
    ];
    await accepted(where, 'call.answered', answered);
    for (const [ofCall, reason] of [
      [answered, 'normal_clearing'],
      [outgoing, 'timeout'],
      [missed, 'originator_cancel']
    ] as const)
      await accepted(where, 'call.hangup', { ...ofCall, hangup_cause: reason });
    const alarm = await shown('Missed-call alert', 'put your alarm here');
    should(alarm.payload)
      .be.a.String()
      .and.match(/^Missed call from \+12025550111 to \+12025550122 at \S+ \(originator_cancel\)$/);
    await accepted(where, 'call.hold', {});
    await shown('Missed-call alert', 'other events');
    should(said('Missed-call alert', 'put your alarm here')).have.length(1);
  });

  describe('"SMS auto-reply"', () => {
    const NAME = 'SMS auto-reply';
    const receive = (from: string): Promise<void> =>
      accepted('/telnyx-sms', 'message.received', {
        direction: 'inbound',
        text: 'Hello',
        from: { phone_number: from },
        to: [{ phone_number: OURS }]
      });

    it('answers each number once, from the number that was written to', async () => {
      await receive(CALLER);
      await shown(NAME, 'reply sent');
      await receive(CALLER);
      await receive('12345');
      await receive('+12025550133');
      await shown(NAME, 'reply sent', 2);
      should(api.taken.map(({ authorization, body: { from, to } }) => [authorization, from, to])).eql([
        ['Bearer KEY-of-the-user', OURS, CALLER],
        ['Bearer KEY-of-the-user', OURS, '+12025550133']
      ]);
      should(api.taken[0]!.body['text']).startWith('Thank you');
    });

    it('shows the reason when Telnyx refuses the reply', async () => {
      api.status = 422;
      await receive('+12025550144');
      const { payload } = await shown(NAME, 'reply refused');
      should(JSON.stringify(payload)).containEql('made up');
    });
  });

  it('"Fax to e-mail" stores the fax and makes an e-mail with the same PDF', async () => {
    const pdf = Buffer.from(`%PDF-1.4\n${'% made-up page\n'.repeat(50)}%%EOF\n`);
    const media = await servedAs('application/pdf', pdf);
    try {
      const fax = { fax_id: randomUUID(), direction: 'inbound', status: 'received', from: CALLER, to: OURS };
      const received = { ...fax, page_count: 1, media_url: `${media.url}/fax.pdf` };
      await accepted('/telnyx-fax', 'fax.received', received);
      const mail = await shown('Fax to e-mail', 'wire an e-mail node here');
      const file = String(mail.recording?.['path']);
      should(file).startWith(path.join(nodeRed.userDir, 'telnyx-faxes'));
      should(sha256(readFileSync(file))).equal(sha256(pdf));
      should(mail).have.properties({ to: 'office@example.com', topic: `Fax from ${CALLER} to ${OURS}` });
      should(mail.payload).be.a.String().and.containEql(sha256(pdf));
      const [attachment] = mail['attachments'] as { filename: string; content: { base64: string } }[];
      should(attachment!.filename).equal(path.basename(file));
      should(Buffer.from(attachment!.content.base64, 'base64').equals(pdf)).be.true();
      should(said('Fax to e-mail', 'not stored')).be.empty();
    } finally {
      await media.close();
    }
  });

  it('"Transcript to a summary" asks about the text once it is stored', async () => {
    const where = '/telnyx-summary';
    const { recording, body } = standIn.sample('call.recording.saved', { seconds: 0.2 });
    const sent = jsonDelivery(body(1, nodeRed.url + where));
    should((await exchange(nodeRed.port, { path: where, ...sent })).status).equal(200);
    const audio = await shown('Transcript to a summary', 'stored, no text yet');
    should(audio.recording).have.property('recording_id', recording!.id);
    await accepted(where, 'call.recording.transcription.saved', {
      ...recording!.call,
      recording_id: recording!.id,
      recording_transcription_id: randomUUID(),
      status: 'completed',
      transcription_text: 'We send the offer on Monday.'
    });
    const asked = await shown('Transcript to a summary', 'wire your summary node here');
    should(asked.payload).be.a.String().and.containEql('\n---\nWe send the offer on Monday.\n---');
    const [expected] = standIn.expectedFiles(recording!);
    should(asked['call']).have.properties({ recording_id: recording!.id, sha256: expected!.sha256 });
  });

  describe('"Sample events"', () => {
    const NAME = 'Sample events';

    async function send(name: string, type: string): Promise<SampleReply> {
      const { id } = exampleNamed(NAME).flow.find((node) => node['name'] === name)!;
      const body = JSON.stringify({ id, event: type });
      const response = await nodeRed.admin('telnyx-webhook-in/sample', { method: 'POST', body });
      should(response.status).equal(200);
      return (await response.json()) as SampleReply;
    }

    it('stores the recording of a sample, and shows path and SHA-256', async () => {
      await send('Events', 'call.recording.saved');
      const { recording } = await shown(NAME, 'stored file');
      const file = String(recording?.['path']);
      should(file).startWith(path.join(nodeRed.userDir, 'telnyx-samples'));
      should(recording).match({ sample: true, sha256: sha256(readFileSync(file)) });
      should(said(NAME, 'not stored')).be.empty();
    });

    it('shows what a sample looks like, and keeps a real event away from it', async () => {
      await send('Events', 'call.hangup');
      const sample = await shown(NAME, 'sample event');
      should(sample.event).match({ event_type: 'call.hangup', sample: true, verified: null });
      await accepted('/telnyx-samples', 'call.hangup', { hangup_cause: 'normal_clearing' });
      const real = await shown(NAME, 'real event');
      should(real.event).match({ event_type: 'call.hangup', verified: 'ed25519' });
      should(real.event).not.have.property('sample', true);
      should(said(NAME, 'sample event')).have.length(1);
    });

    it('shows what a flow answers', async () => {
      const { answer } = await send('Voice', 'texml.voice');
      should(answer).match({ kind: 'answered', status: 200 });
      should(answer)
        .have.property('body')
        .match(/<Say>Hello \+120255501\d\d<\/Say>/);
      await shown(NAME, 'call');
    });
  });

  it('"Recordings page" lists what was stored, to those who know the password', async () => {
    const where = '/telnyx-page';
    const { recording, body } = standIn.sample('call.recording.saved', { seconds: 0.2 });
    const sent = jsonDelivery(body(1, nodeRed.url + where));
    should((await exchange(nodeRed.port, { path: where, ...sent })).status).equal(200);
    const stored = await shown('Recordings page', 'stored file');
    const page = (headers: Record<string, string>): Promise<Response> =>
      fetch(`${nodeRed.url}/telnyx-recordings`, { headers });
    const basic = (password: string): Record<string, string> => ({
      authorization: `Basic ${Buffer.from(`me:${password}`).toString('base64')}`
    });
    const shownPage = await page(basic(PASSWORD));
    should(shownPage.status).equal(200);
    const html = await shownPage.text();
    should(html).containEql(String(stored.recording?.['sha256']));
    should(html).containEql(standIn.expectedFiles(recording!)[0]!.sha256);
    for (const headers of [{}, basic('wrong'), basic('')]) {
      const refused = await page(headers);
      should(refused.status).equal(401);
      should(await refused.text()).equal('Wrong password');
    }
  });
});

/** The recorders of a flow write to files of their own, so that several examples have a "not stored". */
function ownFiles(name: string, flow: FlowNode[]): FlowNode[] {
  return flow.map((node) =>
    node.type === 'file' ? { ...node, filename: String(node['filename']).replace('/', `/${name} `) } : node
  );
}

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

function servedAs(contentType: string, bytes: Buffer): Promise<LocalServer> {
  return localServer((_request, response) => {
    response.writeHead(200, { 'content-type': contentType, 'content-length': bytes.length });
    response.end(bytes);
  });
}
