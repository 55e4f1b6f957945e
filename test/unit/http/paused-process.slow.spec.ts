import { createServer, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { Child } from '../../support/child-process';
import { until } from '../../support/until';

const PROGRAM = path.join(__dirname, 'pausing-client.ts');
/** Milliseconds that the client waits for the next byte. Long enough to be stopped in time on a busy machine. */
const DEADLINE_MS = 3000;

describe('http: a process that is stopped for a while, as by "docker pause"', function () {
  this.timeout(60_000);
  let server: Server;
  let asked: ServerResponse | undefined;
  let child: Child | undefined;

  beforeEach(async () => {
    asked = undefined;
    server = createServer((_request, response) => (asked = response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(async () => {
    await child?.end('SIGKILL');
    server.close();
    server.closeAllConnections();
  });

  /** Starts the client, and returns the response that it waits for. */
  async function start(): Promise<ServerResponse> {
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/file`;
    child = new Child(PROGRAM, [address, String(DEADLINE_MS)], { nodeArgs: ['--import', 'tsx'] });
    return await until('the request', () => asked, { deadline: 30_000 });
  }

  async function begin(response: ServerResponse): Promise<void> {
    response.writeHead(200, { 'content-length': 10 }).write('12345');
    await child!.waitForOutput(/arrived: 12345/);
  }

  /** Stops the client until its deadline is over; meanwhile the server does something. */
  async function paused(meanwhile: () => void): Promise<void> {
    const { pid } = child!;
    process.kill(pid, 'SIGSTOP');
    await until(
      'its stop',
      () => /^\d+ \(.*\) T/.test(readFileSync(`/proc/${pid}/stat`, 'utf8')) || undefined
    );
    meanwhile();
    // The deadline is real time, of which nothing tells but a clock.
    await new Promise((resolve) => setTimeout(resolve, DEADLINE_MS));
    process.kill(pid, 'SIGCONT');
  }

  it('reads what arrived meanwhile', async () => {
    const response = await start();
    await begin(response);
    await paused(() => response.end('67890'));
    await child!.waitForOutput(/arrived: 1234567890\noutcome: complete/);
  });

  it('sees that the connection ended meanwhile', async () => {
    const response = await start();
    await begin(response);
    await paused(() => response.destroy());
    await child!.waitForOutput(/outcome: TRUNCATED/);
  });

  it('takes the response that arrived meanwhile', async () => {
    const response = await start();
    await paused(() => response.writeHead(200, { 'content-length': 10 }).end('1234567890'));
    await child!.waitForOutput(/arrived: 1234567890\noutcome: complete/);
  });

  it('gives up when nothing arrived', async () => {
    const response = await start();
    await begin(response);
    await paused(() => undefined);
    await child!.waitForOutput(/outcome: STALLED/);
  });
});
