import fs from 'node:fs';
import should from 'should';
import type { NodeRedApi } from '../../nodes/lib/node-red';
import type {
  DeliveriesReply,
  DeliveryRow,
  DetailsReply,
  ReplayStatus
} from '../../nodes/sidebar/deliveries/deliveries-request';
import { serveDeliveries } from '../../nodes/sidebar/deliveries/serve-deliveries';
import telnyxAccount from '../../nodes/telnyx-account';
import telnyxWebhookIn from '../../nodes/telnyx-webhook-in';
import { type Delivery, holdEvent, jsonDelivery } from '../support/deliveries';
import { account, node, tab, webhookIn } from '../support/flows';
import { loadedNode, nodeHelper } from '../support/node-helper';
import { TRUSTED } from '../support/sign';
import { until } from '../support/until';
import { express, serve } from '../unit/webhook/express/real-http';
import { permissionOf } from './archive-tab-stage';
import { NodeStage } from './node-stage';

const SECRET_LINK = 'https://media.example.com/rec-1.wav?X-Amz-Signature=geheim';

describe('what the tab "Deliveries" gets from the runtime', () => {
  let stage: NodeStage;
  let RED: NodeRedApi;
  let port: number;
  const log: string[] = [];
  const watched: number[] = [];

  const flow = (more: object = {}, others: object[] = []): object[] => [
    tab(),
    account({ publicKeys: TRUSTED.publicKey }),
    webhookIn({ rawBody: true, wires: [['received']], ...more }),
    node('received', 'recorder'),
    ...others
  ];
  async function load(more: object = {}, others: object[] = []): Promise<void> {
    const observe = (given: NodeRedApi): void => void (RED = given);
    stage = await NodeStage.load([observe, telnyxAccount, telnyxWebhookIn], flow(more, others));
    const app = express();
    app.use(express.json() as never);
    const note = (text: string): void => void log.push(text);
    const api = Object.create(RED, {
      httpAdmin: { value: app },
      auth: { value: { needsPermission: permissionOf } },
      log: { value: { info: note, warn: note, error: note } }
    }) as NodeRedApi;
    port = await serve(app);
    serveDeliveries(api, { watch: (seq) => void watched.push(seq) });
  }
  beforeEach(() => {
    log.length = 0;
    watched.length = 0;
  });
  afterEach(() => stage.unload());

  const send = async ({ body, headers }: Delivery, path = '/telnyx'): Promise<number> => {
    const url = `http://127.0.0.1:${stage.port}${path}`;
    return (await fetch(url, { method: 'POST', body: Uint8Array.from(body), headers })).status;
  };
  const deliver = async (...ids: string[]): Promise<void> => {
    for (const id of ids) should(await send(jsonDelivery(holdEvent(id)))).equal(200);
    const count = ids.length;
    await stage.messages('received', count);
  };
  interface Answer<Body> {
    status: number;
    body: Body & { error?: string; code?: string };
  }
  const ask = async <Body>(name: string, values: unknown = {}, token = 'reader'): Promise<Answer<Body>> => {
    const isRead = name === 'replay';
    const response = await fetch(`http://127.0.0.1:${port}/telnyx-sidebar/deliveries/${name}`, {
      method: isRead ? 'GET' : 'POST',
      headers: { authorization: `Bearer ${token}`, ...(!isRead && { 'content-type': 'application/json' }) },
      ...(!isRead && { body: JSON.stringify(values) })
    });
    const text = await response.text();
    return {
      status: response.status,
      body: (text.startsWith('{') ? JSON.parse(text) : {}) as Answer<Body>['body']
    };
  };
  const search = async (values: object = {}): Promise<DeliveriesReply> => {
    const { status, body } = await ask<DeliveriesReply>('search', values);
    should(status).equal(200, body.error);
    return body;
  };
  const rows = async (values: object = {}): Promise<DeliveryRow[]> => (await search(values)).rows;
  const replay = (ids: readonly string[], token = 'writer'): Promise<Answer<ReplayStatus>> =>
    ask<ReplayStatus>('replay/start', { ids }, token);
  const ended = (): Promise<ReplayStatus> =>
    until('the end of the replay', async () => {
      const { body } = await ask<ReplayStatus>('replay');
      return body.isRunning ? undefined : body;
    });
  const events = (): Record<string, unknown>[] =>
    stage.received('received').map(({ event }) => event as Record<string, unknown>);

  it('is nothing, and creates nothing, before anything was accepted', async () => {
    await load();
    const reply = await search();
    should(reply).containDeep({ rows: [], next: null, end: '', nodes: 1, notKept: 0, isIncomplete: false });
    should(reply.replay).containDeep({ isRunning: false, ended: null });
    should(watched).have.length(1);
  });

  it('needs the permission to read, and to write for a replay', async () => {
    await load();
    for (const name of ['search', 'details', 'replay'])
      should((await ask(name, {}, 'stranger')).status).equal(401, name);
    for (const name of ['replay/start', 'replay/stop'])
      for (const token of ['reader', 'stranger'])
        should((await ask(name, {}, token)).status).equal(401, name);
    should((await ask('search')).status).equal(200);
    should((await replay([])).body).have.property('code', 'BAD_SETTING');
  });

  it('lists what was accepted, latest first, and what comes later', async () => {
    await load();
    await deliver('one', 'two');
    const first = await search();
    should(first.rows.map(({ eventId }) => eventId)).deepEqual(['two', 'one']);
    should(first.rows[0]).containDeep({
      type: 'call.hold',
      provider: 'telnyx',
      node: 'webhook',
      path: '/telnyx',
      verified: 'ed25519',
      state: 'handed-over'
    });
    await deliver('three');
    const later = await search({ after: first.end });
    should(later.rows.map(({ eventId }) => eventId)).deepEqual(['three']);
    should(later).have.properties({ next: null, isOther: false });
    should((await search({ after: '7:99' })).isOther).be.true();
    should(await rows({ what: 'tw' })).have.length(1);
    should(await rows({ what: '/telnyx', events: 'call.*' })).have.length(3);
  });

  it('shows the message as it went to the flow, and how it was verified, without secrets', async () => {
    await load();
    const data = {
      record_type: 'event',
      event_type: 'call.recording.saved',
      id: 'e-1',
      occurred_at: new Date().toISOString(),
      payload: {
        recording_id: 'rec-1',
        from: '+15550100199',
        recording_urls: { wav: SECRET_LINK },
        token: 'geheim'
      }
    };
    await send(jsonDelivery(JSON.stringify({ data })));
    const [message] = await stage.messages('received', 1);
    const [row] = await rows();
    should(row!.from).equal('+15550100199');
    const { body } = await ask<DetailsReply>('details', { id: row!.id });
    should(JSON.stringify([row, body])).not.match(/geheim/);
    const shown = body.message as {
      topic: string;
      payload: Record<string, unknown>;
      event: Record<string, unknown>;
    };
    should(shown.topic).equal('call.recording.saved');
    should(shown.payload).containDeep({
      recording_id: 'rec-1',
      recording_urls: { wav: 'https://media.example.com/rec-1.wav?…' },
      token: '(hidden)'
    });
    const { id, occurred_at, received_at } = message!['event'] as Record<string, unknown>;
    should(shown.event).have.properties({
      id,
      occurred_at,
      received_at,
      duplicate: false,
      verified: 'ed25519'
    });
    should(shown.event).not.have.property('replayed');
    should(body.proof).containDeep({ verified: 'ed25519', keyIndex: 0 });
    should(body.proof.fingerprint).match(/^[0-9a-f]{64}$/);
    should(Math.abs(body.proof.signedAt! - Date.now())).be.below(60_000);
    should(body.proof.headers.map(({ name }) => name)).containEql('telnyx-signature-ed25519');
    should(body.row).deepEqual(row);
    should(body.isCut).be.false();
    for (const id of ['', 'x', null, '7.1.1.1.1'])
      should((await ask('details', { id })).body.error).match(/no longer in the log/);
  });

  it('replays what is chosen out of its node, oldest first, and logs who did', async () => {
    await load();
    await deliver('one', 'two', 'three');
    const [three, , one] = await rows();
    const { status, body } = await replay([three!.id, one!.id, 'made up', '7.9.9.9.9']);
    should(status).equal(200);
    should(body).containDeep({ isRunning: true, total: 4, user: 'writer' });
    should(await ended()).containDeep({
      ended: 'all',
      sent: 2,
      missing: 2,
      withoutNode: 0,
      isWaiting: false,
      error: null
    });
    await stage.messages('received', 5);
    const again = events().slice(3);
    should(again.map(({ id }) => id)).deepEqual(['one', 'three']);
    for (const event of again)
      should(event).containDeep({
        replayed: true,
        duplicate: false,
        verified: 'ed25519',
        event_type: 'call.hold'
      });
    should(stage.received('received')[3]).have.property('rawBody').instanceof(Buffer);
    should(log).have.length(1);
    should(log[0]).match(
      /^The user writer replays 2 deliveries, received from 2\S+Z to 2\S+Z, through the webhook nodes webhook\.$/
    );
    // A replay is no delivery: it is neither counted nor logged as one.
    should(stage.status('webhook')!.text).match(/3/);
    should(await rows()).have.length(3);
  });

  it('leaves out what belongs to a node that does not run, and says so', async () => {
    await load();
    await deliver('one');
    const [row] = await rows();
    await loadedNode('webhook').close(true);
    should((await rows())[0]).containDeep({ path: null, node: 'webhook' });
    await replay([row!.id]);
    should(await ended()).containDeep({ ended: 'all', sent: 0, withoutNode: 1, missing: 0 });
    should(log).be.empty();
  });

  it('sends a delivery once, however its id is spelt', async () => {
    await load();
    await deliver('one');
    const [row] = await rows();
    const { body } = await replay([row!.id, `0${row!.id}`, row!.id.replace('.', '.00')]);
    should(body).containDeep({ total: 1 });
    should(await ended()).containDeep({ ended: 'all', sent: 1, missing: 0 });
  });

  it('reads large deliveries a few at a time', async () => {
    await load();
    const large = (id: string): Delivery => {
      const data = {
        record_type: 'event',
        event_type: 'call.hold',
        id,
        occurred_at: new Date().toISOString()
      };
      return jsonDelivery(JSON.stringify({ data: { ...data, payload: { note: 'x'.repeat(300_000) } } }));
    };
    for (let count = 0; count < 12; count += 1) should(await send(large(`large-${count}`))).equal(200);
    await stage.messages('received', 12);
    const ids = (await rows()).map(({ id }) => id);
    const { readSync } = fs;
    let [inTurn, most] = [0, 0];
    fs.readSync = ((handle: number, into: Buffer, ...rest: [number, number, number]) => {
      const read = readSync(handle, into, ...rest);
      // Of one turn of the event loop.
      if (inTurn === 0) setImmediate(() => (inTurn = 0));
      inTurn += read;
      most = Math.max(most, inTurn);
      return read;
    }) as typeof readSync;
    try {
      await replay(ids);
      should(await ended()).containDeep({ ended: 'all', sent: 12 });
    } finally {
      fs.readSync = readSync;
    }
    should(most).be.within(300_000, 1_100_000);
  });

  it('refuses a second replay while one runs, and ends when it is asked to', async () => {
    await load();
    await deliver(...Array.from({ length: 80 }, (_value, number) => `e-${number}`));
    const ids = [...(await rows()), ...(await rows({ next: (await search()).next }))].map(({ id }) => id);
    should(ids).have.length(80);
    await replay(ids);
    const second = await replay(ids.slice(0, 1));
    should(second.status).equal(400);
    should(second.body).have.property('code', 'ALREADY_RUNNING');
    should(second.body.error).match(/running already/);
    await stage.messages('received', 81);
    await ask('replay/stop', {}, 'writer');
    const { ended: how, sent } = await ended();
    should(how).equal('stopped');
    should(sent).be.within(1, 79);
    should((await replay(ids.slice(0, 1))).status).equal(200);
    should(await ended()).containDeep({ ended: 'all', sent: 1 });
  });

  it('ends at a deploy', async () => {
    await load();
    await deliver(...Array.from({ length: 60 }, (_value, number) => `e-${number}`));
    const ids = [...(await rows()), ...(await rows({ next: (await search()).next }))].map(({ id }) => id);
    await replay(ids);
    await stage.messages('received', 61);
    await nodeHelper.setFlows(flow({ name: 'changed' }), 'nodes');
    should(await ended()).containDeep({ ended: 'deploy', error: null });
    should(stage.received('received').length).be.below(120);
  });

  it('says how many webhook nodes keep nothing', async () => {
    await load({ keep: 0 }, [{ ...webhookIn({ path: '/other', wires: [[]] }), id: 'other' }]);
    await deliver('one');
    should(await search()).containDeep({ nodes: 2, notKept: 1 });
  });

  it('tells which rows no longer wait', async () => {
    await load();
    await deliver('one');
    const [row] = await rows();
    should((await search({ waiting: [row!.id, 'x'] })).handedOver).deepEqual([row!.id, 'x']);
    should((await search({ state: 'waiting' })).rows).be.empty();
  });

  it('refuses what it cannot read, with a text for the user', async () => {
    await load();
    for (const values of [{ what: 7 }, { next: 'x' }, { after: {} }, { from: 'now' }, { events: [{}] }]) {
      const { status, body } = await ask('search', values);
      should([status, body.code]).deepEqual([400, 'BAD_SETTING']);
    }
  });
});
