import should from 'should';
import { LIVELY_FLOW, LivelyTelephone } from '../support/lively-flow';
import { logIn, THREE_USERS } from '../support/logins';
import { NodeRedProcess } from '../support/node-red-process';

/** Notes each route that the package registers, whatever it is called, and answers with them. */
const TELL_ROUTES = `
const { application } = require.main.require('express');
const routes = [];
for (const method of [...require('node:http').METHODS.map((name) => name.toLowerCase()), 'all', 'use']) {
  const register = application[method];
  if (register === undefined) continue;
  application[method] = function (path, ...handlers) {
    const isOurs = new Error().stack.includes('node-red-telnyx');
    if (isOurs && handlers.length > 0) routes.push({ method, path: String(path) });
    return register.call(this, path, ...handlers);
  };
}
module.exports.httpAdminMiddleware = (request, response, next) =>
  request.url.startsWith('/routes-of-the-test') ? response.json(routes) : next();`;

interface Route {
  method: string;
  path: string;
}

/** What a user who may only read gets by POST, because it does not belong into an address. */
const READ_BY_POST = /^\/telnyx-sidebar\/(archive|deliveries)\/(?!replay)/;
/** What every user of the editor may see: it is no more than what the statuses of the nodes tell. */
const FOR_EVERY_USER = [
  '/telnyx-account/known-keys',
  '/telnyx-sidebar/given-up',
  '/telnyx-sidebar/now',
  '/telnyx-webhook-in/facts'
];
/** The address of a player, who cannot send a token: the ticket in it is the permission. */
const MEDIA = '/telnyx-sidebar/archive/media/:ticket';

for (const roots of [{}, { httpAdminRoot: '/admin', httpNodeRoot: '/api' }] as const) {
  describe(`the permissions of our admin routes, with ${JSON.stringify(roots)}`, function () {
    this.timeout(120_000);
    let nodeRed: NodeRedProcess;
    let phone: LivelyTelephone | undefined;
    let routes: Route[];
    const tokens: Record<string, string> = {};

    before('Node-RED with three users', async () => {
      nodeRed = await NodeRedProcess.start({
        flow: LIVELY_FLOW,
        settings: { adminAuth: THREE_USERS },
        settingsCode: TELL_ROUTES,
        ...roots
      });
      phone = await LivelyTelephone.call(nodeRed);
      for (const { username } of THREE_USERS.users)
        tokens[username] = (await logIn(nodeRed, username)).access_token;
      routes = (await (await ask({ method: 'get', path: '/routes-of-the-test' })).json()) as Route[];
    });
    after(async () => {
      await phone?.end();
      await (nodeRed as NodeRedProcess | undefined)?.stop();
    });

    const ask = (
      { method, path }: Route,
      { user, headers = {} }: { user?: string; headers?: Record<string, string> } = {}
    ): Promise<Response> =>
      fetch(new URL(path.slice(1), nodeRed.editorUrl), {
        method: method.toUpperCase(),
        headers: {
          'content-type': 'application/json',
          ...(user === undefined ? {} : { authorization: `Bearer ${tokens[user]}` }),
          ...headers
        },
        ...(method === 'get' ? {} : { body: '{}' })
      });
    const shown = ({ method, path }: Route): string => `${method} ${path}`;
    const guarded = (): Route[] => routes.filter(({ path }) => path !== MEDIA);
    const isRead = ({ method, path }: Route): boolean => method === 'get' || READ_BY_POST.test(path);
    /** The routes whose answer is another one than expected. */
    const others = async (
      asked: readonly Route[],
      isExpected: (status: number) => boolean,
      how: Parameters<typeof ask>[1] = {}
    ): Promise<string[]> => {
      const found: string[] = [];
      for (const route of asked) {
        const response = await ask(route, how);
        await response.arrayBuffer();
        if (!isExpected(response.status)) found.push(`${shown(route)}: ${response.status}`);
      }
      return found;
    };

    it('are told by Node-RED itself', () => {
      should(routes.length).be.above(15);
      const known = routes.map(shown);
      should(known).containDeep(['get /telnyx-sidebar/now', 'post /telnyx-sidebar/given-up/retry']);
      should(routes.map(({ method }) => method)).matchEach(/^(get|post)$/);
    });

    it('nobody gets in without a login', async () => {
      should(await others(guarded(), (status) => status === 401)).deepEqual([]);
    });

    it('pages of other sites are refused, whoever is logged in', async () => {
      const headers = { 'sec-fetch-site': 'cross-site' };
      should(await others(routes, (status) => status === 403, { user: 'admin', headers })).deepEqual([]);
    });

    it('forms, which other sites can send, are refused', async () => {
      const writes = guarded().filter(({ method }) => method === 'post');
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      should(await others(writes, (status) => status === 415, { user: 'admin', headers })).deepEqual([]);
    });

    it('a reader reads, and changes nothing', async () => {
      const user = 'reader';
      const reads = guarded().filter(isRead);
      const writes = guarded().filter((route) => !isRead(route));
      should(writes.length).be.above(7);
      should(await others(reads, (status) => status === 200 || status === 400, { user })).deepEqual([]);
      should(await others(writes, (status) => status === 401, { user })).deepEqual([]);
    });

    it('a user without telnyx.read sees no more than the statuses tell', async () => {
      const user = 'guest';
      const open = guarded().filter(({ method, path }) => method === 'get' && FOR_EVERY_USER.includes(path));
      const closed = guarded().filter((route) => !open.includes(route));
      should(open).have.length(FOR_EVERY_USER.length);
      should(await others(open, (status) => status === 200, { user })).deepEqual([]);
      should(await others(closed, (status) => status === 401, { user })).deepEqual([]);
    });

    it('a player needs the ticket of a user, and no token', async () => {
      const json = async (path: string, body: object): Promise<unknown> => {
        const response = await fetch(new URL(path, nodeRed.editorUrl), {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: `Bearer ${tokens['reader']}` },
          body: JSON.stringify(body)
        });
        return response.json();
      };
      const { rows } = (await json('telnyx-sidebar/archive/search', {})) as {
        rows: { id: unknown; kind: string }[];
      };
      const audio = rows.find(({ kind }) => kind === 'audio');
      const { url } = (await json('telnyx-sidebar/archive/ticket', { id: audio?.id, use: 'play' })) as {
        url: string;
      };
      const play = (headers: Record<string, string> = {}, path = url): Promise<Response> =>
        fetch(new URL(path, nodeRed.editorUrl), { headers });
      const part = await play({ range: 'bytes=0-99' });
      should([part.status, (await part.arrayBuffer()).byteLength]).deepEqual([206, 100]);
      should((await play({ 'sec-fetch-site': 'cross-site' })).status).equal(403);
      should((await play({}, url.replace(/[^/]+$/, 'made-up'))).status).equal(404);
    });
  });
}
