import net from 'node:net';
import should from 'should';
import { checkRedis } from '../../../src/sharing/redis-check';
import { freePort } from '../../support/free-port';
import { RedisServer } from '../../support/redis-server';

/** The findings in short: `ok redis-writes`. */
async function findings(
  url: string,
  { password = '', isSealed = false, stepMs = 5000 } = {}
): Promise<string[]> {
  const found = await checkRedis({ redis: { url, password, prefix: 'telnyx' }, isSealed, stepMs });
  const text = JSON.stringify(found);
  if (password !== '') should(text).not.containEql(password);
  return found.map(({ result, said }) => `${result} ${said.map(({ notice }) => notice).join(' ')}`);
}

describe('the test of a Redis', function () {
  this.timeout(30_000);
  const closers: (() => Promise<void>)[] = [];

  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
  });

  async function redis(context: Mocha.Context, options: Parameters<typeof RedisServer.start>[1] = {}) {
    const server = await RedisServer.start(context, options);
    closers.push(() => server.close());
    return server;
  }

  async function answering(answer: (socket: net.Socket) => void): Promise<string> {
    const sockets = new Set<net.Socket>();
    const server = net.createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      answer(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    closers.push(async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
    return `127.0.0.1:${(server.address() as net.AddressInfo).port}`;
  }

  it('finds one that works, and leaves nothing in it', async function () {
    const server = await redis(this, { sync: 'everysec' });
    should(await findings(server.url)).eql(['ok redis-answers', 'ok redis-keeps', 'ok redis-writes']);
    should((await server.say('DBSIZE')).trim()).equal(':0');
  });

  it('warns of one that forgets or drops entries', async function () {
    const server = await redis(this, { more: ['--maxmemory-policy', 'allkeys-lru'] });
    should(await findings(server.url)).eql([
      'ok redis-answers',
      'warning redis-evicts',
      'warning redis-forgets',
      'ok redis-writes'
    ]);
  });

  it('tells a missing password from a wrong one', async function () {
    const server = await redis(this, { password: 'right-one' });
    should(await findings(server.url)).eql(['failed redis-wants-password']);
    should(await findings(server.url, { password: 'not-right' })).eql(['failed redis-wrong-password']);
    should(await findings(server.url, { password: 'right-one' })).containEql('ok redis-writes');
  });

  it('refuses a replica, and a database that does not exist', async function () {
    const first = await redis(this);
    const replica = await redis(this, { more: ['--replicaof', `127.0.0.1`, String(first.port)] });
    should(await findings(replica.url)).containEql('failed redis-refuses');
    should(await findings(`${first.url}/99`)).eql(['failed redis-refuses']);
  });

  it('says why nothing can be reached', async () => {
    should(await findings(`redis://127.0.0.1:${await freePort()}`)).eql(['failed redis-nothing-there']);
    should(await findings('redis://redis.invalid')).eql(['failed redis-no-host']);
    const silent = await answering(() => undefined);
    should(await findings(`redis://${silent}`, { stepMs: 200 })).eql(['failed redis-silent']);
    should(await findings(`rediss://${silent}`, { stepMs: 200 })).eql(['failed redis-bad-tls']);
    const web = await answering((socket) => socket.on('data', () => socket.end('HTTP/1.1 400 Bad\r\n\r\n')));
    should(await findings(`redis://${web}`)).eql(['failed redis-not-redis']);
    should(await findings(`redis://${await answering((socket) => socket.destroy())}`)).eql([
      'failed redis-not-redis'
    ]);
  });

  it('refuses a version that is too old', async () => {
    const old = await answering((socket) =>
      socket.on('data', (data) => {
        const info = 'redis_version:5.0.14\r\naof_enabled:1';
        // Each command begins with the number of its words.
        for (const command of data.toString().split(/(?=\*\d)/)) {
          if (/info/i.test(command)) socket.write(`$${info.length}\r\n${info}\r\n`);
          else socket.write(/hello/i.test(command) ? "-ERR unknown command 'HELLO'\r\n" : '+OK\r\n');
        }
      })
    );
    should(await findings(`redis://${old}`)).containEql('failed redis-too-old');
  });
});
