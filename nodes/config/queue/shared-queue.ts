import { hostname } from 'node:os';
import { RedisConnection } from '../../../src/sharing/redis-connection';
import { type Instance, SharedLeases } from '../../../src/sharing/shared-leases';
import type { QueueSettings } from './queue-settings';

/** What the nodes with one queue share: one connection for all of them. */
export class SharedQueue {
  readonly settings: QueueSettings;
  readonly connection: RedisConnection;
  readonly leases: SharedLeases;

  /** Connects in the background. @param id of this installation */
  constructor(settings: QueueSettings, id: string) {
    this.settings = settings;
    this.connection = new RedisConnection(settings);
    const instance: Instance = { id, host: hostname() };
    this.leases = new SharedLeases(this.connection, instance);
    this.connection.start();
  }

  /** Waits for nothing, so that a deploy does not wait for a Redis that is away. */
  close(): void {
    this.connection.close();
  }
}
