import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import should from 'should';
import type { DeliveryReceiver } from '../../../../src/webhook/endpoint/delivery-receiver';
import type { CapturedBody } from '../../../../src/webhook/endpoint/delivery-receiver';
import { type RouteTable, routesOf } from '../../../../src/webhook/express/routes';
import { type RawRequest, exchange } from '../../../support/http-client';
import { closeServers, express, serve } from './real-http';

const RAW = '{ "a" : 1.0, "a" : "\\u00e9" }';
const JSON_TYPE = { 'Content-Type': 'application/json' };

describe('the capture in front of an Express app', () => {
  afterEach(closeServers);

  /** What reached our receiver. */
  let got: { body: CapturedBody; request: IncomingMessage & { body?: unknown } }[];
  /** What reached anybody else's route, as that route found it. */
  let foreign: unknown[];
  let table: RouteTable;

  const receiver: DeliveryReceiver = {
    maxBody: 1000,
    plain: false,
    acceptsMethod: (method) => method === 'POST',
    receive: (request, response, body) => {
      got.push({ body, request });
      response.writeHead(204).end();
    }
  };

  function nodeApp() {
    const app = express();
    table = routesOf(app, () => undefined);
    table.claim('/telnyx', 'node', receiver, () => undefined);
    table.settle();
    return app;
  }

  /** An app that parses every body, as Node-RED's admin API does. */
  function parsingApp() {
    const app = express();
    app.use(express.json());
    app.use(express.urlencoded({ extended: true }));
    return app;
  }

  async function post(port: number, path: string, raw: Omit<RawRequest, 'path'> = {}): Promise<number> {
    const { status } = await exchange(port, { path, body: Buffer.from(RAW), headers: JSON_TYPE, ...raw });
    return status;
  }

  const exactly = (text = RAW) => ({ kind: 'bytes', bytes: Buffer.from(text) });

  beforeEach(() => {
    got = [];
    foreign = [];
  });

  it('has the exact bytes with a parser in front', async () => {
    const root = parsingApp();
    root.use('/', nodeApp());
    const port = await serve(root);
    (await post(port, '/telnyx')).should.equal(204);
    const form = 'a=b%20c+d&a=%C3%A9';
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    (await post(port, '/telnyx', { body: Buffer.from(form), headers })).should.equal(204);
    should(got.map(({ body }) => body)).deepEqual([exactly(), exactly(form)]);
  });

  it('leaves the bytes as the body of the request, where flows may look', async () => {
    const root = parsingApp();
    root.use('/', nodeApp());
    await post(await serve(root), '/telnyx');
    should(got[0]?.request.body).deepEqual(Buffer.from(RAW));
  });

  it('has them when the app is mounted late, and mounted again', async () => {
    const httpNode = nodeApp();
    const inner = parsingApp();
    inner.use('/api', httpNode);
    const outer = parsingApp();
    outer.use('/red', inner);
    const port = await serve(outer);
    (await post(port, '/red/api/telnyx')).should.equal(204);
    should(got.map(({ body }) => body)).deepEqual([exactly()]);
  });

  it('has them when one of the outer apps was mounted before the node was loaded', async () => {
    const httpNode = express();
    const inner = parsingApp();
    inner.use('/api/', httpNode);
    table = routesOf(httpNode, () => undefined);
    table.claim('/telnyx', 'node', receiver, () => undefined);
    table.settle();
    const outer = parsingApp();
    outer.use('/red', inner);
    (await post(await serve(outer), '/red/api/telnyx')).should.equal(204);
    should(got.map(({ body }) => body)).deepEqual([exactly()]);
  });

  it('has them under each of several mounts', async () => {
    const httpNode = nodeApp();
    const first = parsingApp();
    first.use('/a', httpNode);
    first.use(['/b', '/c/d'], httpNode);
    const second = parsingApp();
    second.use('/e', httpNode);
    const [one, two] = [await serve(first), await serve(second)];
    for (const path of ['/a/telnyx', '/b/telnyx', 'https://example.com/c/d/telnyx'])
      (await post(one, path)).should.equal(204);
    (await post(two, '/e/telnyx')).should.equal(204);
    should(got.map(({ body }) => body)).deepEqual(Array.from({ length: 4 }, () => exactly()));
  });

  it('has them when the app serves alone, with its own parser', async () => {
    const httpNode = nodeApp();
    httpNode.use(express.json());
    (await post(await serve(httpNode), '/telnyx')).should.equal(204);
    should(got[0]?.body).deepEqual(exactly());
  });

  it('has them when the app is mounted in a router or by a pattern, with no parser in front', async () => {
    const router = express.Router();
    router.use('/in', nodeApp());
    const root = express();
    root.use('/router', router);
    (await post(await serve(root), '/router/in/telnyx')).should.equal(204);

    const byPattern = express();
    byPattern.use(/^\/x\d/, nodeApp());
    (await post(await serve(byPattern), '/x1/telnyx')).should.equal(204);
    should(got.map(({ body }) => body)).deepEqual([exactly(), exactly()]);
  });

  for (const path of [
    '/telnyx/',
    '/TELNYX',
    '//telnyx',
    '/telnyx?x=/y',
    '/telnyx/?x',
    'http://example.com/telnyx?x'
  ]) {
    it(`recognises ${path} as the same path`, async () => {
      const root = parsingApp();
      root.use('/', nodeApp());
      (await post(await serve(root), path)).should.equal(204);
      should(got[0]?.body).deepEqual(exactly());
    });
  }

  it('leaves everything else to its parser', async () => {
    const root = parsingApp();
    const httpNode = nodeApp();
    root.use('/a', httpNode);
    for (const path of ['/telnyx', '/x/a/telnyx', '/a/telnyx/x', '/ab/telnyx']) {
      root.post(path, (request, response) => {
        foreign.push(request.body);
        response.end();
      });
    }
    // Below the mount this is /a/telnyx, which only looks like our path as seen from the root.
    httpNode.post('/a/telnyx', (request, response) => {
      foreign.push(request.body);
      response.end();
    });
    const port = await serve(root);
    const paths = ['/telnyx', '/x/a/telnyx', '/a/telnyx/x', '/ab/telnyx', '/a/a/telnyx'];
    for (const path of paths) (await post(port, path)).should.equal(200, path);
    foreign.should.deepEqual(paths.map(() => ({ a: '\u00e9' })));
    got.should.be.empty();
  });

  it('does not touch a path that only the layer of an inner app could take for ours', async () => {
    const httpNode = nodeApp();
    const root = express();
    root.use('/a', httpNode);
    httpNode.post('/a/telnyx', express.json() as never, (request, response) => {
      foreign.push(request.body);
      response.end();
    });
    (await post(await serve(root), '/a/a/telnyx')).should.equal(200);
    foreign.should.deepEqual([{ a: '\u00e9' }]);
  });

  it('forgets a path with its node', async () => {
    const root = parsingApp();
    const httpNode = express();
    root.use('/', httpNode);
    table = routesOf(httpNode, () => undefined);
    const claim = table.claim('/telnyx', 'node', receiver, () => undefined);
    claim.release();
    table.settle();
    root.post('/telnyx', (request, response) => {
      foreign.push(request.body);
      response.end();
    });
    (await post(await serve(root), '/telnyx')).should.equal(200);
    foreign.should.deepEqual([{ a: '\u00e9' }]);
  });

  it('says so when something outside Express has read the body first', async () => {
    const root = express();
    root.use('/', nodeApp());
    const parse = express.json();
    const port = await serve((request, response) => {
      parse(request, response, () => {
        root(request as never, response as never);
      });
    });
    (await post(port, '/telnyx')).should.equal(204);
    should(got[0]?.body).deepEqual({ kind: 'lost' });
  });

  it('says so, and survives, when something outside Express turns bytes into text', async () => {
    const root = express();
    root.use('/', nodeApp());
    const port = await serve((request, response) => {
      request.setEncoding('utf8');
      root(request as never, response as never);
    });
    (await post(port, '/telnyx')).should.equal(204);
    should(got[0]?.body).deepEqual({ kind: 'lost' });
  });

  it('reads neither other methods nor what is over the limit of the node', async () => {
    const root = parsingApp();
    root.use('/', nodeApp());
    const port = await serve(root);
    await post(port, '/telnyx', { method: 'PUT' });
    await exchange(port, { method: 'GET', path: '/telnyx' });
    await post(port, '/telnyx', { body: Buffer.alloc(1001) });
    should(got.map(({ body }) => body.kind)).deepEqual(['not-read', 'not-read', 'too-large']);
  });

  it('ends the connection when a login answers before the body is read', async () => {
    const root = express();
    root.use((_request, response) => {
      response.status(401).end();
    });
    root.use('/', nodeApp());
    const port = await serve(root);
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    socket.write('POST /telnyx HTTP/1.1\r\nHost: x\r\nContent-Length: 5000000\r\n\r\nonly this');
    const begun = performance.now();
    const closed = once(socket, 'close');
    const [head] = (await once(socket, 'data')) as [Buffer];
    head.toString('latin1').should.match(/^HTTP\/1\.1 401 .*keep-alive/s);
    await closed;
    // Not only when Node.js gives up an idle connection, after 5 s.
    (performance.now() - begun).should.be.below(3000);
  });
});
