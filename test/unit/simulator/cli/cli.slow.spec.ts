import { spawn } from 'node:child_process';
import { createHmac, createPublicKey, verify } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { readCommand } from '../../../../src/simulator/cli/cli-options';
import { Child } from '../../../support/child-process';
import { freePort } from '../../../support/free-port';
import { until } from '../../../support/until';

const CLI = path.resolve(__dirname, '../../../../src/simulator/cli/cli.ts');
const COLLECT_GARBAGE = path.resolve(__dirname, '../../../support/collect-garbage.cjs');

/** Runs the command as a process, against a small receiver. */
describe('telnyx-simulator', function () {
  this.timeout(60_000);
  let folder: string;
  let server: Server;
  let to: string;
  let received: { body: string; genuine: boolean }[];
  /** `fetches`: how many recordings the flow still fetches. */
  let answer: { status: number; fetches: number };
  let publicKey = '';
  let secret = '';
  const children: Child[] = [];

  before(async () => {
    folder = mkdtempSync(path.join(tmpdir(), 'telnyx-cli-'));
    server = createServer((request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        const body = Buffer.concat(pieces);
        const timestamp = String(request.headers['telnyx-timestamp']);
        const signature = Buffer.from(String(request.headers['telnyx-signature-ed25519']), 'base64');
        const signed = Buffer.concat([Buffer.from(`${timestamp}|`), body]);
        const daily = String(request.headers['x-webhook-timestamp']);
        const hmac = createHmac('sha256', Buffer.from(secret, 'base64')).update(`${daily}.`).update(body);
        const genuine =
          request.headers['x-webhook-signature'] === undefined
            ? verify(null, signed, nodeKey(publicKey), signature)
            : hmac.digest('base64') === request.headers['x-webhook-signature'];
        received.push({ body: body.toString(), genuine });
        response.writeHead(answer.status).end();
        if (answer.fetches-- > 0) void fetchRecording(body.toString());
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    to = `http://127.0.0.1:${(server.address() as AddressInfo).port}/telnyx`;
    publicKey = (await run('key')).output.trim();
  });
  after(async () => {
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => {
    received = [];
    answer = { status: 200, fetches: 0 };
  });
  afterEach(() => Promise.all(children.splice(0).map((child) => child.end('SIGKILL'))));

  function start(...args: string[]): Child {
    return startWith([], ...args);
  }

  function startWith(nodeArgs: string[], ...args: string[]): Child {
    const keyFile = path.join(folder, 'key.json');
    const options = { nodeArgs: ['--import', 'tsx', ...nodeArgs] };
    const child = new Child(CLI, [...args, '--key-file', keyFile], options);
    children.push(child);
    return child;
  }

  async function run(...args: string[]): Promise<Child> {
    const child = start(...args);
    await until('the end of the command', () => (child.alive ? undefined : true), { deadline: 30_000 });
    return child;
  }

  it('prints the same key every time', async () => {
    should(publicKey).match(/^[A-Za-z0-9+/]{43}=$/);
    should((await run('key')).output.trim()).equal(publicKey);
  });

  it('sends one call recording by default, signed with the printed key', async () => {
    const child = await run('send', '--to', to, '--linger', '0');
    should(child.exitCode).equal(0);
    should(child.output).match(/^call\.recording\.saved: answered 200 in \d+ ms$/m);
    should(received.map(({ genuine }) => genuine)).deepEqual([true]);
  });

  it('sends all samples, several times', async () => {
    const child = await run('send', '--to', to, '--all', '--count', '2', '--linger', '0');
    should(child.exitCode).equal(0);
    const listed = (await run('--list', '--provider', 'telnyx')).output.trim().split('\n').length;
    should(received.length).equal(2 * listed);
    should(new Set(received.map(({ body }) => body)).size).equal(2 * listed);
    should(received.every(({ genuine }) => genuine)).be.true();
  });

  it('serves recordings until the flow has fetched them, then ends', async () => {
    answer.fetches = 1;
    const child = await run('send', '--to', to, '--event', 'conference.recording.saved');
    should(child.exitCode).equal(0);
    should(child.output).containEql('The flow fetched 1 of 1 recording.');
  });

  it('reports that nothing was fetched', async () => {
    const child = await run('send', '--to', to, '--linger', '1');
    should(child.exitCode).equal(3);
    should(child.output).containEql('fetched 0 of 1 recording.\nLook at the recording download node');
    should(child.output).containEql('"Addresses"');
  });

  it('ends on time when nothing is fetched, even under garbage collection', async () => {
    const collecting = ['--expose-gc', '--require', COLLECT_GARBAGE];
    const child = startWith(collecting, 'send', '--to', to, '--linger', '2');
    await until('the end of the command', () => (child.alive ? undefined : true), { deadline: 30_000 });
    should(child.exitCode).equal(3);
    should(child.output).match(/fetched 0 of 1 recording\./);
  });

  it('reports that only some recordings were fetched', async () => {
    answer.fetches = 1;
    const child = await run('send', '--to', to, '--count', '2', '--linger', '2');
    should(child.exitCode).equal(3);
    should(child.output).containEql('fetched 1 of 2 recordings.').and.containEql('--linger');
  });

  it('fails with advice when a delivery is rejected', async () => {
    answer.status = 401;
    const child = await run('send', '--to', to, '--event', 'call.hangup');
    should(child.exitCode).equal(1);
    should(child.output).match(/answered 401 .*is the key .* in the account/);
  });

  it('says what to check when the node cannot verify, or no server is there', async () => {
    answer.status = 503;
    const child = await run('send', '--to', to, '--event', 'call.hangup');
    should(child.output).containEql('answered 503').and.containEql('look at the status of the webhook node');
    const nobody = await run('send', '--to', 'http://127.0.0.1:1/', '--event', 'call.hangup');
    should([child.exitCode, nobody.exitCode]).deepEqual([1, 1]);
    should(nobody.output).containEql('no answer (').and.containEql('does Node-RED run');
  });

  it('serves the API until stopped', async () => {
    const child = start('serve', '--recordings', '3');
    const [, api = ''] = await child.waitForOutput(/API address +(\S+)/);
    const [, key = ''] = await child.waitForOutput(/API key +(\S+)/);
    await child.waitForOutput(/Ctrl-C/);
    const response = await fetch(`${api}/recordings`, { headers: { authorization: `Bearer ${key}` } });
    should(((await response.json()) as { data: unknown[] }).data.length).equal(3);
    await child.end('SIGTERM');
    should(child.exitCode).equal(0);
  });

  it('also simulates Daily: secret, API and a recording that the flow requests', async () => {
    const printed = (await run('key', '--provider', 'daily')).output;
    const [, key = ''] = /^API key +(\w{64})$/m.exec(printed) ?? [];
    secret = /^Webhook secret +(\S{44})$/m.exec(printed)?.[1] ?? '';
    should(printed).match(/^API address +http:\/\/127\.0\.0\.1:8791\/v1$/m);
    const port = String(await freePort());
    const child = start('send', '--to', to, '--event', 'recording.ready-to-download', '--port', port);
    await child.waitForOutput(/^recording\.ready-to-download: answered 200/m);
    should(received.map(({ genuine }) => genuine)).deepEqual([true]);
    const { payload } = JSON.parse(received[0]?.body ?? '') as { payload: { recording_id: string } };
    const link = await fetch(`http://127.0.0.1:${port}/v1/recordings/${payload.recording_id}/access-link`, {
      headers: { authorization: `Bearer ${key}` }
    });
    const { download_link } = (await link.json()) as { download_link: string };
    await (await fetch(download_link)).arrayBuffer();
    await child.waitForOutput(/The flow fetched 1 of 1 recording\./);
    await until('the end of the command', () => (child.alive ? undefined : true));
    should(child.exitCode).equal(0);
  });

  it('serves the API of Daily', async () => {
    const child = start('serve', '--provider', 'daily', '--recordings', '3', '--port', '0');
    const [, api = ''] = await child.waitForOutput(/API address +(\S+)/);
    const [, key = ''] = await child.waitForOutput(/API key +(\S+)/);
    const response = await fetch(`${api}/recordings`, { headers: { authorization: `Bearer ${key}` } });
    should(await response.json()).have.property('total_count', 3);
  });

  it('lists the events of one provider or of both', async () => {
    const [all, daily] = [await run('--list'), await run('--list', '--provider', 'daily')];
    should(all.output).containEql('call.hangup').and.containEql('participant.joined');
    should(daily.output).containEql('participant.joined').and.not.containEql('call.hangup');
  });

  it('shows help', async () => {
    const child = await run('--help');
    should(child.exitCode).equal(0);
    for (const word of ['send', 'key', 'serve', '--to', '--linger']) should(child.output).containEql(word);
  });

  it('ends silently when the reader of its output is gone', async () => {
    const key = path.join(folder, 'key.json');
    const child = spawn(process.execPath, ['--import', 'tsx', CLI, 'serve', '--key-file', key]);
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    child.stdout.destroy();
    await once(child, 'close');
    should(errors).equal('');
  });

  const mistakes: [args: string[], message: RegExp][] = [
    [[], /one of the commands key, send and serve/],
    [['post'], /no command "post"/],
    [['send'], /needs --to/],
    [['send', '--to', 'ftp://example.com'], /begins with http/],
    [['send', '--to', 'http://127.0.0.1:1', '--event', 'x'], /no sample of "x".*call\.hangup/],
    [['send', '--to', 'http://127.0.0.1:1', '--count', '1.5'], /--count needs a whole number from 1/],
    [['send', '--loud'], /--loud/]
  ];
  for (const [args, message] of mistakes) {
    it(`explains what is wrong with: ${args.join(' ') || 'no arguments'}`, () => {
      should(() => readCommand(args)).throw(message);
    });
  }

  it('exits with 2 and points to the help for wrong arguments', async () => {
    const child = await run('post');
    should(child.exitCode).equal(2);
    should(child.output).match(/no command "post"[\s\S]*telnyx-simulator --help/);
  });
});

async function fetchRecording(body: string): Promise<void> {
  const url = /http:[^"]+X-Amz-Signature=[0-9a-f]+/.exec(body)?.[0];
  if (url !== undefined) await (await fetch(url)).arrayBuffer();
}

function nodeKey(publicKey: string) {
  const x = Buffer.from(publicKey, 'base64').toString('base64url');
  return createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } });
}
