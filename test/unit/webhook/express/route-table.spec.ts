import should from 'should';
import type { DeliveryReceiver } from '../../../../src/webhook/endpoint/delivery-receiver';
import { RouteTable } from '../../../../src/webhook/express/routes';

function receiver(): DeliveryReceiver {
  return { maxBody: 1, plain: false, acceptsMethod: () => true, receive: () => undefined };
}

describe('RouteTable', () => {
  let table: RouteTable;
  let served: string[];
  const claim = (owner: string, path = '/telnyx', own = receiver()) =>
    table.claim(path, owner, own, () => served.push(owner));

  beforeEach(() => {
    table = new RouteTable();
    served = [];
  });

  it('gives a path to the first who asks', () => {
    const own = receiver();
    const first = claim('a', '/telnyx', own);
    should(first).have.properties({ serving: true, heldBy: null });
    should(table.find('/telnyx')).deepEqual({ receiver: own });
    should(table.find('/other')).be.undefined();
  });

  it('finds a path in any spelling', () => {
    claim('a', 'Telnyx/');
    for (const url of ['/telnyx', '/TELNYX/', '//telnyx?x=1', '/telnyx?/other'])
      should(table.find(url)).be.ok();
    for (const url of ['/telnyx/x', '/x/telnyx', '/telnyxx', '/']) should(table.find(url)).be.undefined();
  });

  it('tells the second who holds the path', () => {
    claim('a');
    should(claim('b', '/TELNYX/')).have.properties({ serving: false, heldBy: 'a' });
  });

  it('has a path without a live node until the flows have started again', () => {
    const first = claim('a');
    first.release();
    should(table.find('/telnyx')).deepEqual({ receiver: null });
    should(first).have.properties({ serving: false, heldBy: null });
    table.settle();
    should(table.find('/telnyx')).be.undefined();
  });

  it('gives the path back to the node of a redeploy', () => {
    claim('a').release();
    const again = receiver();
    should(claim('a', '/telnyx', again).serving).be.true();
    table.settle();
    should(table.find('/telnyx')).deepEqual({ receiver: again });
    served.should.be.empty();
  });

  it('lets the longest waiting one take over, at the next start and not before', () => {
    const first = claim('a');
    const second = claim('b');
    const third = claim('c');
    first.release();
    should(second.serving).be.false();
    table.settle();
    should(second.serving).be.true();
    should(third).have.properties({ serving: false, heldBy: 'b' });
    served.should.deepEqual(['b']);
    table.settle();
    served.should.deepEqual(['b']);
  });

  it('does not hand over to one who has stopped waiting', () => {
    const first = claim('a');
    claim('b').release();
    const third = claim('c');
    first.release();
    table.settle();
    served.should.deepEqual(['c']);
    third.release();
    third.release();
    table.settle();
    should(table.find('/telnyx')).be.undefined();
  });

  it('keeps the holder when it restarts and others wait', () => {
    const first = claim('a');
    claim('b');
    first.release();
    should(claim('a').serving).be.true();
    table.settle();
    served.should.be.empty();
  });

  it('does not let an old claim release what a new one holds', () => {
    const old = claim('a');
    old.release();
    table.settle();
    claim('b');
    old.release();
    should(table.find('/telnyx')?.receiver).be.ok();
  });

  it('is settled once the flows have started', () => {
    table.settled.should.be.false();
    table.settle();
    table.settled.should.be.true();
  });
});
