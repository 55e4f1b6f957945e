import should from 'should';
import { CodedError } from '../../../../src/errors/coded-error';
import type { ParsedEvent } from '../../../../src/events/event';
import { parseTelnyxDelivery } from '../../../../src/events/reading/parse-telnyx';
import { EmittedDeliveries } from '../../../../src/reconcile/deliveries/emitted-deliveries';
import { readEvents } from '../../../../src/reconcile/deliveries/event-patterns';
import { InOrder } from '../../../../src/reconcile/deliveries/in-order';
import { ownAddresses } from '../../../../src/reconcile/deliveries/own-addresses';
import { StateFixture } from '../../archive/state-fixture';

const MINUTE = 60_000;
const DAY = 86_400_000;

function eventOf(event_type: string): ParsedEvent {
  const body = JSON.stringify({ data: { event_type, id: 'one', payload: {} } });
  const parsed = parseTelnyxDelivery({ rawBody: Buffer.from(body), contentType: undefined, query: null });
  if (!parsed.ok) throw new Error(parsed.message);
  return parsed.event;
}

describe('the choice of events', () => {
  for (const [events, wanted, other] of [
    [undefined, ['call.hangup', 'made.up'], []],
    [' , ', ['call.hangup'], []],
    ['call.*, message.received', ['call.hangup', 'message.received'], ['message.sent']],
    [['call.hangup', 'fax.*'], ['call.hangup', 'fax.sent'], ['call.answered']],
    ['siprec.started', ['call.siprec.started', 'siprec.started'], ['siprec.stopped']]
  ] as const)
    it(`takes ${JSON.stringify(events)}`, () => {
      const isWanted = readEvents(events);
      [...wanted].filter((type) => !isWanted(eventOf(type))).should.eql([]);
      [...other].filter((type) => isWanted(eventOf(type))).should.eql([]);
    });

  it('refuses what is neither text nor a list of texts', () => {
    for (const events of [7, [7], {}, true])
      should(() => readEvents(events)).throw(CodedError, { code: 'BAD_SETTING' });
  });

  it('refuses more patterns than anyone needs, and names the setting', () => {
    const many = Array.from({ length: 1001 }, (_one, at) => `a${at}`);
    readEvents(many.slice(1))(eventOf('a1000')).should.be.true();
    readEvents('x'.repeat(20_000)).should.be.a.Function();
    for (const events of [
      many,
      many.join(),
      [many.slice(600).join(), many.slice(0, 600).join()],
      'x'.repeat(20_001)
    ])
      should(() => readEvents(events)).throw(CodedError, {
        code: 'BAD_SETTING',
        message:
          /^"Events" may have at most 1000 event types or patterns, with 20000 characters altogether\. /
      });
  });
});

describe('what comes roughly in order', () => {
  it('is put in order, with the last minute held back', () => {
    const order = new InOrder<number>((time) => time);
    for (const minute of [3, 1, 2]) order.add(minute * MINUTE);
    order.take(3 * MINUTE).should.eql([MINUTE, 2 * MINUTE]);
    order.add(2.5 * MINUTE);
    order.take(3.5 * MINUTE).should.eql([2.5 * MINUTE]);
    order.take().should.eql([3 * MINUTE]);
    order.take().should.eql([]);
  });

  it('holds back no more than a few MiB, whatever times events claim', () => {
    const order = new InOrder<number>((time) => time);
    for (let time = 40; time > 0; time -= 1) order.add(Date.UTC(2100, 0) + time, 1024 * 1024);
    const early = order.take(MINUTE);
    early
      .map((time) => time - Date.UTC(2100, 0))
      .should.eql(Array.from({ length: 25 }, (_one, at) => at + 1));
    order.take().should.have.length(15);
    for (let time = 0; time < 20_000; time += 1) order.add(Infinity);
    should(order.take(MINUTE).length).be.above(3000);
  });
});

describe('addresses of this Node-RED', () => {
  it('end with the path of one of its nodes, whatever is in front of it', () => {
    const isOurs = ownAddresses('', ['/telnyx', '/Hooks/two/']);
    for (const url of ['https://a.example.com/telnyx', 'http://x/proxy/telnyx/', 'https://x/hooks/TWO?a=b'])
      isOurs([url]).should.be.true(url);
    for (const url of ['https://x/telnyx/more', 'https://x/mytelnyx', 'https://telnyx', ''])
      isOurs([url]).should.be.false(url);
    isOurs(['https://x/other', 'https://x/telnyx']).should.be.true();
    isOurs([]).should.be.true();
  });

  it('are all addresses where there is no node', () => {
    ownAddresses('', [])(['https://example.com/anything']).should.be.true();
  });

  it('contain the text asked for, whatever the nodes are', () => {
    const isOurs = ownAddresses('Example.com/a', ['/telnyx']);
    should([isOurs(['https://EXAMPLE.com/abc']), isOurs(['https://x/telnyx']), isOurs([])]).eql([
      true,
      false,
      true
    ]);
  });
});

describe('what delivery lists have handed over', () => {
  let state: StateFixture;
  beforeEach(() => (state = new StateFixture()));
  afterEach(() => state.remove());

  it('is remembered for 30 days, across restarts, whatever the id looks like', async () => {
    const ids = ['one', 'x'.repeat(5000), 'half \ud800', '\0', ''];
    const before = new EmittedDeliveries(state.database, state.now);
    for (const id of ids) await before.add(id);
    await state.reopen();
    const after = new EmittedDeliveries(state.database, state.now);
    ids.map((id) => after.has(id)).should.eql(ids.map(() => true));
    after.has('two').should.be.false();
    state.time += 31 * DAY;
    after.has('one').should.be.false();
    await after.add('two');
    await after.sweep();
    state.database.collection('deliveries-fetched').count().should.equal(1);
    after.has('two').should.be.true();
  });

  it('is known while it is being handed over', () => {
    const emitted = new EmittedDeliveries(state.database, state.now);
    const release = emitted.claim('one');
    should([emitted.has('one'), emitted.has('two')]).eql([true, false]);
    release();
    emitted.has('one').should.be.false();
  });
});
