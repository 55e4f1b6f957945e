import should from 'should';
import telnyxAccount from '../../nodes/telnyx-account';
import telnyxWebhookIn from '../../nodes/telnyx-webhook-in';
import { TelnyxStandIn } from '../../src/simulator/stand-in';
import { SigningKey } from '../../src/simulator/signing-key';
import { account, node, tab, webhookIn } from '../support/flows';
import { exchange } from '../support/http-client';
import { NodeStage } from './node-stage';

const VARIABLES = ['TELNYX_PUBLIC_KEY', 'TELNYX_API_KEY'] as const;

describe('a Telnyx account with nothing but an API key', () => {
  let standIn: TelnyxStandIn;
  let stage: NodeStage;
  let apiUrl: string;
  const before = new Map(VARIABLES.map((name) => [name, process.env[name]]));

  beforeEach(async () => {
    for (const name of VARIABLES) Reflect.deleteProperty(process.env, name);
    standIn = new TelnyxStandIn();
    await standIn.start();
    ({ apiUrl } = standIn);
  });
  afterEach(async () => {
    await stage.unload();
    await standIn.stop();
    for (const [name, value] of before) if (value !== undefined) process.env[name] = value;
  });

  async function start(apiKey = standIn.apiKey, more: object[] = [], properties: object = {}): Promise<void> {
    stage = await NodeStage.load(
      [telnyxAccount, telnyxWebhookIn],
      [
        tab(),
        account({ apiUrl, ...properties }),
        webhookIn({ wires: [['events']] }),
        node('events', 'recorder'),
        node('catch', 'catch', { scope: null, wires: [['caught']] }),
        node('caught', 'recorder'),
        ...more
      ],
      { credentials: { account: { apiKey }, second: { apiKey }, other: { apiKey: `${apiKey}-other` } } }
    );
  }

  const status = (id = 'webhook'): string | undefined => stage.status(id)?.text;
  const keyText = (): string => `key ${standIn.publicKey.slice(0, 8)}… asked of Telnyx`;
  const ready = (id?: string): Promise<true> =>
    stage.until<true>('the key', () => status(id) === `ready, ${keyText()}`);
  /** One attempt, unlike `TelnyxStandIn.deliver`. */
  const deliver = async (path = '/telnyx', key = standIn.key): Promise<number> => {
    const body = standIn.sample('call.hangup').body(1, path);
    const headers = { ...key.sign(body, String(Math.floor(Date.now() / 1000))) };
    return (await exchange(stage.port, { path, body, headers })).status;
  };
  const log = (): string => stage.log().join('\n');

  it('receives a delivery, and says which key verifies it', async () => {
    await start();
    await ready();
    should(await deliver()).equal(200);
    const [message] = await stage.messages('events', 1);
    should(message!['event']).have.properties({ verified: 'ed25519', key_index: 0 });
    await stage.until('the count', () => status() === `1 received, ${keyText()}`);
    log()
      .should.match(/Telnyx told the public key/)
      .and.not.containEql(standIn.apiKey);
    stage.caught.should.be.empty();
  });

  it('asks once for all nodes and accounts with the same API key, and separately for others', async () => {
    await start(standIn.apiKey, [
      { ...webhookIn({ path: '/again', wires: [[]] }), id: 'again' },
      { ...account({ apiUrl }), id: 'second' },
      { ...webhookIn({ path: '/second', account: 'second', wires: [[]] }), id: 'webhook-2' },
      { ...account({ apiUrl }), id: 'other' },
      { ...webhookIn({ path: '/other', account: 'other', wires: [[]] }), id: 'webhook-3' }
    ]);
    await ready();
    await ready('again');
    await ready('webhook-2');
    await stage.until('the refusal', () => status('webhook-3') === 'no public key: API key not accepted');
    should(standIn.keyQuestions).equal(2);
    should(await deliver('/second')).equal(200);
    should(await deliver('/other')).equal(503);
  });

  it('notices a key that was replaced by the first delivery, which it accepts', async () => {
    await start();
    await ready();
    const earlier = standIn.key;
    standIn.rotateKey();
    should(await deliver()).equal(200);
    await stage.until('the new key', () => status() === `1 received, ${keyText()}`);
    should(await deliver('/telnyx', earlier)).equal(200);
    const messages = await stage.messages('events', 2);
    should(messages.map(({ event }) => (event as { key_index: number }).key_index)).eql([0, 1]);
    log().should.match(/Telnyx has another public key .* stays valid for 24 hours/);
    should(standIn.keyQuestions).equal(2);
  });

  it('asks once about any number of forged deliveries', async () => {
    await start();
    await ready();
    const stranger = new SigningKey();
    const answers = await Promise.all(Array.from({ length: 200 }, () => deliver('/telnyx', stranger)));
    should(answers.filter((answer) => answer !== 401 && answer !== 503)).eql([]);
    should(answers).containEql(401);
    should(standIn.keyQuestions).equal(2);
    should(await deliver()).equal(200);
    stage.received('events').length.should.equal(1);
  });

  it('reports an API key that is not accepted by its label, and has senders try again', async () => {
    await start('KEYwrong');
    await stage.messages('caught', 1);
    should(stage.caught.map(({ code, source }) => [code, source.id])).eql([['API_UNAUTHORIZED', 'account']]);
    stage.caught[0]!.message.should.match(/Check the API key in the account/).and.match(/"Public key"/);
    await stage.until('the status', () => status() === 'no public key: API key not accepted');
    should(stage.status('webhook')).have.properties({ fill: 'red', shape: 'ring' });
    should(await deliver()).equal(503);
    log().should.not.containEql('KEYwrong');
  });

  it('waits for an API that is down at the start', async () => {
    await standIn.stop();
    await start();
    await stage.until('the trouble', () => status() === 'no public key: the API cannot be asked');
    should(stage.status('webhook')).have.properties({ fill: 'yellow', shape: 'ring' });
    const port = Number(new URL(apiUrl).port);
    const { key, apiKey } = standIn;
    standIn = new TelnyxStandIn({ port, key, apiKey });
    await standIn.start();
    await ready();
    should(await deliver()).equal(200);
    stage.caught.should.have.length(1);
  });

  it('reports an API address that is none', async () => {
    await start(undefined, [], { apiUrl: 'telnyx' });
    await stage.messages('caught', 1);
    should(stage.caught[0]?.code).equal('BAD_SETTING');
    await stage.until('the status', () => status() === 'no public key: invalid setting');
  });

  it('asks nothing when there is a key, or no webhook node', async () => {
    await start(undefined, [], { publicKeys: standIn.publicKey });
    should(status()).match(/of the account$/);
    should(await deliver()).equal(200);
    await stage.unload();
    stage = await NodeStage.load([telnyxAccount], [tab(), account({ apiUrl })], {
      credentials: { account: { apiKey: standIn.apiKey } }
    });
    should(standIn.keyQuestions).equal(0);
  });
});
