import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:tls';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inspect, promisify } from 'node:util';
import should from 'should';
import { type IoRedis, RedisConnection } from '../../../src/sharing/redis-connection';
import { certificate } from '../../support/certificate';
import { freePort } from '../../support/free-port';
import { requireProgram } from '../../support/real-parts';
import { RedisServer } from '../../support/redis-server';
import { TcpRelay } from '../../support/tcp-relay';
import { until } from '../../support/until';

const LIMITS = { checkMs: 100, reconnectMs: 200 };

/** What is far more than a command may take, and far less than a program that hangs. */
const SOON_MS = 5000;

describe('RedisConnection', () => {
  let server: RedisServer;
  let relay: TcpRelay | undefined;
  let connection: RedisConnection;
  const seen: string[] = [];

  beforeEach(async function () {
    server = await RedisServer.start(this);
  });
  afterEach(async () => {
    connection.close();
    await relay?.close();
    relay = undefined;
    await server.close();
  });

  function open(port = server.port, password?: string): void {
    seen.length = 0;
    connection = new RedisConnection(
      { url: `redis://127.0.0.1:${port}`, password, prefix: 'test' },
      { limits: LIMITS }
    );
    connection.on('back', (epoch) => seen.push(`back ${epoch}`));
    connection.on('away', () => seen.push('away'));
    connection.on('emptied', (epoch) => seen.push(`emptied ${epoch}`));
    connection.start();
  }

  const ping = (): Promise<string> => connection.command((client) => client.ping());
  const isBack = (): Promise<boolean> => until('the connection', () => !connection.isAway);
  const isAway = (): Promise<boolean> => until('the end of the connection', () => connection.isAway);

  it('answers commands, names keys for one server of a cluster, and tells once that it is there', async () => {
    open();
    should(await connection.ready(SOON_MS)).be.true();
    should(await ping()).equal('PONG');
    should(connection.key('identity', 'a:b')).equal('{test}:identity:a:b');
    should(seen).eql([`back ${connection.epoch}`]);
    should(connection.reason).equal('');
  });

  it('fails commands at once while Redis is away, and comes back by itself with the same data', async () => {
    await server.close();
    server = await RedisServer.start({ skip: () => undefined } as never, { sync: 'always' });
    open();
    await connection.ready(SOON_MS);
    const epoch = connection.epoch;
    await server.kill();
    await isAway();
    await ping().should.be.rejectedWith({ code: 'QUEUE_AWAY', retryable: true });
    await server.run();
    await isBack();
    should(await ping()).equal('PONG');
    should(seen).eql([`back ${epoch}`, 'away', `back ${epoch}`]);
  });

  it('tells another epoch when Redis comes back without its data', async () => {
    open();
    await connection.ready(SOON_MS);
    const epoch = connection.epoch;
    await server.kill();
    await server.run();
    await until('the second data', () => seen.length === 3);
    await isBack();
    should(connection.epoch).not.equal(epoch);
  });

  it('tells that Redis was emptied while it was connected', async () => {
    open();
    await connection.ready(SOON_MS);
    const epoch = connection.epoch;
    await server.flush();
    await until('the news', () => seen.length === 2);
    should(seen).eql([`back ${epoch}`, `emptied ${connection.epoch}`]);
    should(connection.epoch).not.equal(epoch);
  });

  for (const [what, begin, end] of [
    ['nothing passes through the network', () => relay?.silence(), () => relay?.mend()],
    ['Redis has stopped', () => server.freeze(), () => server.thaw()],
    ['the network is cut', () => relay?.cut(), () => relay?.mend()]
  ] as [string, () => void, () => void][]) {
    it(`does not wait when ${what}`, async () => {
      relay = await TcpRelay.start(server.port);
      open(relay.port);
      await connection.ready(SOON_MS);
      begin();
      const since = performance.now();
      await ping().should.be.rejectedWith({ code: 'QUEUE_AWAY' });
      should(performance.now() - since).be.below(SOON_MS);
      await isAway();
      const then = performance.now();
      await ping().should.be.rejectedWith({ code: 'QUEUE_AWAY' });
      should(performance.now() - then).be.below(500);
      end();
      await isBack();
      should(await ping()).equal('PONG');
    });
  }

  it('finds out that nothing passes without being asked', async () => {
    relay = await TcpRelay.start(server.port);
    open(relay.port);
    await connection.ready(SOON_MS);
    relay.silence();
    await isAway();
  });

  it('closes in every state without waiting', async () => {
    relay = await TcpRelay.start(server.port);
    for (const prepare of [
      () => Promise.resolve(),
      () => connection.ready(SOON_MS),
      async () => (await connection.ready(SOON_MS), relay?.silence()),
      async () => (await connection.ready(20), relay?.cut())
    ]) {
      relay.mend();
      open(relay.port);
      await prepare();
      const since = performance.now();
      connection.close();
      connection.close();
      should(performance.now() - since).be.below(500);
      await ping().should.be.rejectedWith({ code: 'QUEUE_AWAY' });
      should(connection.isAway).be.true();
    }
  });

  it('keeps the password, and what a command held, out of all errors', async function () {
    await server.close();
    server = await RedisServer.start(this, { password: 'richtig-geheim' });
    open(server.port, 'falsch-geheim');
    await until('the refusal', () => connection.reason.includes('WRONGPASS'));
    const refused = await ping().catch((error: unknown) => error);
    should(inspect(refused, { depth: 9, showHidden: true })).not.containEql('geheim');
    connection.close();
    open(server.port, 'richtig-geheim');
    await isBack();
    const wrong = await connection
      .command((client) => client.call('no-such-command', 'richtig-geheim'))
      .catch((error: unknown) => error);
    should(wrong).have.property('code', 'QUEUE_AWAY');
    should(inspect(wrong, { depth: 9, showHidden: true })).not.containEql('geheim');
    should(connection.isAway).be.false();
  });

  it('is away, with the reason, where the library cannot be loaded', async () => {
    connection = new RedisConnection(
      { url: server.url, prefix: 'test' },
      { load: () => Promise.reject<IoRedis>(new Error('made up')) }
    );
    connection.start();
    should(await connection.ready(50)).be.false();
    await ping().should.be.rejectedWith(/made up/);
  });

  it('connects with TLS, and not to a server that nobody vouches for', async function () {
    const openssl = requireProgram(this, 'openssl');
    const made = certificate(openssl, 'IP:127.0.0.1');
    const directory = mkdtempSync(path.join(tmpdir(), 'telnyx-ca-'));
    const file = path.join(directory, 'ca.pem');
    writeFileSync(file, made.cert);
    const secure: Server = createServer(made, (near) => {
      const far = connect(server.port, '127.0.0.1');
      near.on('error', () => far.destroy());
      far.on('error', () => near.destroy());
      near.once('close', () => far.destroy());
      near.pipe(far).pipe(near);
    });
    secure.on('tlsClientError', () => undefined);
    secure.listen(0, '127.0.0.1');
    await once(secure, 'listening');
    const { port } = secure.address() as AddressInfo;
    try {
      connection = new RedisConnection(
        { url: `rediss://127.0.0.1:${port}`, prefix: 'test' },
        { limits: LIMITS }
      );
      connection.start();
      await until('the refusal', () => /self.signed/i.test(connection.reason));
      connection.close();
      const { stdout: trusting } = await promisify(execFile)(
        process.execPath,
        [
          ...['--import', 'tsx', '-e'],
          `const { RedisConnection } = require('./src/sharing/redis-connection');
          const connection = new RedisConnection({ url: 'rediss://127.0.0.1:${port}', prefix: 'test' });
          connection.start();
          connection.ready(20000).then((is) => { console.log(is, connection.reason); connection.close(); });`
        ],
        { env: { ...process.env, NODE_EXTRA_CA_CERTS: file } }
      );
      should(trusting.trim()).equal('true');
    } finally {
      secure.close();
      rmSync(directory, { recursive: true });
    }
  });

  it('refuses an address that cannot work before anything is loaded', () => {
    should(() => new RedisConnection({ url: 'nonsense', prefix: 'test' })).throw({ code: 'BAD_SETTING' });
  });

  it('tells at once that nothing listens', async () => {
    open(await freePort());
    await until('the refusal', () => connection.reason.includes('ECONNREFUSED'));
    should(seen).eql([]);
  });
});

describe('src/sharing', () => {
  it('loads neither ioredis nor BullMQ unless a connection is started', () => {
    const loaded = execFileSync(
      process.execPath,
      [
        ...['--import', 'tsx', '-e'],
        `const { readdirSync } = require('node:fs');
        for (const name of readdirSync('./src/sharing', { recursive: true })) if (name.endsWith('.ts')) require('./src/sharing/' + name);
        const { RedisConnection } = require('./src/sharing/redis-connection');
        new RedisConnection({ url: 'redis://127.0.0.1', prefix: 'test' }).close();
        console.log(Object.keys(require.cache).filter((file) => /node_modules.(ioredis|bullmq)/.test(file)).length);`
      ],
      { encoding: 'utf8' }
    );
    should(loaded.trim()).equal('0');
  });
});
