import { createHash } from 'node:crypto';
import { monotonicNow } from '../clock/clocks';
import { shownText } from '../text/shown-text';
import type { ProbedPeer } from './folder-probe';
import { isCount, isText, mapOf, shape } from './jobs/wire/shape';
import type { RedisConnection } from './redis-connection';
import type { Instance } from './shared-leases';

/** What an instance tells of one of its nodes. */
export interface NodeReport {
  /** A fingerprint of each setting that has to be the same everywhere, by its label in the dialog. */
  settings: Readonly<Record<string, string>>;
  /** Jobs that this instance works on. */
  running: number;
  /** Jobs that wait on its disk and that no other instance can take. */
  waiting: number;
  /** The name of its file in the folder of the node (`FolderProbe`); an empty text where there is none. */
  probe: string;
}

/** What an instance tells of itself. */
export interface Peer extends Instance {
  nodes: Readonly<Record<string, NodeReport>>;
}

/** A setting that other instances have otherwise. */
export interface Difference {
  /** As in the dialog. */
  setting: string;
  hosts: readonly string[];
}

export interface ClusterDeps {
  connection: RedisConnection;
  instance: Instance;
  /** What this instance tells of its nodes, by their id. Called at each beat. */
  report: () => Readonly<Record<string, NodeReport>>;
  /** Default: the monotonic clock, in milliseconds. */
  now?: (() => number) | undefined;
  /** Milliseconds between two beats. Default 5000. */
  beatMs?: number | undefined;
}

/** Beats that may be missed before an instance counts as gone. */
const MISSED = 3;
const MOST_PEERS = 200;
/** Characters of what one instance tells. */
const LONGEST = 256 * 1024;

/** Tells of this instance, and returns who else has told something lately, by the clock of Redis. */
const BEAT = `
redis.call('set', KEYS[2], ARGV[2], 'PX', ARGV[3])
local time = redis.call('time')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('zremrangebyscore', KEYS[1], '-inf', now - ARGV[3])
redis.call('zadd', KEYS[1], now, ARGV[1])
return redis.call('zrange', KEYS[1], 0, ${MOST_PEERS})`;

const isReport = shape({ settings: mapOf(isText), running: isCount, waiting: isCount, probe: isText });
const isPeer = shape({ id: isText, host: isText, nodes: mapOf(isReport) });

/** The instances that share their work: each tells of itself every few seconds, and knows what the others told last. */
export class Cluster {
  readonly #deps: ClusterDeps;
  readonly #now: () => number;
  readonly #beatMs: number;
  readonly #timer: NodeJS.Timeout;
  readonly #stop: () => void;
  #peers: readonly Peer[] = [];
  #heardAt = -Infinity;
  #beating: Promise<void> | undefined;
  #isClosed = false;

  constructor(deps: ClusterDeps) {
    const { connection, now = monotonicNow, beatMs = 5000 } = deps;
    this.#deps = deps;
    this.#now = now;
    this.#beatMs = beatMs;
    this.#timer = setInterval(() => void this.beat(), beatMs).unref();
    this.#stop = connection.on('back', () => void this.beat());
    void this.beat();
  }

  get instance(): Instance {
    return this.#deps.instance;
  }

  /** The other instances; none when nothing was heard of them for as long as they may be silent. */
  peers(): readonly Peer[] {
    return this.#isHeard ? this.#peers : [];
  }

