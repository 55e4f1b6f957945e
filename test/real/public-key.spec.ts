import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import should from 'should';
import { holdEvent, jsonDelivery } from '../support/deliveries';
import { account, recorder, tab, webhookIn } from '../support/flows';
import { type LocalServer, localServer } from '../support/media';
import type { FlowNode } from '../support/node-red-process';
import { type SigningKey, signingKey } from '../support/sign';
import { WebhookInstance } from '../support/webhook-instance';

const API_KEY = 'KEYmade-up-0123456789';

/** How the API answers the question for the public key. */
type Habit = (response: ServerResponse, key: SigningKey) => void;

const tell: Habit = (response, { publicKey }) => {
  const data = { public: publicKey, record_type: 'public_key', organization_id: '0b7c7e2a' };
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ data }));
};
const withStatus =
  (status: number, headers: Record<string, string> = {}): Habit =>
  (response) =>
    response.writeHead(status, headers).end();
const half: Habit = (response) => {
  response.writeHead(200, { 'content-length': '500' });
  response.write('{"data":{"public":"', () => response.destroy());
};
/** An API that takes its time. */
const late: Habit = (response, key) => void setTimeout(() => tell(response, key), 1000);

describe('an API key alone, in a real Node-RED', function () {
  this.timeout(120_000);
  let api: LocalServer;
  let habits: Habit[];
  let key: SigningKey;
  let asked: string[];
  let instance: WebhookInstance | undefined;

  beforeEach(async () => {
    habits = [];
    key = signingKey(0x61);
    asked = [];
    api = await localServer((request, response) => {
      asked.push(`${request.method ?? ''} ${request.url ?? ''} ${request.headers.authorization ?? ''}`);
      (habits.shift() ?? tell)(response, key);
    });
  });
  afterEach(async () => {
    await instance?.stop();
    instance = undefined;
    await api.close();
  });

  const flow = (apiKey = API_KEY): FlowNode[] => [
    tab(),
    account({ apiUrl: `${api.url}/v2`, credentials: { apiKey } }),
    webhookIn(),
    { ...webhookIn({ path: '/second' }), id: 'second' },
    ...recorder()
  ];
  const start = async (): Promise<WebhookInstance> => {
    instance = await WebhookInstance.start({ flow: flow() });
    return instance;
  };
  const deliver = async (
    to: WebhookInstance,
    { by = key, path = '/telnyx', id = randomUUID() }: { by?: SigningKey; path?: string; id?: string } = {}
  ): Promise<number> => (await to.deliver(jsonDelivery(holdEvent(id), { key: by }), path)).status;
  /** Delivers until it is accepted, as Telnyx does after 503. @returns the refusals before */
  async function deliverUntilAccepted(
    to: WebhookInstance,
    options: { by?: SigningKey; path?: string; id?: string } = {}
  ): Promise<number[]> {
    const refusals: number[] = [];
    for (;;) {
      const status = await deliver(to, options);
      if (status === 200) return refusals;
      refusals.push(status);
      if (status !== 503) return refusals;
      // The pause of a sender that tries again; only the next answer tells whether the key is there.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  it('receives a verified delivery, and needs no API at the next start', async () => {
    const fresh = await start();
    should(new Set(await deliverUntilAccepted(fresh, { id: 'first' })).has(401)).be.false();
    const [message] = await fresh.nodeRed.messages(1);
    should(message?.event).have.properties({ id: 'first', verified: 'ed25519', key_index: 0 });
    should(asked).eql([`GET /v2/public_key Bearer ${API_KEY}`]);

    habits = Array.from({ length: 100 }, () => withStatus(500));
    await fresh.nodeRed.restart();
    should(await deliver(fresh)).equal(200);
    await fresh.nodeRed.deploy(flow());
    should(await deliver(fresh, { path: '/second' })).equal(200);
    await fresh.nodeRed.messages(3);
    should(asked).have.length(1);
    should(fresh.nodeRed.log)
      .match(/Telnyx told the public key/)
      .and.not.containEql(API_KEY);
  });

  it('survives all that the API can do at the start', async () => {
    habits = [half, withStatus(429, { 'retry-after': '1' }), withStatus(502), late];
    const fresh = await start();
    should(new Set(await deliverUntilAccepted(fresh))).eql(new Set([503]));
    should(asked).have.length(4);
  });

  it('says by its label what to do about a wrong key, and asks again after a deploy', async () => {
    const faults: [habit: Habit, code: RegExp][] = [
      [withStatus(401), /API_UNAUTHORIZED.*Check the API key in the account/],
      [withStatus(404), /API_NOT_FOUND.*"Public key" of the account/],
      [withStatus(200), /BAD_PUBLIC_KEY.*told no public key/]
    ];
    const fresh = await start();
    await deliverUntilAccepted(fresh);
    for (const [index, [habit, said]] of faults.entries()) {
      const from = fresh.nodeRed.log.length;
      habits = [habit];
      // Another API key is another account.
      await fresh.nodeRed.deploy(flow(`${API_KEY}-${index}`));
      await fresh.nodeRed.waitForLog(said, { from });
      should(await deliver(fresh)).equal(503);
    }
    await fresh.nodeRed.deploy(flow());
    should(new Set(await deliverUntilAccepted(fresh)).has(401)).be.false();
    should(fresh.nodeRed.log).not.containEql(API_KEY);
  });

  it('loses nothing when the key is replaced under load, while strangers send as well', async () => {
    const fresh = await start();
    await deliverUntilAccepted(fresh, { id: 'before' });
    const stranger = signingKey(0x62);
    const sent: string[] = ['before'];
    const genuine: number[] = [];
    const forged: number[] = [];
    let isRotated = false;
    let going = true;
    const lanes = Array.from({ length: 8 }, async (_, lane) => {
      for (let count = 0; going; count += 1) {
        const id = `genuine-${lane}-${count}`;
        const path = lane % 2 === 0 ? '/telnyx' : '/second';
        genuine.push(...(await deliverUntilAccepted(fresh, { id, path })));
        sent.push(id);
      }
    });
    const strangers = Array.from({ length: 4 }, async () => {
      while (going) {
        if (isRotated) forged.push(await deliver(fresh, { by: stranger }));
        // Until then the strangers only look whether it is their turn.
        else await new Promise((resolve) => setTimeout(resolve, 5));
      }
    });
    await fresh.nodeRed.messages(50, { deadline: 60_000 });
    habits = [late];
    key = signingKey(0x63);
    isRotated = true;
    const seen = fresh.nodeRed.recorded().length;
    await fresh.nodeRed.messages(seen + 100, { deadline: 60_000 });
    going = false;
    await Promise.all([...lanes, ...strangers]);

    const messages = await fresh.nodeRed.messages(sent.length, { deadline: 30_000 });
    should(messages.map(({ event }) => event?.['id']).sort()).eql(sent.sort());
    // Some had to come again while the answer was awaited; none was refused for good.
    should(genuine.filter((status) => status !== 503)).eql([]);
    should(new Set(forged).has(200)).be.false();
    should(asked).have.length(2);
    should(fresh.nodeRed.log).match(/Telnyx has another public key/);
    should(await deliver(fresh, { by: signingKey(0x61) })).equal(200);
  });
});
