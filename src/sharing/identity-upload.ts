import { REMEMBERED_MS, type KnownIdentity } from '../webhook/journal/delivery-identities';
import type { IdentityMarks } from './identity-marks';
import type { RedisConnection } from './redis-connection';

export interface IdentityUploadDeps {
  marks: Pick<IdentityMarks, 'acceptAll'>;
  connection: RedisConnection;
  /** Id of this instance. */
  instance: string;
  /** What this instance has accepted since a time (milliseconds since 1970), in small steps; all that it answered before the call. */
  since: (at: number) => AsyncIterable<readonly KnownIdentity[]>;
  /** The clock of `since`, in milliseconds since 1970. Default: the time of day. */
  now?: (() => number) | undefined;
  /** Milliseconds between two looks whether something is missing in Redis. Default a minute. */
  tickMs?: number | undefined;
  /** Milliseconds after each hundred identities. Default 20: others have Redis most of the time. */
  paceMs?: number | undefined;
}

const AT_ONCE = 100;
/** Senders repeat what they have just sent: the others need to know that first. */
const RECENT_MS = 10 * 60_000;
/** More than a delivery may take from its claim to its mark, and than clocks of servers differ. */
const SLACK_MS = 30_000;

/**
 * Tells the other instances what was accepted here while Redis was away, and all of 24 hours when it was emptied. Redis itself keeps
 * the note of how far each instance has told it: where the note is gone, so may be the rest.
 */
export class IdentityUpload {
  readonly #deps: IdentityUploadDeps;
  readonly #now: () => number;
  readonly #stops: (() => void)[];
  readonly #timer: NodeJS.Timeout;
  #hasMissed = true;
  #running: Promise<void> | undefined;
  #isClosed = false;

  constructor(deps: IdentityUploadDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? Date.now;
    const begin = (): void => {
      this.#hasMissed = true;
      void this.run();
    };
    this.#stops = [deps.connection.on('back', begin), deps.connection.on('emptied', begin)];
    this.#timer = setInterval(() => void this.run(), deps.tickMs ?? 60_000).unref();
    if (!deps.connection.isAway) begin();
  }

  /** An accepted delivery could not be marked. */
  missed(): void {
    this.#hasMissed = true;
  }

  /** Tells what is missing, and notes how far. Never rejects: what fails is done again later. */
  async run(): Promise<void> {
    this.#running ??= this.#upload()
      .catch(() => undefined)
      .finally(() => (this.#running = undefined));
    await this.#running;
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    for (const stop of this.#stops) stop();
  }

  async #upload(): Promise<void> {
    const { connection } = this.#deps;
    if (connection.isAway || this.#isClosed) return;
    const begun = this.#now();
    const key = connection.key('identities-told', this.#deps.instance);
    if (this.#hasMissed) {
      this.#hasMissed = false;
      try {
        const told = Number(await connection.command((client) => client.get(key)));
        // The clock may have been set back since.
        await this.#tell(Math.max(Math.min(told, begun) - SLACK_MS, begun - REMEMBERED_MS));
      } catch (error) {
        this.#hasMissed = true;
        throw error;
      }
    }
    // Not while one is missing: it may have been accepted before this time.
    if (this.#isIncomplete()) return;
    await connection.command((client) => client.set(key, begun, 'PX', REMEMBERED_MS));
  }

  #isIncomplete(): boolean {
    return this.#hasMissed || this.#isClosed;
  }

  async #tell(since: number): Promise<void> {
    const recent = Math.max(since, this.#now() - RECENT_MS);
    await this.#tellThose(recent, () => true);
    if (recent > since) await this.#tellThose(since, ({ at }) => at < recent);
  }

  async #tellThose(since: number, isWanted: (identity: KnownIdentity) => boolean): Promise<void> {
    const { marks, instance, paceMs = 20 } = this.#deps;
    for await (const step of this.#deps.since(since)) {
      const wanted = step.filter(isWanted);
      for (let at = 0; at < wanted.length; at += AT_ONCE) {
        if (this.#isClosed) return;
        const some = wanted.slice(at, at + AT_ONCE).flatMap(({ name, answer, at: accepted }) => {
          const leftMs = accepted + REMEMBERED_MS - this.#now();
          return leftMs > 0 ? [{ name, answer, leftMs: Math.min(leftMs, REMEMBERED_MS) }] : [];
        });
        await marks.acceptAll(instance, some);
        await new Promise((resolve) => setTimeout(resolve, paceMs));
      }
    }
  }
}
