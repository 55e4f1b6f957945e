import type { ServerResponse } from 'node:http';
import { inspect } from 'node:util';
import should from 'should';
import { CodedError } from '../../../../src/errors/coded-error';
import { idSegment } from '../../../../src/providers/http/api-address';
import { CircuitBreakers } from '../../../../src/providers/http/circuit-breaker';
import type { ApiRequest } from '../../../../src/providers/http/json-api';
import { TelnyxApi } from '../../../../src/providers/telnyx/api-client';
import { THREE_HOURS_MS, withClockSet } from '../../../support/clock-set';
import { until } from '../../../support/until';
import { API_KEY, ApiServer, never } from './api-server';

const LINE = 'GET /v2/recordings/rec-1';
const ASK: ApiRequest = { method: 'GET', path: ['recordings', 'rec-1'], signal: never };

async function faultOf(work: Promise<unknown>): Promise<CodedError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason
  );
  if (!(error instanceof CodedError)) throw new Error(`No CodedError: ${String(error)}`);
  return error;
}

describe('api-client', () => {
  let server: ApiServer;

  beforeEach(async () => {
    server = await ApiServer.start();
  });
  afterEach(async () => {
    await server.stop();
  });

  it('sends the key and the query, and returns the JSON', async () => {
    server.json(LINE, { data: { id: 'rec-1' } });
    const query = { 'filter[call_leg_id]': 'a&b=c', 'page[size]': '250' };
    should(await server.client().request({ ...ASK, query })).eql({ data: { id: 'rec-1' } });
    server.seen[0]!.authorization!.should.equal(`Bearer ${API_KEY}`);
    [...server.seen[0]!.query].should.eql(Object.entries(query));
  });

  it('returns null for a response without a body, such as that of a DELETE', async () => {
    server.status('DELETE /v2/recordings/rec-1', 204);
    should(await server.client().request({ ...ASK, method: 'DELETE' })).be.null();
  });

  it('keeps the path of the API address, with or without a trailing slash', async () => {
    for (const base of ['', '/', '/v2', '/proxy/v2/']) {
      const line = `GET ${base.replace(/\/$/, '')}/recordings/rec-1`;
      server.json(line, { data: {} });
      await server.client({ apiUrl: server.origin + base }).request(ASK);
      server.lines.at(-1)!.should.equal(line);
    }
  });

  describe('refusals', () => {
    const table: [number, string, boolean][] = [
      [400, 'LINK_REFUSED', false],
      [401, 'API_UNAUTHORIZED', false],
      [403, 'API_UNAUTHORIZED', false],
      [404, 'API_NOT_FOUND', false],
      [408, 'LINK_REFUSED', true],
      [409, 'LINK_REFUSED', true],
      [410, 'API_NOT_FOUND', false],
      [422, 'LINK_REFUSED', false],
      [425, 'LINK_REFUSED', true],
      [429, 'RATE_LIMITED', true],
      [500, 'LINK_REFUSED', true],
      [502, 'LINK_REFUSED', true],
      [503, 'LINK_REFUSED', true],
      [504, 'LINK_REFUSED', true]
    ];
    for (const [status, code, retryable] of table) {
      it(`maps ${status} to ${code}${retryable ? ', worth another attempt' : ''}`, async () => {
        server.json(LINE, { errors: [{ code: '10007', title: 'Something is wrong' }] }, status);
        const fault = await faultOf(server.client().request(ASK));
        [fault.code, fault.retryable].should.eql([code, retryable]);
        fault.message.should.containEql(String(status)).and.containEql('10007 Something is wrong');
      });
    }

    it('waits as long as the headers of a 429 or 503 request', async () => {
      const headers: [Record<string, string>, number][] = [
        [{ 'retry-after': '7' }, 7000],
        [{ 'retry-after-ms': '1500', 'retry-after': '9' }, 1500],
        [{ 'x-ratelimit-reset': '12' }, 12_000]
      ];
      for (const [sent, wait] of headers)
        for (const status of [429, 503]) {
          const line = `GET /v2/recordings/${status}-${wait}`;
          server.json(line, {}, status, sent);
          const path = ['recordings', `${status}-${wait}`];
          const fault = await faultOf(server.client().request({ ...ASK, path }));
          should(fault.retryAfterMs).equal(wait);
        }
    });

    it('sends nothing before the time that a 429 names, for at most a minute', async () => {
      let now = 0;
      const api = server.client({ monotonic: () => now });
      server.json(LINE, {}, 429, { 'x-ratelimit-reset': '3000' }).json(LINE, { data: 1 });
      await faultOf(api.request(ASK));
      now += 59_000;
      const held = await faultOf(api.request(ASK));
      [held.code, held.retryable, held.retryAfterMs].should.eql(['RATE_LIMITED', true, 1000]);
      server.seen.should.have.length(1);
      now += 1000;
      should(await api.request(ASK)).eql({ data: 1 });
    });

    it('uses the status when the code is a property of every object', async () => {
      for (const code of ['constructor', 'toString', '__proto__']) {
        server.json(LINE, { errors: [{ code }] }, 404);
        (await faultOf(server.client().request(ASK))).code.should.equal('API_NOT_FOUND');
      }
    });

    for (const byMs of [-THREE_HOURS_MS, THREE_HOURS_MS]) {
      it(`is silent for the same time when the clock moves by ${byMs / 3_600_000} hours`, async () => {
        const api = server.client();
        server.json(LINE, {}, 429, { 'retry-after-ms': '1500' }).json(LINE, { data: 1 });
        await faultOf(api.request(ASK));
        await withClockSet(byMs, async () => {
          const held = await faultOf(api.request(ASK));
          should(held.retryAfterMs).be.within(1, 1500);
          const asked = await until('the end of the silence', () => api.request(ASK).catch(() => undefined));
          should(asked).eql({ data: 1 });
        });
      });
    }

    it('retries what is still being processed, whatever its status', async () => {
      server.json(LINE, { errors: [{ code: '10036', title: 'Still processing' }] }, 422);
      (await faultOf(server.client().request(ASK))).retryable.should.be.true();
    });

    it('does not take the page of a proxy for a response of the API', async () => {
      server.on(LINE, (response) => response.end('<html>Sign in</html>'));
      const fault = await faultOf(server.client().request(ASK));
      [fault.code, fault.retryable].should.eql(['LINK_REFUSED', true]);
      fault.message.should.containEql('not JSON');
    });

    it('reads no more of a response than the limit', async () => {
      let sent = 0;
      server.on(LINE, (response) => {
        const more = (): void => {
          while (!response.destroyed && sent < 64 * 1024 * 1024) {
            sent += 65_536;
            if (!response.write(Buffer.alloc(65_536, 0x20))) break;
          }
        };
        response.on('drain', more);
        more();
      });
      const fault = await faultOf(server.client({ maxBody: 100_000 }).request(ASK));
      fault.message.should.containEql('100000 bytes');
      sent.should.be.below(32 * 1024 * 1024);
    });
  });

  describe('faults of the connection', () => {
    it('uses the status of an error response that is too long or breaks off', async () => {
      const endings: ((response: ServerResponse) => void)[] = [
        (response) => response.end(JSON.stringify({ errors: [{ title: 'x'.repeat(100_000) }] })),
        (response) => response.write('{"errors":[', () => response.destroy())
      ];
      for (const [index, end] of endings.entries()) {
        const path = ['recordings', `broken-${index}`];
        server.on(`GET /v2/${path.join('/')}`, (response) => end(response.writeHead(404)));
        const fault = await faultOf(server.client().request({ ...ASK, path }));
        [fault.code, fault.retryable].should.eql(['API_NOT_FOUND', false]);
      }
    });

    it('is explained when the server is not an API', async () => {
      const heads = [
        ['HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n', /101/],
        ['HTTP/1.1 000 None\r\nContent-Length: 2\r\n\r\n{}', /000/],
        [
          'HTTP/1.1 200 OK\r\nContent-Type: a/b\r\nContent-Type: c/d\r\nContent-Length: 2\r\n\r\n{}',
          /content-type/
        ],
        ['SSH-2.0-OpenSSH\r\n', /not HTTP/]
      ] as const;
      for (const [index, [head, text]] of heads.entries()) {
        const path = ['recordings', `head-${index}`];
        server.on(`GET /v2/${path.join('/')}`, ({ socket }) => socket?.end(head));
        const fault = await faultOf(server.client().request({ ...ASK, path }));
        [fault.code, fault.retryable].should.eql(['LINK_REFUSED', true]);
        fault.message.should.match(text).and.match(/^GET \/recordings\/head-\d at 127/);
      }
    });

    it('does not wait forever for a response that is announced again and again', async () => {
      server.on(LINE, (response) => {
        const timer = setInterval(() => response.writeProcessing(), 50);
        response.on('close', () => clearInterval(timer));
      });
      const fault = await faultOf(server.client({ timeoutMs: 300 }).request(ASK));
      [fault.code, fault.retryable].should.eql(['STALLED', true]);
    });

    it('gives up on a server that is silent, or stops in the middle', async () => {
      server.on(LINE, () => undefined);
      const path = ['recordings', 'half'];
      server.on('GET /v2/recordings/half', (response) => void response.write('{"data":'));
      const api = server.client({ timeoutMs: 150 });
      for (const request of [ASK, { ...ASK, path }]) {
        const fault = await faultOf(api.request(request));
        [fault.code, fault.retryable].should.eql(['STALLED', true]);
      }
    });

    it('sends an unresponsive API only requests that cannot wait', async () => {
      server.on(LINE, () => undefined);
      const breakers = new CircuitBreakers();
      const api = server.client({ timeoutMs: 100, breakers });
      const optional = { ...ASK, optional: true };
      await Promise.all([1, 2, 3].map(() => faultOf(api.request(optional))));
      server.seen.should.have.length(3);
      const begun = performance.now();
      // Another node with the same account.
      const other = server.client({ timeoutMs: 100, breakers });
      for (let count = 0; count < 50; count += 1) {
        const fault = await faultOf(other.request(optional));
        [fault.code, fault.retryable].should.eql(['STALLED', true]);
        should(fault.retryAfterMs).be.within(1, 5000);
      }
      // Asked, it would take 50 times the timeout.
      should(performance.now() - begun).be.below(4000);
      server.seen.should.have.length(3);
      (await faultOf(other.request(ASK))).code.should.equal('STALLED');
      server.seen.should.have.length(4);
      // Any response ends it.
      server.json('GET /v2/recordings/rec-2', { data: 2 });
      await other.request({ ...ASK, path: ['recordings', 'rec-2'] });
      should(await api.optional.request({ ...ASK, path: ['recordings', 'rec-2'] })).eql({ data: 2 });
    });

    it('counts an error response as a response, and a closed client as nothing', async () => {
      const breakers = new CircuitBreakers();
      const api = server.client({ breakers });
      server.json(LINE, {}, 500);
      const optional = { ...ASK, optional: true };
      for (let count = 0; count < 5; count += 1)
        (await faultOf(api.request(optional))).code.should.equal('LINK_REFUSED');
      server.on('GET /v2/recordings/slow', () => undefined);
      const asked = Array.from({ length: 5 }, () =>
        faultOf(api.request({ ...optional, path: ['recordings', 'slow'] }))
      );
      await until('the requests', () => (server.seen.length === 10 ? true : undefined));
      await api.close();
      await Promise.all(asked);
      (await faultOf(server.client({ breakers }).request(optional))).code.should.equal('LINK_REFUSED');
    });

    it('distinguishes a broken connection and a missing server by their cause', async () => {
      server.on(LINE, (response) => response.destroy());
      const broken = await faultOf(server.client().request(ASK));
      [broken.code, broken.retryable].should.eql(['LINK_REFUSED', true]);
      const gone = await ApiServer.start();
      const api = server.client({ apiUrl: gone.apiUrl });
      await gone.stop();
      const fault = await faultOf(api.request(ASK));
      [fault.code, fault.retryable].should.eql(['LINK_REFUSED', true]);
      fault.message.should.containEql('ECONNREFUSED');
    });

    it('fails with the reason of the abort, before and during a request', async () => {
      const reason = new Error('closing');
      const api = server.client();
      await api.request({ ...ASK, signal: AbortSignal.abort(reason) }).should.be.rejectedWith(reason);
      server.seen.should.be.empty();
      const abort = new AbortController();
      server.on(LINE, () => abort.abort(reason));
      await api.request({ ...ASK, signal: abort.signal }).should.be.rejectedWith(reason);
    });
  });

  describe('the key', () => {
    it('does not follow a redirect, neither to another host nor to the same', async () => {
      const stranger = await ApiServer.start();
      try {
        for (const status of [301, 302, 303, 307, 308])
          for (const location of [`${stranger.origin}/v2/recordings/rec-1`, '/v2/elsewhere']) {
            const id = `r${status}${location.length}`;
            server.status(`GET /v2/recordings/${id}`, status, { location });
            const path = ['recordings', id];
            const fault = await faultOf(server.client().request({ ...ASK, path }));
            [fault.code, fault.retryable].should.eql(['LINK_REFUSED', false]);
            fault.message.should.containEql('redirect').and.not.containEql(location);
          }
        stranger.seen.should.be.empty();
        server.lines.should.not.containEql('GET /v2/elsewhere');
      } finally {
        await stranger.stop();
      }
    });

    it('appears in no error, even when the server echoes it', async () => {
      const signed = 'https://media.example.com/x.mp3?X-Amz-Signature=abc';
      for (const [title, detail] of [
        [API_KEY, `Bearer ${API_KEY}`],
        [`Invalid key ${API_KEY}`, signed],
        [signed, signed]
      ])
        for (const status of [401, 422, 500]) {
          const id = `${status}${title?.length ?? 0}`;
          const errors = [{ code: API_KEY, title, detail, meta: { url: signed } }];
          server.json(`GET /v2/recordings/${id}`, { errors }, status);
          const query = { token: 'query-secret' };
          const request = { ...ASK, path: ['recordings', id], query };
          const text = inspect(await faultOf(server.client().request(request)), { depth: 9 });
          text.should.not.containEql(API_KEY).and.not.containEql('X-Amz').and.not.containEql('query-secret');
        }
    });

    it('is read each time, and its absence gives advice', async () => {
      let key: string | null = null;
      const api = server.client({ apiKey: () => key });
      server.json(LINE, { data: 1 });
      api.hasKey.should.be.false();
      (await faultOf(api.request(ASK))).code.should.equal('API_UNAUTHORIZED');
      key = 'KEY with\r\nX-Injected: yes';
      const fault = await faultOf(api.request(ASK));
      fault.code.should.equal('API_UNAUTHORIZED');
      fault.message.should.not.containEql('Injected');
      server.seen.should.be.empty();
      key = 'KEY2';
      await api.request(ASK);
      server.seen[0]!.authorization!.should.equal('Bearer KEY2');
    });
  });

  it('rejects an invalid API address', () => {
    for (const apiUrl of [
      'api.telnyx.com/v2',
      'ftp://api.example.com',
      'https://user:word@api.example.com/v2',
      'https://api.example.com/v2?key=1',
      'https://api.example.com/v2#x',
      ''
    ])
      should(() => new TelnyxApi({ apiUrl, apiKey: () => API_KEY })).throw({ code: 'BAD_SETTING' });
  });

  describe('ids in paths', () => {
    it('accepts and encodes the ids that Telnyx creates', () => {
      for (const id of ['7c8f911e-6ebf-179f-8d9b-e67a791240b5', 'RS0123456789abcdef', 'rec_1~a.b'])
        idSegment(id).should.equal(id);
      idSegment('v3:a=b c').should.equal('v3%3Aa%3Db%20c');
      idSegment('é…').should.equal('%C3%A9%E2%80%A6');
    });

    it('rejects anything that could reach another endpoint', () => {
      const hostile = [
        ...['', '.', '..', '...', '../faxes', 'rec-1/../../phone_numbers', '..\\faxes', 'a/b', '/'],
        ...['rec-1?x=1', 'rec-1#x', 'rec-1;x', '%2e%2e', '..%2ffaxes', '%2E%2E%2Ffaxes', 'a%00b'],
        ...['a\u0000b', 'a\nb', 'a\r\nHost: x', '\u007f', '\u0085', '\ud800', 'a'.repeat(257)]
      ];
      for (const id of hostile) should(() => idSegment(id)).throw({ code: 'NO_RECORDING' });
      try {
        idSegment('../a\u0007b');
      } catch (error) {
        (error as Error).message.should.containEql('../a').and.not.containEql('\u0007');
      }
    });
  });
});
