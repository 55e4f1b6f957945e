import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { DAILY, idInLink, TELNYX_WITH_KEY } from '../support/archive-source';
import { certificate } from '../support/certificate';
import { catchAll, node } from '../support/flows';
import { type LocalServer, localServer, sha256 } from '../support/media';
import type { RecordedMessage } from '../support/node-red-process';
import { type Address, requireAddress, requireProgram } from '../support/real-parts';
import { redirect, whole } from '../support/source-answers';
import { until } from '../support/until';
import { WebhookInstance } from '../support/webhook-instance';

/** Of AS112, a service that answers DNS queries about private addresses: public, and without recordings. */
const PUBLIC = '192.31.196.1';

/** A server and its number of connections. */
class CountingServer {
  connections = 0;
  readonly #sockets = new Set<Socket>();

  constructor(private readonly server: Server) {
    server.on('connection', (socket: Socket) => {
      this.connections += 1;
      this.#sockets.add(socket);
      socket.on('error', () => undefined).on('close', () => this.#sockets.delete(socket));
    });
  }

  /** @param host default: every address of this machine */
  async listen(host?: string): Promise<number> {
    this.server.listen({ port: 0, ...(host !== undefined && { host }) });
    await once(this.server, 'listening');
    return (this.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }
}

for (const source of [TELNYX_WITH_KEY, DAILY]) {
  describe(`recordings of ${source.provider} from public https addresses only`, function () {
    this.timeout(60_000);
    const { ext, contentType } = source;
    const file = { bytes: source.file({ size: 100_000, seed: 5 }), contentType, etag: '"file"' };
    const directory = mkdtempSync(path.join(tmpdir(), 'telnyx-public-'));
    /** The target of links that are not private themselves. */
    const targets = new Map<string, string>();
    let address: Address | undefined;
    let inner: CountingServer;
    let plain: CountingServer;
    let storage: CountingServer;
    let api: LocalServer;
    let instance: WebhookInstance;
    let origin: string;

    before(async function () {
      const pair = certificate(requireProgram(this, 'openssl'), `IP:${PUBLIC}`);
      address = requireAddress(this, PUBLIC);
      const trusted = path.join(directory, 'cert.pem');
      writeFileSync(trusted, pair.cert);
      inner = new CountingServer(createTcpServer((socket) => socket.destroy()));
      plain = new CountingServer(createHttpServer(whole(file)));
      storage = new CountingServer(
        createHttpsServer(pair, (request, response) => {
          const target = targets.get(idInLink(request));
          (target === undefined ? whole(file) : redirect(target))(request, response);
        })
      );
      const innerPort = await inner.listen();
      const plainPort = await plain.listen(PUBLIC);
      origin = `https://${PUBLIC}:${await storage.listen(PUBLIC)}`;
      const query = '?X-Amz-Signature=secret';
      for (const [id, target] of [
        ['to-metadata', 'http://169.254.169.254/latest/meta-data/'],
        ['to-metadata-by-https', 'https://169.254.169.254/latest/meta-data/'],
        ['to-loopback', `https://127.0.0.1:${innerPort}/${query}`],
        ['to-loopback-by-number', `https://2130706433:${innerPort}/${query}`],
        ['to-loopback-by-name', `https://localhost:${innerPort}/${query}`],
        ['to-loopback-6', `https://[::1]:${innerPort}/${query}`],
        ['to-loopback-mapped', `https://[::ffff:127.0.0.1]:${innerPort}/${query}`],
        ['to-private', `https://10.0.0.1/${query}`],
        ['to-plain-http', `http://${PUBLIC}:${plainPort}/${query}`],
        ['moved', `${origin}/elsewhere.${ext}${query}`]
      ] as const)
        targets.set(id, target);

      api = await localServer((request, response) => {
        source.answerApi(request, response, origin);
      });
      const download = node('archive', 'telnyx-recording-download', {
        ...source.download,
        destination: 'folder',
        folder: 'archive',
        filename: '{{recording_id}}.{{ext}}',
        sidecar: true,
        network: 'public-https',
        answer: 'queued',
        wires: [['seen']]
      });
      instance = await WebhookInstance.start({
        flow: [...source.nodes(api.url, ['archive']), download, ...catchAll()],
        env: { NODE_EXTRA_CA_CERTS: trusted }
      });
    });
    after(async () => {
      rmSync(directory, { recursive: true });
      if (address === undefined) return;
      address.remove();
      await instance.stop();
      await Promise.all([inner, plain, storage, api].map((server) => server.close()));
    });

    const outcome = async (id: string, where?: string): Promise<RecordedMessage> => {
      should((await instance.deliver(source.delivery({ id, storage: origin }), source.path)).status).equal(
        200
      );
      return until(`what became of ${id}`, () =>
        instance.nodeRed.recorded(where).find(({ event }) => event?.['id'] === `event of ${id}`)
      );
    };

    for (const id of ['straight', 'moved']) {
      it(`are stored: ${id}`, async () => {
        const { payload, recording } = await outcome(id);
        should(sha256(readFileSync(String(payload)))).equal(sha256(file.bytes));
        should(recording).have.properties({ source_host: new URL(origin).host, attempts: 1 });
      });
    }

    for (const id of [
      'to-metadata',
      'to-metadata-by-https',
      'to-loopback',
      'to-loopback-by-number',
      'to-loopback-by-name',
      'to-loopback-6',
      'to-loopback-mapped',
      'to-private',
      'to-plain-http'
    ]) {
      it(`are rejected when they redirect elsewhere: ${id}`, async () => {
        const { error } = await outcome(id, 'errors.jsonl');
        should(error).have.property('code', 'UNSAFE_URL');
        should(error?.message)
          .match(/was not contacted: /)
          .and.not.match(/X-Amz|secret|meta-data/);
      });
    }

    it('are requested nowhere else, and leave nothing behind', () => {
      should(inner.connections).equal(0);
      should(plain.connections).equal(0);
      should(storage.connections).be.above(0);
      const archive = path.join(instance.nodeRed.userDir, 'archive');
      const names = ['moved', 'straight'].flatMap((id) => [`${id}.${ext}`, `${id}.${ext}.json`]);
      should(readdirSync(archive).sort()).deepEqual(['.telnyx-partial', ...names]);
      const begun = path.join(archive, '.telnyx-partial');
      should(existsSync(begun) ? readdirSync(begun) : []).be.empty();
      should(instance.nodeRed.log).not.match(/secret|X-Amz|meta-data|made-up-(daily|telnyx)-api-key/);
    });
  });
}
