import should from 'should';
import type { DeliveryReceiver } from '../../../../src/webhook/endpoint/delivery-receiver';
import type {
  ExpressApp,
  ExpressLayer,
  Handler,
  Middleware
} from '../../../../src/webhook/express/express-app';
import { routesOf } from '../../../../src/webhook/express/routes';
import { exchange } from '../../../support/http-client';
import { closeServers, express, serve } from './real-http';

type App = ReturnType<typeof express>;

/** Whatever comes after Express gets Express's own request; a delivery on the direct way has Node's. */
const wentThroughExpress: string[] = [];

function receiver(plain: boolean): DeliveryReceiver {
  return {
    maxBody: 1000,
    plain,
    acceptsMethod: () => true,
    receive: (request, response, body) => {
      wentThroughExpress.push('res' in request ? 'express' : 'direct');
      response.writeHead(200).end(body.kind === 'bytes' ? body.bytes : body.kind);
    }
  };
}

/** The apps as Node-RED's own start script wires them; the parts of a test go in between. */
function nodeRed(
  parts: { plain?: boolean; admin?: boolean; shortCut?: boolean; handlers?: () => Handler[] } = {}
) {
  const root = express();
  const httpAdmin = express();
  const httpNode = express();
  // The app that nodes are given is mounted on the editor's app, which is mounted on the root.
  if (parts.admin !== false) root.use('/', express().use(httpAdmin));
  const table = routesOf(
    httpNode,
    () => undefined,
    parts.shortCut === false ? undefined : { httpAdmin: parts.admin === false ? undefined : httpAdmin },
    { handlers: () => parts.handlers?.() ?? [], onFault: () => undefined }
  );
  table.claim('/telnyx', 'node', receiver(parts.plain ?? true), () => undefined);
  table.settle();
  return { root, httpAdmin, httpNode };
}

function layersOf(app: ExpressApp): ExpressLayer[] {
  return app._router?.stack ?? [];
}

async function wayOf(root: App): Promise<string | undefined> {
  const port = await serve(root);
  const answer = await exchange(port, { path: '/telnyx', method: 'POST', body: Buffer.from('{ "a": 1.0 }') });
  if (answer.status === 200) should(answer.body.toString()).equal('{ "a": 1.0 }');
  return answer.status === 200 ? wentThroughExpress.at(-1) : String(answer.status);
}

const login: Middleware = function login(_request, response) {
  response.writeHead(401).end();
};

