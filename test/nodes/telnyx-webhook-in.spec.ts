import should from 'should';
import telnyxAccount from '../../nodes/telnyx-account';
import telnyxWebhookIn from '../../nodes/telnyx-webhook-in';
import { type Delivery, holdEvent, jsonDelivery } from '../support/deliveries';
import { account, node, tab, webhookIn } from '../support/flows';
import { exchange, type RawAnswer, type RawRequest } from '../support/http-client';
import { nodeHelper } from '../support/node-helper';
import { STRANGER, TRUSTED } from '../support/sign';
import { NodeStage, type StageOptions } from './node-stage';

const RED_RING = { fill: 'red', shape: 'ring' };

/** The end of a status without trouble. */
const WITH_KEY = `, key ${TRUSTED.publicKey.slice(0, 8)}… of the account`;

describe('telnyx-webhook-in', () => {
  let stage: NodeStage;
  afterEach(() => stage.unload());

  async function start(
    properties: object = {},
    more: object[] = [],
    options: StageOptions = {}
  ): Promise<void> {
    stage = await NodeStage.load(
      [telnyxAccount, telnyxWebhookIn],
      [
        tab(),
        account({ publicKeys: TRUSTED.publicKey }),
        JSON.parse(JSON.stringify(webhookIn({ wires: [['events'], ['refused']], ...properties }))) as object,
        node('events', 'recorder'),
        node('refused', 'recorder'),
        node('catch', 'catch', { scope: null, wires: [['caught']] }),
        node('caught', 'recorder'),
        ...more
      ],
      options
    );
  }

  const send = (raw: Omit<RawRequest, 'path'>, path = '/telnyx'): Promise<RawAnswer> =>
    exchange(stage.port, { path, ...raw });
  const deliver = (delivery: Delivery = jsonDelivery(holdEvent()), path?: string): Promise<RawAnswer> =>
    send(delivery, path);
  const forge = (): Promise<RawAnswer> => deliver(jsonDelivery(holdEvent(), { key: STRANGER }));

  describe('messages', () => {
    it('have only topic, payload and event by default', async () => {
      await start();
      (await deliver(jsonDelivery(holdEvent('one')))).status.should.equal(200);
      const [message] = await stage.messages('events', 1);
      Object.keys(message!).sort().should.deepEqual(['_msgid', 'event', 'payload', 'topic']);
      should(message).have.properties({ topic: 'call.hold' });
      should(message!['payload']).have.property('call_control_id', 'v3:made-up');
      should(message!['event']).have.properties({ id: 'one', provider: 'telnyx', verified: 'ed25519' });
    });

    it('have the exact bytes if enabled', async () => {
      await start({ rawBody: true });
      const delivery = jsonDelivery(`${holdEvent('one')}  \n`);
      await deliver(delivery);
      const [message] = await stage.messages('events', 1);
      should(message!['rawBody']).deepEqual(delivery.body);
    });

    it('go to the only output, however many there are', async () => {
      for (const rejectedOutput of [false, true]) {
        await start({ rejectedOutput });
        await forge();
        await deliver(jsonDelivery(holdEvent('one')));
        await stage.messages('events', 1);
        stage.received('events').length.should.equal(1);
        stage.received('refused').length.should.equal(rejectedOutput ? 1 : 0);
        if (!rejectedOutput) await stage.unload();
      }
    });

    it('about rejected deliveries say what was wrong and who sent them', async () => {
      await start({ rejectedOutput: true, outputs: 2 });
      (await forge()).status.should.equal(401);
      const [message] = await stage.messages('refused', 1);
      should(message!['topic']).equal('rejected');
      const payload = message!['payload'] as Record<string, unknown>;
      Object.keys(payload).sort().should.deepEqual(['code', 'message', 'method', 'path', 'remote', 'status']);
      payload.should.have.properties({
        code: 'SIGNATURE_MISMATCH',
        status: 401,
        remote: '127.0.0.1',
        method: 'POST',
        path: '/telnyx'
      });
      stage.received('events').should.be.empty();
    });
  });

  describe('in flow mode', () => {
    it('sends the answer of the flow', async () => {
      const answering = node('answering', 'recorder', { answer: '<Response/>' });
      await start({ reply: 'flow', wires: [['answering']] }, [answering]);
      const answer = await deliver(jsonDelivery(holdEvent('one')));
      answer.status.should.equal(200);
      answer.body.toString().should.equal('<Response/>');
      const [message] = await stage.messages('answering', 1);
      const request = message!['req'] as { headers: Record<string, string>; method: string };
      should(request.method).equal('POST');
      request.headers.should.have.property('telnyx-signature-ed25519');
      Object.keys(request).should.containEql('headers');
      should(message!['res']).have.property('_res');
    });

    it('reports an unanswered event to a Catch node', async () => {
      await start({ reply: 'flow', replyTimeout: '0.1' });
      (await deliver(jsonDelivery(holdEvent('one')))).status.should.equal(503);
      const [message] = await stage.messages('caught', 1);
      should(stage.caught[0]).have.properties({ code: 'REPLY_TIMEOUT' });
      should(stage.caught[0]?.source.id).equal('webhook');
      should(message!['event']).have.property('id', 'one');
      message!.should.not.have.properties(['req', 'res']);
    });

    it('warns of a second answer', async () => {
      const answering = ['first', 'second'].map((id) => node(id, 'recorder', { answer: id }));
      await start({ reply: 'flow', wires: [['first', 'second']] }, answering);
      (await deliver()).body.toString().should.equal('first');
      await stage.messages('second', 1);
      stage
        .log()
        .filter((line) => /had its answer already/.test(line))
        .length.should.equal(1);
      stage.received('caught').should.be.empty();
    });
  });

  describe('status', () => {
    const texts = (): (string | undefined)[] => stage.statuses.map(({ status }) => status.text);

    it('shows ready, then counts', async () => {
      await start();
      should(stage.status('webhook')).deepEqual({ fill: 'green', shape: 'dot', text: `ready${WITH_KEY}` });
      await deliver();
      await stage.until('1 received', () => stage.status('webhook')?.text === `1 received${WITH_KEY}`);
      await forge();
      await stage.until(
        '1 ok, 1 refused',
        () => stage.status('webhook')?.text === `1 ok, 1 refused${WITH_KEY}`
      );
      should(stage.status('webhook')).have.properties({ fill: 'green', shape: 'dot' });
    });

    it('is yellow with the reason while everything is rejected, and green from the first accepted delivery', async () => {
      await start();
      for (let count = 0; count < 12; count += 1) await forge();
      const status = await stage.until('12 refused', () => {
        const shown = stage.status('webhook');
        return shown?.text?.startsWith('12 ') === true && shown;
      });
      should(status).deepEqual({ fill: 'yellow', shape: 'ring', text: '12 refused: wrong key?' });
      await deliver();
      await stage.until(
        '1 ok, 12 refused',
        () => stage.status('webhook')?.text === `1 ok, 12 refused${WITH_KEY}`
      );
      should(stage.status('webhook')).have.properties({ fill: 'green', shape: 'dot' });
    });

    const SIGNATURE = 'telnyx-signature-ed25519';
    const body = holdEvent();
    const unsigned = ({ headers }: Delivery): Record<string, string> =>
      Object.fromEntries(Object.entries(headers).filter(([name]) => name !== SIGNATURE));
    // Created when sent: a signature from load time may be too old by then.
    const reasons: [text: string, change: (good: Delivery) => Omit<RawRequest, 'path'>][] = [
      ['no signature', (good) => ({ ...good, headers: unsigned(good) })],
      ['broken signature', (good) => ({ ...good, headers: { ...good.headers, [SIGNATURE]: 'c2hvcnQ=' } })],
      ['wrong key?', () => jsonDelivery(body, { key: STRANGER })],
      ['no timestamp', (good) => ({ ...good, headers: { ...good.headers, 'telnyx-timestamp': 'noon' } })],
      ['clock wrong?', () => jsonDelivery(body, { timestamp: 1_700_000_000 })],
      ['not JSON, no form', () => jsonDelivery('{"data":')],
      ['body too large', (good) => ({ ...good, body: Buffer.alloc(2_000_000) })],
      ['compressed', (good) => ({ ...good, headers: { ...good.headers, 'content-encoding': 'gzip' } })],
      ['not a POST', ({ headers }) => ({ headers, method: 'GET' })],
      ['no secret', () => ({ headers: { 'x-telnyx-signature': 'a'.repeat(64) }, body: Buffer.from(body) })]
    ];
    for (const [text, change] of reasons) {
      it(`says "${text}"`, async () => {
        await start();
        await send({ method: 'POST', ...change(jsonDelivery(body)) });
        await stage.until(text, () => stage.status('webhook')?.text === `1 refused: ${text}`);
      });
    }

    it('changes at most once a second, and ends with the right number', async () => {
      await start();
      const begun = performance.now();
      for (let count = 0; count < 40; count += 1) await deliver();
      await stage.until('40 received', () => stage.status('webhook')?.text === `40 received${WITH_KEY}`);
      const seconds = (performance.now() - begun) / 1000;
      texts().length.should.be.belowOrEqual(Math.ceil(seconds) + 2);
    });
  });

  describe('rejections in the log', () => {
    it('appear as warnings with the code, once per burst', async () => {
      await start();
      for (let count = 0; count < 5; count += 1) await forge();
      const warnings = () => stage.log().filter((line) => /refused with/.test(line));
      warnings().length.should.equal(1);
      should(warnings()[0]).match(/401, SIGNATURE_MISMATCH: /);
      await nodeHelper.clearFlows();
      warnings().length.should.equal(2);
      should(warnings()[1]).match(/SIGNATURE_MISMATCH \(the last of 4\)/);
    });
  });

  describe('with settings that cannot work', () => {
    const rows: [property: string, values: unknown[]][] = [
      ['tolerance', ['0', '86401', '1.5', 'abc', '${UNSET_TOLERANCE}', -1, true]],
      ['maxBody', ['0', '67108865', '1e3.', '${UNSET_SIZE}']],
      ['replyTimeout', ['0', '3601', 'soon', '${UNSET_TIMEOUT}']],
      ['reply', ['later', '${UNSET_REPLY}']],
      ['duplicates', ['forget', '${UNSET_DUPLICATES}']]
    ];
    for (const [property, values] of rows) {
      it(`reports ${property}, and asks senders to retry`, async () => {
        for (const [at, value] of values.entries()) {
          if (at > 0) await stage.unload();
          await start({ [property]: value });
          should(stage.status('webhook')).deepEqual({ ...RED_RING, text: 'invalid setting' });
          await stage.messages('caught', 1);
          should(stage.caught[0]?.code).equal('BAD_SETTING', String(value));
          const answer = await deliver();
          answer.status.should.equal(503);
          should(answer.headers).have.property('retry-after');
          stage.received('events').should.be.empty();
        }
      });
    }

    for (const path of ['${UNSET_PATH}', '/', '/a b', '/:x', '/flows', '/caf\u00e9']) {
      it(`reports the path ${path}`, async () => {
        await start({ path });
        should(stage.status('webhook')).deepEqual({ ...RED_RING, text: 'invalid setting' });
        await stage.messages('caught', 1);
        should(stage.caught[0]).have.property('code', 'BAD_SETTING');
        should(stage.caught[0]?.source.id).equal('webhook');
        (await deliver()).status.should.equal(404);
      });
    }

    it('avoids the paths of the editor only on its root', async () => {
      await start({ path: '/flows' }, [], { settings: { httpAdminRoot: '/admin/', httpNodeRoot: '/' } });
      should(stage.status('webhook')?.text).equal(`ready${WITH_KEY}`);
      await stage.unload();
      await start({ path: '/flows' }, [], { settings: { httpAdminRoot: '/red/', httpNodeRoot: '/red' } });
      should(stage.status('webhook')?.text).equal('invalid setting');
    });

    it('reports a disabled httpNodeRoot', async () => {
      await start({}, [], { settings: { httpNodeRoot: false } });
      should(stage.status('webhook')?.text).equal('invalid setting');
      await stage.messages('caught', 1);
      should(stage.caught[0]?.message).match(/httpNodeRoot/);
    });
  });

  describe('with settings as text, as from environment variables', () => {
    const long = (): Delivery => jsonDelivery(JSON.stringify({ id: 'x', text: 'x'.repeat(500) }));

    it('reads numbers and switches by their meaning', async () => {
      await start({ maxBody: '500', rawBody: 'true', rejectedOutput: 'true', tolerance: '60' });
      (await deliver(long())).status.should.equal(413);
      const early = Math.floor(Date.now() / 1000) - 90;
      (await deliver(jsonDelivery(holdEvent(), { timestamp: early }))).status.should.equal(401);
      (await deliver()).status.should.equal(200);
      const [event] = await stage.messages('events', 1);
      should(event!['rawBody']).be.instanceof(Buffer);
      const refused = await stage.messages('refused', 2);
      refused
        .map(({ payload }) => (payload as { code: string }).code)
        .should.deepEqual(['BODY_TOO_LARGE', 'TIMESTAMP_OUT_OF_RANGE']);
    });

    it('accepts GET if set to "true"', async () => {
      await start({ acceptGet: 'true' });
      const { headers } = jsonDelivery('');
      (await send({ method: 'GET', headers }, '/telnyx?CallSid=v3%3Ax')).status.should.equal(200);
      const [message] = await stage.messages('events', 1);
      should(message!['event']).have.property('verified', 'partial');
    });

    it('uses the documented defaults for missing values, as in older flows', async () => {
      const nothing = [
        'path',
        'reply',
        'replyTimeout',
        'tolerance',
        'duplicates',
        'maxBody',
        'acceptGet',
        'rawBody'
      ];
      for (const value of [undefined, '']) {
        if (value === '') await stage.unload();
        // A flow file has no undefined properties: they are absent.
        await start(Object.fromEntries<unknown>(nothing.map((name) => [name, value])));
        const stamp = Math.floor(Date.now() / 1000) - 290;
        (await deliver(jsonDelivery(holdEvent('one'), { timestamp: stamp }))).status.should.equal(200);
        (await deliver(jsonDelivery(holdEvent('one')))).status.should.equal(200);
        (await deliver(jsonDelivery(holdEvent('two')))).status.should.equal(200);
        (await stage.messages('events', 2)).length.should.equal(2);
        (await send({ method: 'GET' })).headers.should.have.property('allow', 'POST');
      }
    });
  });

  describe('without a usable key', () => {
    const accounts: [what: string, config: object, code: string, text: string][] = [
      ['no account', { account: '' }, 'NO_PUBLIC_KEY', 'no public key'],
      ['a deleted account', { account: 'gone' }, 'NO_PUBLIC_KEY', 'no public key'],
      ['an account without a key', { account: 'empty' }, 'NO_PUBLIC_KEY', 'no public key'],
      ['an account with a bad key', { account: 'bad' }, 'BAD_PUBLIC_KEY', 'BAD_PUBLIC_KEY'],
      ['an account with a key of 31 bytes', { account: 'short' }, 'BAD_PUBLIC_KEY', 'BAD_PUBLIC_KEY'],
      ['an account with a weak key', { account: 'weak' }, 'BAD_PUBLIC_KEY', 'BAD_PUBLIC_KEY'],
      ['an account with an API key as public key', { account: 'api' }, 'BAD_PUBLIC_KEY', 'BAD_PUBLIC_KEY']
    ];
    for (const [what, config, code, text] of accounts) {
      it(`reports ${what}, and asks senders to retry`, async () => {
        await start(config, [
          { ...account(), id: 'empty' },
          { ...account({ publicKeys: 'nonsense' }), id: 'bad' },
          { ...account({ publicKeys: Buffer.alloc(31, 7).toString('base64') }), id: 'short' },
          { ...account({ publicKeys: Buffer.alloc(32).toString('base64') }), id: 'weak' },
          { ...account({ publicKeys: 'KEY0123456789ABCDEF_made-up' }), id: 'api' }
        ]);
        should(stage.status('webhook')).deepEqual({ ...RED_RING, text });
        const ours = await stage.until('the error', () =>
          stage.caught.find(({ source }) => source.id === 'webhook')
        );
        should(ours.code).equal(code);
        if (what.includes('API key')) should(ours.message).match(/is an API key/);
        should(JSON.stringify([stage.caught, stage.log()])).not.match(/nonsense|KEY0123|AAAAAAA|BwcHBwc/);
        const answer = await deliver();
        answer.status.should.equal(503);
        should(answer.headers).have.property('retry-after');
        stage.received('events').should.be.empty();
        should(stage.status('webhook')?.text).equal(text);
      });
    }
  });

  describe('two nodes', () => {
    it('with one path: the second does not listen, and names the one that does', async () => {
      const second = { ...webhookIn({ path: '/TELNYX/', wires: [['other']] }), id: 'second' };
      await start({}, [second, node('other', 'recorder')]);
      should(stage.status('second')).deepEqual({ ...RED_RING, text: 'path in use' });
      await stage.messages('caught', 1);
      should(stage.caught[0]).have.property('code', 'PATH_IN_USE');
      should(stage.caught[0]?.message).match(/the node webhook /);
      should(stage.caught[0]?.source.id).equal('second');
      await deliver();
      await stage.messages('events', 1);
      stage.received('other').should.be.empty();
      should(stage.status('second')?.text).equal('path in use');
    });

    it('with two paths: each gets its own deliveries, even of the same event', async () => {
      const second = { ...webhookIn({ path: '/other', wires: [['other']] }), id: 'second' };
      await start({}, [second, node('other', 'recorder')]);
      for (const path of ['/telnyx', '/other', '/telnyx', '/other']) {
        (await deliver(jsonDelivery(holdEvent('one')), path)).status.should.equal(200);
      }
      await stage.messages('events', 1);
      await stage.messages('other', 1);
      stage.received('events').length.should.equal(1);
      stage.received('other').length.should.equal(1);
    });
  });

  describe('when it closes', () => {
    it('leaves no sender waiting and no timer behind', async () => {
      const ledger = new TimerLedger();
      try {
        await start({ reply: 'flow', replyTimeout: '1000' });
        const waiting = deliver(jsonDelivery(holdEvent('one')));
        await stage.messages('events', 1);
        await forge();
        await forge();
        ledger.open().length.should.be.above(1);
        await stage.unload();
        ledger.open().should.deepEqual([]);
        // The test server closes after the nodes, and the sender gets its answer before that.
        (await waiting).status.should.equal(503);
      } finally {
        ledger.close();
      }
      await start();
    });

    it('answers 503 instead of 404 until the flows run again', async () => {
      await start();
      await nodeHelper.clearFlows();
      (await deliver()).status.should.equal(503);
    });
  });
});

