import should from 'should';
import { type AdminRoute, serveRead, serveWrite } from '../../nodes/admin/admin-route';
import type { AdminHandler, NodeRedApi } from '../../nodes/lib/node-red';
import { CodedError } from '../../src/errors/coded-error';
import { until } from '../support/until';

type Served = Record<string, { permission: string; handler: AdminHandler }>;

describe('routes for the editor', () => {
  let served: Served;
  let RED: NodeRedApi;
  const route = (
    run: AdminRoute<object>['run'],
    permission: AdminRoute<object>['permission'] = 'flows.read'
  ) => ({
    path: '/telnyx-sidebar/x',
    permission,
    failed: 'It failed.',
    run
  });

  beforeEach(() => {
    served = {};
    const add =
      (method: string) =>
      (path: string, guard: { permission: string }, handler: AdminHandler): void => {
        served[`${method} ${path}`] = { permission: guard.permission, handler };
      };
    RED = {
      httpAdmin: { get: add('get'), post: add('post') },
      auth: { needsPermission: (permission: string) => ({ permission }) }
    } as unknown as NodeRedApi;
  });

  async function ask(
    name: string,
    request: { query?: unknown; body?: unknown; headers?: object; user?: object } = {}
  ) {
    const answer = { statusCode: 0, headers: {} as Record<string, string>, body: undefined as unknown };
    const response = Object.assign(answer, {
      setHeader: (key: string, value: string) => void (answer.headers[key] = value),
      json: (value: unknown) => void (answer.body = value),
      once: () => undefined
    });
    served[name]!.handler({ headers: {}, ...request } as never, response as never, () => undefined);
    await until('the answer', () => answer.body);
    return answer;
  }
  const json = { 'content-type': 'application/json' };

  it('need the permission they name', () => {
    serveRead(
      RED,
      route(() => ({}), 'telnyx.read')
    );
    serveWrite(
      RED,
      route(() => ({}), 'flows.write')
    );
    should(Object.entries(served).map(([name, { permission }]) => [name, permission])).deepEqual([
      ['get /telnyx-sidebar/x', 'telnyx.read'],
      ['post /telnyx-sidebar/x', 'flows.write']
    ]);
  });

  it('answer with what is read, which no cache keeps', async () => {
    serveRead(
      RED,
      route((asked) => ({ skip: asked.number('skip', { min: 0, max: 9, fallback: 1 }) }))
    );
    const answer = await ask('get /telnyx-sidebar/x', { query: { skip: '7' } });
    should([answer.statusCode, answer.body]).deepEqual([200, { skip: 7 }]);
    should(answer.headers['Cache-Control']).equal('no-store');
    for (const skip of ['10', '-1', '1.5', 'x', '', ['1'], { a: 1 }, undefined])
      should((await ask('get /telnyx-sidebar/x', { query: { skip } })).body).deepEqual({ skip: 1 });
  });

  it('take from a body what it says, and nothing else', async () => {
    serveWrite(
      RED,
      route((asked) => ({ text: asked.text('text', 5), list: asked.texts('list', 2) }))
    );
    const post = async (body: unknown) => (await ask('post /telnyx-sidebar/x', { headers: json, body })).body;
    should(await post({ text: 'abc', list: ['a', 1, 'b'] })).deepEqual({ text: 'abc', list: ['a'] });
    const nothing = { text: '', list: [] };
    for (const body of [
      undefined,
      null,
      'x',
      ['x'],
      {},
      { text: 'abcdef', list: 'a' },
      { text: {}, list: {} }
    ])
      should(await post(body)).deepEqual(nothing);
    should(await post(JSON.parse('{"__proto__": {"text": "x"}}'))).deepEqual(nothing);
  });

  it('change nothing for pages of other sites', async () => {
    let runs = 0;
    const run = (): object => ({ runs: (runs += 1) });
    serveRead(RED, route(run));
    serveWrite(RED, route(run, 'flows.write'));
    const foreign = { 'sec-fetch-site': 'cross-site' };
    should((await ask('get /telnyx-sidebar/x', { headers: foreign })).statusCode).equal(403);
    should((await ask('post /telnyx-sidebar/x', { headers: { ...json, ...foreign } })).statusCode).equal(403);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    should((await ask('post /telnyx-sidebar/x', { headers: form, body: {} })).statusCode).equal(415);
    should((await ask('post /telnyx-sidebar/x', { headers: {} })).statusCode).equal(415);
    should(runs).equal(0);
    const own = { ...json, 'sec-fetch-site': 'same-origin' };
    should((await ask('post /telnyx-sidebar/x', { headers: own, body: {} })).statusCode).equal(200);
  });

  it('answer few requests at once, and refuse those of the user who asks for most', async () => {
    const ends: (() => void)[] = [];
    const running = (): Promise<object> => new Promise((resolve) => ends.push(() => resolve({})));
    serveRead(RED, route(running));
    const by = (username: string) => ask('get /telnyx-sidebar/x', { user: { username } });
    const answers = Array.from({ length: 200 }, () => by('many'));
    const refused = await answers.at(-1)!;
    should([refused.statusCode, (refused.body as { code: string }).code]).deepEqual([429, 'BUSY']);
    await until('three', () => (ends.length === 3 ? true : undefined));
    // One place is left for others.
    const one = by('one');
    await until('the fourth', () => (ends.length === 4 ? true : undefined));
    const two = by('one');
    ends[3]!();
    should((await one).statusCode).equal(200);
    await until('the next of the same user', () => (ends.length === 5 ? true : undefined));
    ends[4]!();
    should((await two).statusCode).equal(200);
    for (let next = 0; next < ends.length; next += 1) {
      ends[next]!();
      await new Promise((resolve) => setImmediate(resolve));
      await new Promise((resolve) => setImmediate(resolve));
    }
    const codes = (await Promise.all(answers)).map(({ statusCode }) => statusCode);
    // Three ran, and of the hundred that waited one made room for the other user's second.
    should(codes.filter((code) => code === 200)).have.length(102);
    should(codes.filter((code) => code === 429)).have.length(98);
  });

  it('say what went wrong, and nothing of an error of our own', async () => {
    serveRead(
      RED,
      route(() => Promise.reject(new CodedError('BAD_SETTING', 'Do this.')))
    );
    serveWrite(
      RED,
      route(() => {
        throw new Error('secret');
      }, 'flows.write')
    );
    const known = await ask('get /telnyx-sidebar/x');
    should([known.statusCode, known.body]).deepEqual([400, { error: 'Do this.', code: 'BAD_SETTING' }]);
    const unknown = await ask('post /telnyx-sidebar/x', { headers: json, body: {} });
    should([unknown.statusCode, unknown.body]).deepEqual([500, { error: 'It failed.', code: 'UNEXPECTED' }]);
  });
});
