import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { TelnyxStandIn } from '../../src/simulator/stand-in';
import { Child } from '../../test/support/child-process';
import { RedisServer } from '../../test/support/redis-server';
import { TcpRelay } from '../../test/support/tcp-relay';
import { addressOf } from '../archive-instance';
import { LineFile } from '../runs/line-file';
import { Bucket } from './bucket';
import { Instance } from './instance';
import type { MediaLine } from './media-lines';
import { Nginx } from './nginx';

/** A receiver also fetches recordings, because its download node lends jobs; as few as a download node can be told to. */
const RECEIVER_CONCURRENCY = 1;
const ARCHIVER_CONCURRENCY = 4;

export interface ClusterOptions {
  receivers: number;
  archivers: number;
  /** False: no Redis, and no queue in the flow. */
  isShared: boolean;
}

/** All programs of a run. */
export class Cluster {
  readonly receivers: Instance[] = [];
  readonly archivers: Instance[] = [];
  readonly mediaLines: MediaLine[] = [];
  readonly #closing: (() => Promise<unknown>)[] = [];
  readonly #directory = mkdtempSync(path.join(tmpdir(), 'telnyx-scale-'));
  readonly #mediaFile = new LineFile<MediaLine>(path.join(this.#directory, 'media.jsonl'));
  #redis: RedisServer | undefined;
  #bucket!: Bucket;
  #storage!: string;
  #nginx!: Nginx;
  /** What the list asks, and the way there. */
  readonly standIn = new TelnyxStandIn();
  #apiWay!: TcpRelay;

  private constructor(private readonly options: ClusterOptions) {
    process.on('exit', () => rmSync(this.#directory, { recursive: true, force: true }));
  }

  static async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options);
    try {
      await cluster.#start();
      return cluster;
    } catch (error) {
      await cluster.close();
      throw error;
    }
  }

  get instances(): Instance[] {
    return [...this.receivers, ...this.archivers];
  }

  get bucket(): Bucket {
    return this.#bucket;
  }

  get redis(): RedisServer {
    if (this.#redis === undefined) throw new Error('This run shares nothing.');
    return this.#redis;
  }

  get nginx(): Nginx {
    return this.#nginx;
  }

  /** The origin of the recordings. */
  get storage(): string {
    return this.#storage;
  }

  get apiWay(): TcpRelay {
    return this.#apiWay;
  }

  /** An instance with the same flow that shares nothing, to compare with. */
  async startAlone(): Promise<Instance> {
    return await this.#startInstance('alone', RECEIVER_CONCURRENCY, false);
  }

  readMedia(): void {
    this.mediaLines.push(...this.#mediaFile.added());
  }

  async close(): Promise<void> {
    for (const close of this.#closing.splice(0).reverse())
      await close().catch((error: unknown) => console.error(error));
  }

  async #start(): Promise<void> {
    const { receivers, archivers, isShared } = this.options;
    this.#bucket = await Bucket.start();
    this.#closing.push(() => {
      this.#bucket.close();
      return Promise.resolve();
    });
    await this.standIn.start();
    this.#closing.push(() => this.standIn.stop());
    this.#apiWay = await TcpRelay.start(Number(new URL(this.standIn.url).port));
    this.#closing.push(() => this.#apiWay.close());
    const media = new Child(
      path.join(__dirname, 'media-program.ts'),
      [path.join(this.#directory, 'media.jsonl')],
      { nodeArgs: ['--import', 'tsx'] }
    );
    this.#closing.push(() => media.end());
    this.#storage = await addressOf(media);
    if (isShared) {
      const redis = await RedisServer.startOutside();
      this.#redis = redis;
      this.#closing.push(() => redis.close());
    }
    const names = [
      ...Array.from({ length: receivers }, (_, at) => `receiver ${at + 1}`),
      ...Array.from({ length: archivers }, (_, at) => `archiver ${at + 1}`)
    ];
    for (const name of names) {
      const isReceiver = name.startsWith('receiver');
      const instance = await this.#startInstance(
        name,
        isReceiver && archivers > 0 ? RECEIVER_CONCURRENCY : ARCHIVER_CONCURRENCY,
        isShared
      );
      (isReceiver ? this.receivers : this.archivers).push(instance);
    }
    this.#nginx = await Nginx.start(this.receivers.map(({ nodeRed }) => nodeRed.port));
    this.#closing.push(() => this.#nginx.close());
  }

  async #startInstance(name: string, concurrency: number, isShared: boolean): Promise<Instance> {
    const instance = await Instance.start(name, {
      concurrency,
      bucket: this.#bucket,
      redisPort: isShared ? this.redis.port : undefined,
      apiUrl: `http://127.0.0.1:${this.#apiWay.port}/v2`,
      apiKey: this.standIn.apiKey
    });
    this.#closing.push(() => instance.close());
    return instance;
  }
}

/** @throws Error when the package is not built */
export function checkBuilt(): void {
  if (!existsSync(path.join(__dirname, '../../dist/nodes'))) throw new Error('Run `npm run build` first.');
}
