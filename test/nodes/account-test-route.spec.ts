import type { ServerResponse } from 'node:http';
import should from 'should';
import { serveDailyAccountTest, serveTelnyxAccountTest } from '../../nodes/config/dialog/account-test-route';
import type { TestFinding } from '../../nodes/config/dialog/test-finding';
import type { AdminHandler, NodeRedApi } from '../../nodes/lib/node-red';
import { LocalServer } from '../../src/simulator/local-server';
import { DailyStandIn } from '../../src/simulator/daily/daily-stand-in';
import { TelnyxStandIn } from '../../src/simulator/stand-in';
import { inEnglish } from '../support/in-english';
import { until } from '../support/until';

describe('the route behind the Test button of an account', () => {
  let handlers: AdminHandler[] = [];
  let permission = '';

  function serve(register: (RED: NodeRedApi) => void): void {
    register({
      nodes: { getNode: () => null },
      httpAdmin: { post: (_path: string, ...given: AdminHandler[]) => (handlers = given) },
      auth: {
        needsPermission: (needed: string) => {
          permission = needed;
          return () => undefined;
        }
      },
      util: {}
    } as unknown as NodeRedApi);
  }

  async function ask(
    body: object,
    headers: object = { 'content-type': 'application/json' }
  ): Promise<{ status: number; findings: TestFinding[]; text: string }> {
    const response = { statusCode: 0, body: undefined as unknown };
    const json = (value: unknown): void => void (response.body = value);
    handlers.at(-1)!(
      { body, headers } as never,
      Object.assign(response, { json }) as unknown as ServerResponse & { json(value: unknown): void },
      () => undefined
    );
    const answer = await until('the answer', () => response.body as { findings?: TestFinding[] } | undefined);
    return { status: response.statusCode, findings: answer.findings ?? [], text: JSON.stringify(answer) };
  }

  const results = (findings: readonly TestFinding[]): string[] => findings.map(({ result }) => result);

  it('says that Telnyx accepts a key, and shows neither key nor stranger anything', async () => {
    const telnyx = new TelnyxStandIn();
    await telnyx.start();
    serve(serveTelnyxAccountTest);
    should(permission).equal('flows.write');
    const foreign = await ask({}, { 'content-type': 'application/json', 'sec-fetch-site': 'cross-site' });
    should(foreign.status).equal(403);
    should((await ask({}, { 'content-type': 'text/plain' })).status).equal(415);
    const { findings, text } = await ask({ apiUrl: telnyx.apiUrl, apiKey: telnyx.apiKey });
    should(results(findings)).eql(['ok', 'ok']);
    should(text).not.containEql(telnyx.apiKey);
    await telnyx.stop();
  });

  it('explains a key that is not accepted, once', async () => {
    const telnyx = new TelnyxStandIn();
    await telnyx.start();
    serve(serveTelnyxAccountTest);
    const { findings, text } = await ask({ apiUrl: telnyx.apiUrl, apiKey: 'KEYwrong-and-secret' });
    should(results(findings)).eql(['failed']);
    should(text)
      .match(/401.*does not accept the key/)
      .and.not.match(/KEYwrong/);
    await telnyx.stop();
  });

  it('tells a missing permission from a wrong key', async () => {
    const server = new LocalServer({}, (request, _url, response) => {
      const isKey = request.url?.startsWith('/v2/public_key') === true;
      response.writeHead(isKey ? 200 : 403, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify(
          isKey
            ? { data: { public: Buffer.alloc(32, 9).toString('base64') } }
            : { errors: [{ code: '10010' }] }
        )
      );
    });
    await server.start();
    serve(serveTelnyxAccountTest);
    const { findings } = await ask({ apiUrl: `${server.url}/v2`, apiKey: 'KEYmade-up' });
    should(findings.at(-1)).containEql({ result: 'warning' });
    should(inEnglish(findings.at(-1)!.said)).match(/^The key is valid, but it may not list recordings/);
    await server.stop();
  });

  it('asks nothing without a key, and Daily with one', async () => {
    const daily = new DailyStandIn();
    await daily.start();
    serve(serveDailyAccountTest);
    const without = await ask({ apiUrl: daily.apiUrl, apiKey: '' });
    should(inEnglish(without.findings[0]!.said)).match(/There is no API key/);
    serve(serveDailyAccountTest);
    const { findings } = await ask({ apiUrl: daily.apiUrl, apiKey: daily.apiKey });
    should(results(findings)).eql(['ok', 'ok']);
    await daily.stop();
  });
});