/** The pending timeouts of this package. */
class TimerLedger {
  readonly #open = new Map<unknown, string>();
  readonly #set = globalThis.setTimeout;
  readonly #clear = globalThis.clearTimeout;

  constructor() {
    const set = (work: (...args: unknown[]) => void, delay?: number, ...args: unknown[]): NodeJS.Timeout => {
      const timer = this.#set(
        (...given: unknown[]) => {
          this.#open.delete(timer);
          work(...given);
        },
        delay,
        ...args
      );
      const line = (new Error().stack ?? '').split('\n')[2] ?? '';
      // The journal belongs to the process and not to a node; those of earlier tests may still be there.
      const isOfNode = /[\\/](src|nodes)[\\/](webhook|lib)[\\/]/.test(line) && !/LogJournal/.test(line);
      if (isOfNode) this.#open.set(timer, line.trim());
      return timer;
    };
    const clear = (timer: NodeJS.Timeout | undefined): void => {
      this.#open.delete(timer);
      this.#clear(timer);
    };
    Object.assign(globalThis, { setTimeout: set, clearTimeout: clear });
  }

  open(): string[] {
    return [...this.#open.values()];
  }

  close(): void {
    Object.assign(globalThis, { setTimeout: this.#set, clearTimeout: this.#clear });
  }
}
