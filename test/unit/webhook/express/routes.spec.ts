import should from 'should';
import type { DeliveryReceiver } from '../../../../src/webhook/endpoint/delivery-receiver';
import type { ExpressApp } from '../../../../src/webhook/express/express-app';
import { RouteTable, routesOf } from '../../../../src/webhook/express/routes';
import { type RawAnswer, exchange } from '../../../support/http-client';
import { closeServers, express, serve } from './real-http';

function idleReceiver(): DeliveryReceiver {
  return { maxBody: 1, plain: false, acceptsMethod: () => true, receive: () => undefined };
}

describe('RouteTable', () => {
  let table: RouteTable;
  let served: string[];
  const claim = (owner: string, path = '/telnyx', own = idleReceiver()) =>
    table.claim(path, owner, own, () => served.push(owner));

  beforeEach(() => {
    table = new RouteTable();
    served = [];
  });

  it('gives a path to the first who asks', () => {
    const own = idleReceiver();
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

  it('keeps a path without a live node until the flows have started again', () => {
    const first = claim('a');
    first.release();
    should(table.find('/telnyx')).deepEqual({ receiver: null });
    should(first).have.properties({ serving: false, heldBy: null });
    table.settle();
    should(table.find('/telnyx')).be.undefined();
  });

  it('gives the path back to the node of a redeploy', () => {
    claim('a').release();
    const again = idleReceiver();
    should(claim('a', '/telnyx', again).serving).be.true();
    table.settle();
    should(table.find('/telnyx')).deepEqual({ receiver: again });
    served.should.be.empty();
  });

  it('lets the one that has waited longest take over, at the next start and not before', () => {
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

const receiver: DeliveryReceiver = {
  maxBody: 1000,
  plain: false,
  acceptsMethod: () => true,
  receive: (_request, response, body) => {
    response.writeHead(200).end(body.kind);
  }
};

describe('the dispatcher', () => {
  let port: number;
  let table: RouteTable;
  let httpNode: ReturnType<typeof express>;

  beforeEach(async () => {
    httpNode = express();
    table = routesOf(httpNode, () => undefined);
    httpNode.post('/foreign', (_request, response) => {
      response.status(202).end();
    });
    port = await serve(httpNode);
  });
  afterEach(closeServers);

  const post = (path: string, headers: Record<string, string> = {}): Promise<RawAnswer> =>
    exchange(port, { path, body: Buffer.from('{}'), headers });

  const signatures = [
    'telnyx-signature-ed25519',
    'x-telnyx-signature',
    'x-meeting-bot-signature',
    'x-webhook-signature'
  ];
  for (const name of signatures) {
    it(`asks a sender of ${name} to wait until the flows have started`, async () => {
      const early = await post('/telnyx', { [name]: 'x' });
      early.status.should.equal(503);
      Number(early.headers['retry-after']).should.be.above(0);
      table.settle();
      (await post('/telnyx', { [name]: 'x' })).status.should.equal(404);
    });
  }

  it('lets everything else pass, before and after the start', async () => {
    (await post('/telnyx')).status.should.equal(404);
    (await post('/foreign')).status.should.equal(202);
    table.settle();
    (await post('/telnyx')).status.should.equal(404);
    (await post('/foreign')).status.should.equal(202);
    (await post('/foreign', { 'telnyx-signature-ed25519': 'x' })).status.should.equal(202);
  });

  it('hands a request to the live node, with its body', async () => {
    table.claim('/telnyx', 'node', receiver, () => undefined);
    const answer = await post('/telnyx');
    answer.status.should.equal(200);
    answer.body.toString().should.equal('bytes');
  });

  it('answers "try again", not "not found", between two nodes of a deploy', async () => {
    const claim = table.claim('/telnyx', 'node', receiver, () => undefined);
    table.settle();
    claim.release();
    for (const headers of [{}, { 'telnyx-signature-ed25519': 'x' }]) {
      const between = await post('/telnyx', headers);
      between.status.should.equal(503);
      should(between.headers).have.property('retry-after');
    }
    table.claim('/telnyx', 'node', receiver, () => undefined);
    (await post('/telnyx')).status.should.equal(200);
  });

  it('keeps Express as it is, however often nodes come and go', async () => {
    const layers = (app: ExpressApp) => app._router?.stack.length;
    const before = layers(httpNode);
    for (let round = 0; round < 20; round += 1) {
      let connected = 0;
      routesOf(httpNode, () => (connected += 1)).should.equal(table);
      connected.should.equal(0);
      table.claim(`/path-${round}`, 'node', receiver, () => undefined).release();
      table.settle();
    }
    should(before).be.above(0);
    should(layers(httpNode)).equal(before);
    (await post('/path-3')).status.should.equal(404);
  });

  describe('at a path that a deploy has removed', () => {
    const remove = (path = '/telnyx'): void => {
      const claim = table.claim(path, 'node', receiver, () => undefined);
      table.settle();
      claim.release();
      table.settle();
    };

    it('asks senders to try again, however they spell it', async () => {
      remove();
      for (const path of ['/telnyx', '/Telnyx/', '/telnyx?x=1']) {
        const gone = await post(path);
        gone.status.should.equal(503);
        Number(gone.headers['retry-after']).should.be.above(0);
      }
      (await post('/telnyx/x')).status.should.equal(404);
    });

    it('lets another node serve it at once', async () => {
      remove();
      table.claim('/telnyx', 'other', receiver, () => undefined);
      const answer = await post('/telnyx');
      answer.body.toString().should.equal('bytes');
    });

    it('leaves it, and its bodies, to somebody else’s route, even one from the same deploy', async () => {
      const claim = table.claim('/telnyx', 'node', receiver, () => undefined);
      table.settle();
      claim.release();
      httpNode.post('/telnyx', (request, response) => {
        let length = 0;
        request.on('data', (chunk: Buffer) => (length += chunk.length));
        request.on('end', () => response.status(202).end(String(length)));
      });
      table.settle();
      const answer = await post('/telnyx');
      answer.status.should.equal(202);
      answer.body.toString().should.equal('2');
      (await post('/foreign')).status.should.equal(202);
    });
  });

  it('connects each app with the runtime once', () => {
    let connected = 0;
    routesOf(express(), () => (connected += 1)).should.not.equal(table);
    connected.should.equal(1);
  });
});
