import should from 'should';
import { CodedError } from '../../../../src/errors/coded-error';
import { parseFetched } from '../../../../src/reconcile/deliveries/missed-deliveries';
import {
  Reception,
  type FetchedDelivery,
  type ReceptionParts
} from '../../../../src/reconcile/deliveries/reception';
import { holdEvent } from '../../../support/deliveries';
import { EndpointStage, TestJournal } from '../../webhook/endpoint/endpoint-fixture';
import { closeServers, deferred } from '../../webhook/express/real-http';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 2, 4, 12);

function fetched(id: string, more: Partial<FetchedDelivery> = {}): FetchedDelivery {
  const rawBody = Buffer.from(holdEvent(id));
  return { id, event: parseFetched(rawBody)!, rawBody, startedAt: NOW, isDelivered: false, ...more };
}

describe('the reception of events that did not come by webhook', () => {
  const sent: string[] = [];
  const emitted = new Set<string>();
  let journal: TestJournal;
  beforeEach(() => {
    sent.length = 0;
    emitted.clear();
    journal = new TestJournal();
  });
  afterEach(closeServers);

  function reception(parts: Partial<ReceptionParts> = {}): Reception {
    return new Reception({
      scope: 'list',
      journal,
      identities: journal.identities,
      emitted: {
        has: (id) => emitted.has(id),
        claim: (id) => {
          emitted.add(id);
          return () => undefined;
        },
        add: (id) => {
          emitted.add(id);
          return Promise.resolve();
        }
      },
      receivers: () => [],
      scopes: () => [],
      rememberedMs: 24 * HOUR,
      emit: ({ event }, handOver) => {
        sent.push(event.id);
        handOver?.done();
      },
      now: () => NOW,
      signal: new AbortController().signal,
      ...parts
    });
  }

  it('records, hands over and remembers, for each webhook node', async () => {
    const here = reception({ scopes: () => ['a', 'b'] });
    (await here.isKnown(fetched('one'))).should.be.false();
    await here.receive(fetched('one'));
    sent.should.eql(['one']);
    journal.log.should.eql(['accept one', 'remember one', 'remember one', 'done one']);
    should(['a', 'b', 'list'].map((scope) => journal.find(scope, 'one'))).eql(
      Array(3).fill({ answer: null })
    );
    (await here.isKnown(fetched('one'))).should.be.true();
    (await here.isKnown(fetched('two'))).should.be.false();
  });

  it('makes a real delivery that comes at the same moment wait, as a duplicate', async () => {
    const stage = await EndpointStage.start();
    journal = stage.journal;
    const gate = deferred();
    journal.gate = gate.promise;
    const parts = { receivers: () => [stage.endpoint], scopes: () => ['node'] };
    const received = reception(parts).receive(fetched('one'));
    const delivered = stage.deliver('one');
    await stage.arrived(1);
    (await reception(parts).isKnown(fetched('one'))).should.be.true();
    gate.resolve();
    await received;
    (await delivered).status.should.equal(200);
    should([sent, stage.ids]).eql([['one'], []]);
    (await stage.deliver('one')).status.should.equal(200);
    stage.ids.should.be.empty();
  });

  it('knows what is currently being received', async () => {
    const stage = await EndpointStage.start({ reply: 'flow' });
    const delivered = stage.deliver('one');
    await stage.emittedEvent(1);
    const here = reception({ receivers: () => [stage.endpoint] });
    (await here.isKnown(fetched('one'))).should.be.true();
    await stage.endpoint.close();
    await delivered;
  });

  it('hands over nothing that cannot be recorded, and lets its sender try again', async () => {
    const stage = await EndpointStage.start();
    journal = stage.journal;
    const gate = deferred();
    journal.gate = gate.promise;
    const received = reception({ receivers: () => [stage.endpoint] }).receive(fetched('one'));
    const delivered = stage.deliver('one');
    await stage.arrived(1);
    gate.reject(new CodedError('NOT_RECORDED', 'made up'));
    await should(received).be.rejectedWith({ code: 'NOT_RECORDED' });
    (await delivered).status.should.equal(503);
    sent.should.be.empty();
    journal.gate = Promise.resolve();
    (await stage.deliver('one')).status.should.equal(200);
    stage.ids.should.eql(['one']);
  });

  it('makes an event known to other lists while it is being recorded', async () => {
    const gate = deferred();
    journal.gate = gate.promise;
    const first = reception().receive(fetched('one'));
    (await reception({ scope: 'other list' }).isKnown(fetched('one'))).should.be.true();
    gate.resolve();
    await first;
  });

  it('hands an event over even when the memory of the lists cannot be written', async () => {
    const add = (): Promise<void> => Promise.reject(new Error('full'));
    await reception({ emitted: { has: () => false, add, claim: () => () => undefined } }).receive(
      fetched('one')
    );
    sent.should.eql(['one']);
  });

  it('leaves what was recorded while the node closed to the next start', async () => {
    const closing = new AbortController();
    const gate = deferred();
    journal.gate = gate.promise;
    const received = reception({ signal: closing.signal }).receive(fetched('one'));
    closing.abort();
    gate.resolve();
    await received;
    sent.should.be.empty();
    journal.log.should.eql(['accept one', 'leave one']);
  });

  it('hands over what was left when it starts', () => {
    const delivery = {
      scope: 'list',
      id: 'one',
      receivedAt: NOW - HOUR,
      verified: 'api' as const,
      keyIndex: 0,
      contentType: 'application/json',
      query: null,
      rawBody: fetched('one').rawBody
    };
    const done: string[] = [];
    const left = (name: string) => ({
      delivery,
      name,
      done: () => done.push(name),
      leave: () => done.push(`${name} left`)
    });
    journal.left.push(left('a'), left('b'));
    const events: object[] = [];
    const emit: ReceptionParts['emit'] = ({ event }, handOver) => {
      events.push(event);
      handOver?.done();
    };
    reception({ emit }).recover(parseFetched);
    done.should.eql(['a', 'b']);
    should(events[0]).have.properties({
      id: 'one',
      recovered: true,
      verified: 'api',
      received_at: new Date(NOW - HOUR).toISOString()
    });
    const closing = new AbortController();
    closing.abort();
    journal.left.push(left('c'));
    reception({ signal: closing.signal }).recover(parseFetched);
    done.at(-1)!.should.equal('c left');
  });

  it('believes the provider about what may have been forgotten', async () => {
    const old = { startedAt: NOW - 25 * HOUR, isDelivered: true };
    const here = reception({ scopes: () => ['a'] });
    (await here.isKnown(fetched('one', old))).should.be.true();
    (await here.isKnown(fetched('one', { ...old, isDelivered: false }))).should.be.false();
    (await here.isKnown(fetched('one', { ...old, isDelivered: null }))).should.be.false();
    (await here.isKnown(fetched('one', { ...old, startedAt: null }))).should.be.false();
    (await here.isKnown(fetched('one', { ...old, startedAt: NOW - 23 * HOUR }))).should.be.false();
    // Delivered, but not here: there is no webhook node.
    (await reception().isKnown(fetched('one', old))).should.be.false();
  });
});
