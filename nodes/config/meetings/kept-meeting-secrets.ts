import { createHash } from 'node:crypto';
import { steadyNow } from '../../../src/clock/clocks';
import type { StateCollection } from '../../../src/state/state-database';
import { asFields, asText } from '../../../src/values/fields';
import type { NodeRedApi } from '../../lib/node-red';
import { stateDatabase } from '../../lib/state';

/** The collection of the state that keeps them. */
const COLLECTION = 'meeting-secrets';

/** Milliseconds after its last use for which a secret is kept. Transcripts come hours after a meeting at most. */
const KEPT_MS = 30 * 24 * 60 * 60 * 1000;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Sessions that one account keeps at its end; the last ones that were added. */
const MOST_AT_ONCE = 10_000;

/** Far more than the secrets of a session have. */
const LONGEST_SECRETS = 4096;

/**
 * The secrets of meetings, kept in the state, because the context of flows is gone after a restart. The context is the
 * truth while it knows a session: what a flow removes or replaces there is removed or replaced here.
 */
export class KeptMeetingSecrets {
  readonly #RED: Pick<NodeRedApi, 'settings'>;
  readonly #property: string;
  readonly #now: () => number;
  /** Sessions that the context had since the start, and when their secret was kept. */
  readonly #seen = new Map<string, { secrets: string; at: number }>();

  /** @param property of the global context; accounts that name the same one share what is kept */
  constructor(RED: Pick<NodeRedApi, 'settings'>, property: string, now: () => number = steadyNow) {
    this.#RED = RED;
    this.#property = property;
    this.#now = now;
  }

  /**
   * The secrets of a session that a delivery claims to come from.
   *
   * @param present as in the context; undefined when it has none
   * @returns text; undefined when none is known
   */
  secretsOf(sessionId: string, present: string | undefined): string | undefined {
    if (present !== undefined) {
      void this.#keep(sessionId, present);
      return present;
    }
    if (!this.#seen.delete(sessionId)) return this.#kept(sessionId);
    void this.#change((secrets) => secrets.remove(this.#keyOf(sessionId)));
    return undefined;
  }

  /**
   * Keeps all that the context has, also what no delivery has asked for yet. Forgets what the context no longer has, and what was
   * not used for 30 days.
   */
  async keepAll(context: Readonly<Record<string, unknown>>): Promise<void> {
    const present = Object.entries(context).slice(-MOST_AT_ONCE);
    const work = present.map(async ([id, value]) => {
      const secrets = asText(value);
      if (secrets !== null) await this.#keep(id, secrets);
    });
    for (const id of this.#seen.keys())
      if (!Object.hasOwn(context, id)) work.push(this.#change((secrets) => secrets.remove(this.#keyOf(id))));
    await Promise.all(work);
    // Without meetings there is nothing to open the state for.
    if (this.#seen.size > 0) await this.#forgetOld();
  }

  async #forgetOld(): Promise<void> {
    await this.#change(async (secrets) => {
      const before = this.#now() - KEPT_MS;
      const old = [...secrets.range({})].filter(({ value }) => !(read(value).at > before));
      await Promise.all(old.map(({ key }) => secrets.remove(key)));
    });
  }

  async #keep(sessionId: string, secrets: string): Promise<void> {
    const known = this.#seen.get(sessionId);
    const at = this.#now();
    if (known?.secrets === secrets && at - known.at < DAY_MS) return;
    if (secrets.length > LONGEST_SECRETS) return;
    this.#seen.set(sessionId, { secrets, at });
    await this.#change((collection) => collection.put(this.#keyOf(sessionId), { secrets, at }));
  }

  #kept(sessionId: string): string | undefined {
    try {
      const { secrets, at } = read(this.#collection().get(this.#keyOf(sessionId)));
      return secrets !== null && this.#now() - at < KEPT_MS ? secrets : undefined;
    } catch {
      // The webhook nodes report faults of the state.
      return undefined;
    }
  }

  /** A secret that could not be kept is in the context still. */
  async #change(work: (secrets: StateCollection<unknown>) => Promise<void>): Promise<void> {
    try {
      await work(this.#collection());
    } catch {
      // The webhook nodes report faults of the state.
    }
  }

  #collection(): StateCollection<unknown> {
    return stateDatabase(this.#RED).collection<unknown>(COLLECTION);
  }

  /** Ids come from strangers, so no part of a key is one. */
  #keyOf(sessionId: string): string {
    return createHash('sha256').update(`${this.#property}\n${sessionId}`).digest('base64url');
  }
}

function read(value: unknown): { secrets: string | null; at: number } {
  const fields = asFields(value);
  const at = fields?.['at'];
  return { secrets: asText(fields?.['secrets']), at: typeof at === 'number' ? at : -Infinity };
}
