import should from 'should';
import {
  addressesOf,
  readDelivery,
  withoutTraffic,
  type WebhookDelivery
} from '../../../../../src/providers/telnyx/deliveries/webhook-delivery';

const URL = 'https://hooks.example.com/telnyx';
const EVENT = {
  record_type: 'event',
  id: 'event-1',
  event_type: 'call.hangup',
  occurred_at: '2026-03-04T09:15:02.118Z',
  payload: { from: '+12025550100' }
};
const FAILED = {
  status: 'failed',
  errors: [75500],
  http: {
    request: { url: URL, headers: [['accept', '*/*']] },
    response: { status: 500, headers: [], body: 'x'.repeat(10_000) }
  }
};
const ITEM = {
  id: 'delivery-1',
  record_type: 'webhook_delivery',
  status: 'failed',
  started_at: '2026-03-04T09:15:03Z',
  webhook: EVENT,
  attempts: [FAILED, FAILED]
};

const read = (changes: object): WebhookDelivery => readDelivery({ ...ITEM, ...changes }) as WebhookDelivery;

describe("an entry of Telnyx's delivery log", () => {
  it('has the event as it was sent, how often and where', () => {
    should(readDelivery(ITEM)).eql({
      body: { data: EVENT, meta: { attempt: 2, delivered_to: URL } },
      startedAt: Date.parse('2026-03-04T09:15:03Z'),
      outcome: 'failed'
    });
    should(addressesOf(ITEM)).eql([URL, URL]);
  });

  it('says the same without headers and bodies', () => {
    const kept = withoutTraffic(ITEM);
    should(readDelivery(kept)).eql(readDelivery(ITEM));
    should(addressesOf(kept)).eql(addressesOf(ITEM));
    JSON.stringify(kept).length.should.be.below(1000);
  });

  it('may hold the whole body in place of the event', () => {
    should(read({ webhook: { data: EVENT } }).body).eql(read({}).body);
  });

  it('need not tell of attempts, times and outcome', () => {
    for (const attempts of [undefined, null, 'none', {}, [null, 1, 'x', []]]) {
      const delivery = read({ attempts, started_at: 'soon', status: 'who knows' });
      should(delivery).eql({ body: { data: EVENT }, startedAt: null, outcome: null });
      should(addressesOf({ ...ITEM, attempts })).eql([]);
    }
  });

  for (const [what, attempt, outcome] of [
    ['a status of the attempt', { status: 'Delivered' }, 'delivered'],
    ['the answer', { http: { response: { status: 200 } } }, 'delivered'],
    ['the answer, spelled as in one of the samples', { http: { reponse: { status: 200 } } }, 'delivered'],
    ['an answer that is none', { http: { request: { url: URL }, response: null } }, 'failed'],
    ['errors of another form', { errors: [{ code: '75001', title: 'x' }], http: 'x' }, 'failed']
  ] as const)
    it(`tells the outcome by ${what} where it has no status`, () => {
      should(read({ status: undefined, attempts: [FAILED, attempt] }).outcome).equal(outcome);
    });

  for (const [what, webhook, why] of [
    ['nothing', undefined, 'no event'],
    ['a text', 'call.hangup', 'no event'],
    ['a list', [EVENT], 'no event'],
    ['no type', { ...EVENT, event_type: undefined }, 'no event'],
    ['a type that is no text', { ...EVENT, event_type: 7 }, 'no event'],
    ['no id', { ...EVENT, id: '' }, 'no id'],
    ['a number for an id', { ...EVENT, id: 12 }, 'no id'],
    ['no payload', { ...EVENT, payload: null }, 'no payload'],
    [
      'an inherited payload',
      Object.assign(Object.create({ payload: {} }) as object, { ...EVENT, payload: undefined }),
      'no payload'
    ]
  ] as const)
    it(`cannot be sent on with ${what}`, () => {
      should(readDelivery({ ...ITEM, webhook })).equal(why);
      should(readDelivery(withoutTraffic({ ...ITEM, webhook }))).equal(why);
    });
});