describe('the direct way of a delivery', () => {
  afterEach(closeServers);

  it('is taken where only Node-RED itself is in between', async () => {
    const { root, httpNode } = nodeRed();
    root.use('/', httpNode);
    should(await wayOf(root)).equal('direct');
    const without = nodeRed({ admin: false });
    without.root.use('/', without.httpNode);
    should(await wayOf(without.root)).equal('direct');
  });

  it('is not taken by a receiver that needs what Express adds', async () => {
    const { root, httpNode } = nodeRed({ plain: false });
    root.use('/', httpNode);
    should(await wayOf(root)).equal('express');
  });

  it('is not taken when the owner of the apps is unknown', async () => {
    const { root, httpNode } = nodeRed({ shortCut: false });
    root.use('/', httpNode);
    should(await wayOf(root)).equal('express');
  });

  const obstacles: [string, (apps: { root: App; httpNode: App }) => void][] = [
    ['a login between the apps', ({ root }) => void root.use(login)],
    ['a login for a path', ({ root }) => void root.use('/telnyx', login)],
    ['a login in an app of its own', ({ root }) => void root.use(express().use(login as never))]
  ];
  for (const [name, add] of obstacles) {
    it(`never bypasses ${name}`, async () => {
      const apps = nodeRed();
      add(apps);
      apps.root.use('/', apps.httpNode);
      should(await wayOf(apps.root)).equal('401');
    });
  }

  it('never bypasses a login that another package put on the flows’ app before us', async () => {
    const root = express();
    const httpAdmin = express();
    const httpNode = express();
    root.use('/', httpAdmin);
    httpNode.use(login as never);
    routesOf(httpNode, () => undefined, { httpAdmin }).claim(
      '/telnyx',
      'node',
      receiver(true),
      () => undefined
    );
    root.use('/', httpNode);
    should(await wayOf(root)).equal('401');
  });

  it('never bypasses somebody else’s route that comes first', async () => {
    const root = express();
    const httpAdmin = express();
    const httpNode = express();
    root.use('/', httpAdmin);
    httpNode.post('*', login as never);
    routesOf(httpNode, () => undefined, { httpAdmin }).claim(
      '/telnyx',
      'node',
      receiver(true),
      () => undefined
    );
    root.use('/', httpNode);
    should(await wayOf(root)).equal('401');
  });

  it('is left when a layer is put in front later', async () => {
    const { root, httpNode } = nodeRed();
    root.use('/', httpNode);
    should(await wayOf(root)).equal('direct');
    root.use(login as never);
    const { stack } = (root as ExpressApp)._router ?? { stack: [] };
    const added = stack.pop();
    if (added !== undefined) stack.splice(1, 0, added);
    should(await wayOf(root)).equal('401');
  });

  /** The layers before the dispatcher; the login replaces one of them, so the stack keeps its length. */
  const exchanges: [string, (apps: { root: App; httpNode: App }) => ExpressLayer[]][] = [
    ['of the root app', ({ root }) => layersOf(root)],
    ['of the flows’ app', ({ httpNode }) => layersOf(httpNode)]
  ];
  for (const [name, stackOf] of exchanges) {
    it(`is left when another layer replaces one ${name}`, async () => {
      const apps = nodeRed();
      apps.root.use('/', apps.httpNode);
      should(await wayOf(apps.root)).equal('direct');
      const stack = stackOf(apps);
      const length = stack.length;
      const at = stack.findIndex(({ name: layer }) => layer === 'expressInit');
      const other = express();
      other.use(login as never);
      const added = layersOf(other).at(-1);
      if (added !== undefined) stack[at] = added;
      should(stack.length).equal(length);
      should(await wayOf(apps.root)).equal('401');
    });
  }

  it('is left when the flows’ app is reached through another root', async () => {
    const { root, httpNode } = nodeRed();
    root.use('/', httpNode);
    should(await wayOf(root)).equal('direct');
    const other = express();
    other.use(login as never);
    other.use('/', httpNode);
    should(await wayOf(other)).equal('401');
    should(await wayOf(root)).equal('express');
  });

  it('is left when a proxy is trusted later, and taken again when it is not', async () => {
    const { root, httpNode } = nodeRed();
    root.use('/', httpNode);
    should(await wayOf(root)).equal('direct');
    for (const app of [root, httpNode]) {
      app.set('trust proxy', true);
      should(await wayOf(root)).equal('express');
      app.set('trust proxy', false);
      should(await wayOf(root)).equal('direct');
    }
  });

  it('does not mistake somebody else’s layer for Express’s own because of its name', async () => {
    const { root, httpNode } = nodeRed();
    root.use(function query(_request, response) {
      response.writeHead(401).end();
    });
    root.use('/', httpNode);
    should(await wayOf(root)).equal('401');
  });

  it('is left as soon as the settings have middleware, which then runs', async () => {
    let handlers: Handler[] = [];
    const { root, httpNode } = nodeRed({ handlers: () => handlers });
    root.use('/', httpNode);
    should(await wayOf(root)).equal('direct');
    handlers = [login as Handler];
    should(await wayOf(root)).equal('401');
    handlers = [(_request, _response, next) => (next as () => void)()];
    should(await wayOf(root)).equal('express');
    handlers = [];
    should(await wayOf(root)).equal('direct');
  });

  it('is not taken behind a trusted proxy, whose headers Express reads', async () => {
    const { root, httpNode } = nodeRed();
    root.set('trust proxy', true);
    root.use('/', httpNode);
    should(await wayOf(root)).equal('express');
  });

  it('is not taken when the flows’ app is mounted deeper', async () => {
    const { root, httpNode } = nodeRed();
    const outer = express();
    root.use('/', httpNode);
    outer.use('/', root);
    should(await wayOf(outer)).equal('express');
  });
});
