import { RedisConnection, type RedisLimits } from '../../../src/sharing/redis-connection';
import type { Instance } from '../../../src/sharing/shared-leases';
import { RedisServer } from '../../support/redis-server';
import { TcpRelay } from '../../support/tcp-relay';

/** An instance and its way to Redis, which may break. */
export interface Member {
  instance: Instance;
  relay: TcpRelay;
  connection: RedisConnection;
}

const LIMITS: Partial<RedisLimits> = { commandMs: 500, checkMs: 100, reconnectMs: 100 };
const READY_MS = 20_000;

/** Connects an instance. @param name of the host, and id; @param port of Redis */
export async function joined(name: string, port: number): Promise<Member> {
  const relay = await TcpRelay.start(port);
  const connection = new RedisConnection(
    { url: `redis://127.0.0.1:${relay.port}`, prefix: 'test' },
    { limits: LIMITS }
  );
  connection.start();
  if (!(await connection.ready(READY_MS))) throw new Error(connection.reason);
  return { instance: { id: `id-${name}`, host: name }, relay, connection };
}

/** A Redis and the instances that share their work through it. Call `close` after each test. */
export class SharingFixture {
  readonly members: Member[] = [];

  private constructor(readonly server: RedisServer) {}

  static async start(context: Mocha.Context): Promise<SharingFixture> {
    return new SharingFixture(await RedisServer.start(context));
  }

  /** A connected instance. @param name of the host, and id */
  async join(name: string): Promise<Member> {
    const member = await joined(name, this.server.port);
    this.members.push(member);
    return member;
  }

  /** What an instance is after a restart. */
  async rejoin(name: string): Promise<Member> {
    this.members.find(({ instance }) => instance.host === name)?.connection.close();
    return await this.join(name);
  }

  async close(): Promise<void> {
    for (const { connection, relay } of this.members) {
      connection.close();
      await relay.close();
    }
    await this.server.close();
  }
}