  /** The other instances that have a node, and the files by which their folders are recognised; null when nothing is heard of any. */
  probes(node: string): readonly ProbedPeer[] | null {
    if (!this.#isHeard) return null;
    return this.#peers.flatMap(({ id, host, nodes }) => {
      const report = Object.hasOwn(nodes, node) ? nodes[node] : undefined;
      return report === undefined ? [] : [{ id, host, probe: report.probe }];
    });
  }

  get #isHeard(): boolean {
    return this.#now() - this.#heardAt <= this.#beatMs * MISSED;
  }

  /** How many instances have a node, this one included, and the jobs that they work on and hold. */
  counts(node: string): { instances: number; running: number; waiting: number } {
    const others = this.#others(node);
    const own = this.#deps.report()[node];
    const all = own === undefined ? others : [own, ...others];
    const sum = (of: 'running' | 'waiting'): number => all.reduce((total, report) => total + report[of], 0);
    return { instances: 1 + others.length, running: sum('running'), waiting: sum('waiting') };
  }

  /** Jobs of a node that wait on the disks of the other instances, where no other one can take them. */
  waitingElsewhere(node: string): number {
    return this.#others(node).reduce((total, { waiting }) => total + waiting, 0);
  }

  /**
   * How many instances have a node, this one included, as far as was last known: while nothing is heard of the others, they are
   * likely to be there all the same.
   */
  lastKnown(node: string): number {
    return 1 + this.#peers.filter(({ nodes }) => Object.hasOwn(nodes, node)).length;
  }

  /** The settings of a node that other instances have otherwise; those that have not the node at all do not count. */
  differences(node: string): readonly Difference[] {
    const own = this.#deps.report()[node]?.settings ?? {};
    const hosts = new Map<string, Set<string>>();
    for (const { host, nodes } of this.peers()) {
      if (!Object.hasOwn(nodes, node)) continue;
      const theirs = nodes[node]?.settings ?? {};
      for (const setting of new Set([...Object.keys(own), ...Object.keys(theirs)]))
        if (own[setting] !== theirs[setting])
          hosts.set(setting, (hosts.get(setting) ?? new Set<string>()).add(host));
    }
    return [...hosts].map(([setting, all]) => ({ setting, hosts: [...all].sort() }));
  }

  /** Tells of this instance and learns of the others at once. Never rejects. */
  async beat(): Promise<void> {
    this.#beating ??= this.#beatNow()
      .catch(() => undefined)
      .finally(() => (this.#beating = undefined));
    await this.#beating;
  }

  /** The others notice at once that this instance is gone, if Redis can be told. Never rejects, and never takes long. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#stop();
    await this.#beating;
    const { connection, instance } = this.#deps;
    await connection
      .command(async (client) => {
        await client.zrem(connection.key('instances'), instance.id);
        await client.del(this.#key(instance.id));
      })
      .catch(() => undefined);
  }

  async #beatNow(): Promise<void> {
    const { connection, instance, report } = this.#deps;
    if (connection.isAway || this.#isClosed) return;
    const told = JSON.stringify({ ...instance, nodes: report() } satisfies Peer);
    const keys = [connection.key('instances'), this.#key(instance.id)];
    const values = [instance.id, told, this.#beatMs * MISSED];
    const listed = await connection.script(BEAT, keys, values);
    const ids = Array.isArray(listed) ? listed.map(String).filter((id) => id !== instance.id) : [];
    const texts =
      ids.length === 0
        ? []
        : await connection.command((client) => client.mget(ids.map((id) => this.#key(id))));
    this.#peers = texts.flatMap((text) => readPeer(text) ?? []);
    this.#heardAt = this.#now();
  }

  #others(node: string): NodeReport[] {
    return this.peers().flatMap(({ nodes }) => {
      const report = Object.hasOwn(nodes, node) ? nodes[node] : undefined;
      return report === undefined ? [] : [report];
    });
  }

  #key(id: string): string {
    return this.#deps.connection.key('instance', id);
  }
}

/**
 * What tells two settings apart, and nothing of them.
 *
 * @param value as it is used: with the default for a blank field, and variables resolved
 */
export function fingerprint(value: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify([value]))
    .digest('base64url')
    .slice(0, 16);
}

/** @returns null for what no instance of this version has written */
function readPeer(text: string | null): Peer | null {
  if (text === null || text.length > LONGEST) return null;
  let value: unknown;
  try {
    value = JSON.parse(text, (name, field: unknown) => (name === '__proto__' ? undefined : field));
  } catch {
    return null;
  }
  if (!isPeer(value)) return null;
  const peer = value as Peer;
  return { ...peer, host: shownText(peer.host) };
}
