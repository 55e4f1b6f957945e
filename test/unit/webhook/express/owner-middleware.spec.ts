import type { IncomingMessage, ServerResponse } from 'node:http';
import should from 'should';
import type { DeliveryReceiver } from '../../../../src/webhook/endpoint/delivery-receiver';
import { type Handler, corsHandlersOf, handlersOf } from '../../../../src/webhook/express/express-app';
import { routesOf } from '../../../../src/webhook/express/routes';
import { type RawAnswer, exchange } from '../../../support/http-client';
import { closeServers, express, serve } from './real-http';

type Next = (fault?: unknown) => void;

const BODY = Buffer.from('{ "a": 1.0 }');

const echo: DeliveryReceiver = {
  maxBody: 1000,
  plain: true,
  acceptsMethod: () => true,
  receive: (_request, response, body) => {
    response.writeHead(200).end(body.kind === 'bytes' ? body.bytes : body.kind);
  }
};

const pass: Handler = (_request, _response, next) => (next as Next)();
const header =
  (name: string): Handler =>
  (_request, response, next) => {
    (response as ServerResponse).setHeader(name, 'seen');
    (next as Next)();
  };
const onFault = (each: unknown, request: unknown, response: unknown, next: Next): void => {
  should([each, request, response]).not.containEql(undefined);
  next();
};
const refuse: Handler = (_request, response) => {
  (response as ServerResponse).writeHead(403).end('no');
};
const fault = new Error('made up');

describe('what the owner puts before the addresses of flows', () => {
  let setting: unknown;
  let faults: unknown[];
  let port: number;

  beforeEach(async () => {
    faults = [];
    const root = express();
    const httpNode = express();
    // As with Node-RED's default settings: the admin app's parsers come before every flow.
    root.use(express.json() as never);
    const table = routesOf(httpNode, () => undefined, undefined, {
      handlers: () => handlersOf(setting),
      onFault: (each) => faults.push(each)
    });
    table.claim('/telnyx', 'node', echo, () => undefined);
    table.settle();
    httpNode.post('/telnyx', (_request, response) => void response.status(404).end('nobody'));
    root.use('/', httpNode);
    port = await serve(root);
  });
  afterEach(closeServers);

  const post = (headers: Record<string, string> = {}): Promise<RawAnswer> =>
    exchange(port, {
      path: '/telnyx',
      body: BODY,
      headers: { 'content-type': 'application/json', ...headers }
    });

  const passing: [what: string, setting: unknown][] = [
    ['nothing', undefined],
    ['what is neither function nor list', { use: 'it' }],
    ['an empty list', []],
    ['a function', pass],
    ['functions in lists', [pass, [pass, [pass]]]],
    ['an Express router', express.Router()],
    ['a function that only takes faults', [onFault]],
    ['a promise that is fulfilled', (_q: unknown, _s: unknown, next: Next) => Promise.resolve().then(next)],
    [
      'one that goes on twice',
      (_q: unknown, _s: unknown, next: Next) => {
        next();
        next();
      }
    ]
  ];
  for (const [what, value] of passing) {
    it(`lets the exact bytes pass: ${what}`, async () => {
      setting = value;
      const answer = await post();
      should([answer.status, answer.body]).deepEqual([200, BODY]);
      should(faults).be.empty();
    });
  }

  it('runs in order, and what it adds stays', async () => {
    setting = [header('x-one'), [header('x-two')]];
    should((await post()).headers).have.properties({ 'x-one': 'seen', 'x-two': 'seen' });
  });

  it('may refuse', async () => {
    setting = [pass, refuse, header('x-after')];
    const { status, headers } = await post();
    should([status, headers['x-after']]).deepEqual([403, undefined]);
  });

  it('may give a request to the routes behind', async () => {
    setting = [(_q: unknown, _s: unknown, next: Next) => next('route'), refuse];
    should((await post()).body.toString()).equal('nobody');
  });

  const failing: [what: string, setting: unknown][] = [
    [
      'throws',
      () => {
        throw fault;
      }
    ],
    ['hands a fault on', (_q: unknown, _s: unknown, next: Next) => next(fault)],
    ['rejects', () => Promise.reject(fault)]
  ];
  for (const [what, value] of failing) {
    it(`that ${what} asks the sender to try again`, async () => {
      setting = [value, pass];
      const answer = await post();
      should([answer.status, answer.body.length]).deepEqual([503, 0]);
      should(Number(answer.headers['retry-after'])).be.above(0);
      should(faults).deepEqual([fault]);
    });
  }

  it('fails closed when it rejects without a reason, or is not a function', async () => {
    // Express 4 takes a rejection or a throw without a value as "go on".
    const nothing = { then: (_fulfil: unknown, reject: () => void) => reject() };
    for (const value of [() => nothing, ['login'], [pass, [null]]]) {
      setting = value;
      should((await post()).status).equal(503);
    }
    should(faults.map((each) => each instanceof Error)).deepEqual([true, true, true]);
  });

  it('that handles a fault lets the request go on', async () => {
    setting = [failing[0]?.[1], refuse, onFault, header('x-mended')];
    const { status, headers } = await post();
    should([status, headers['x-mended']]).deepEqual([200, 'seen']);
  });

  it('that fails after it began to answer does not leave the sender waiting', async () => {
    setting = (_request: unknown, response: ServerResponse) => {
      response.writeHead(200, { 'content-length': '100' }).write('half');
      throw fault;
    };
    should((await post()).status).equal(0);
  });

  it('sees cookies, as in front of core http in', async () => {
    let seen: unknown;
    setting = (request: IncomingMessage & { cookies: unknown }, _s: unknown, next: Next) => {
      seen = request.cookies;
      next();
    };
    await post({ cookie: 'a=1; b="two%20words"; a=3; c=%; d; __proto__=x' });
    should(Object.entries(seen as object)).deepEqual([
      ['a', '1'],
      ['b', 'two words'],
      ['c', '%'],
      ['__proto__', 'x']
    ]);
    await post();
    should(Object.keys(seen as object)).be.empty();
  });

  it('finds the handler of httpNodeCors where core http in puts it', () => {
    const app = express();
    app.use(pass as never);
    should(corsHandlersOf(app)).be.empty();
    const corsMiddleware: Handler = pass.bind(null);
    Object.defineProperty(corsMiddleware, 'name', { value: 'corsMiddleware' });
    app.options('/other', pass as never);
    app.options('*', corsMiddleware as never);
    should(corsHandlersOf(app)).deepEqual([corsMiddleware]);
  });
});
