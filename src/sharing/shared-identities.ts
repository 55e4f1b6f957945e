import { randomUUID } from 'node:crypto';
import { steadyNow } from '../clock/clocks';
import type { RememberedId } from '../events/build-event';
import type { CopyOutcome, FlowAnswer } from '../webhook/endpoint/flow-reply';
import { identityName } from '../webhook/journal/delivery-identities';
import type { Claim, Claimed, Identities } from '../webhook/journal/identities';
import { CLAIM_MS, type ClaimOptions, type IdentityMarks, type Mark } from './identity-marks';
import type { IdentityUpload } from './identity-upload';

export interface SharedIdentitiesDeps {
  /** What this instance knows by itself. Its claims keep the copies apart that arrive here. */
  local: Omit<Identities, 'claim'> & { claim(scope: string, id: RememberedId): Claim };
  marks: IdentityMarks;
  /** Tells the others later what they could not be told at once. */
  upload: Pick<IdentityUpload, 'missed'>;
  connection: { readonly isAway: boolean };
  /** Id of this instance. */
  instance: string;
  /** Milliseconds that stand still in no sleep. */
  now?: (() => number) | undefined;
}

/** A claim of another instance is looked at after this time, then ever less often. */
const FIRST_LOOK_MS = 20;
const LONGEST_LOOK_MS = 500;
/** Senders do not wait longer for an answer. */
const LONGEST_WAIT_MS = 60_000;

const TRY_AGAIN: CopyOutcome = { accepted: false, status: 503, answer: null };

interface OpenClaim extends ClaimOptions {
  name: string;
}

/**
 * The identities of all instances, in Redis. What is known on this disk counts first. A delivery waits for Redis for about a
 * second at most, and not at all while Redis is known to be away: then it is accepted as if this instance were alone, and the
 * others are told afterwards.
 */
export class SharedIdentities implements Identities {
  readonly #deps: SharedIdentitiesDeps;
  readonly #now: () => number;
  readonly #open = new Set<OpenClaim>();
  #renewals: NodeJS.Timeout | undefined;

  constructor(deps: SharedIdentitiesDeps) {
    this.#deps = deps;
    this.#now = deps.now ?? steadyNow;
  }

  async claim(scope: string, id: RememberedId): Promise<Claim> {
    const { local, marks, instance } = this.#deps;
    const claim = local.claim(scope, id);
    if (claim.kind !== 'mine') return claim;
    const open = { name: identityName(scope, id), instance, token: randomUUID() };
    const mark = await this.#shared(() => marks.claim(open.name, open));
    if (mark?.kind === 'accepted') {
      await claim.end({ accepted: true, answer: mark.answer });
      return { kind: 'accepted', answer: mark.answer };
    }
    if (mark?.kind === 'claimed') {
      const outcome = this.#outcome(open.name, mark);
      return { kind: 'elsewhere', outcome: outcome.then(async (ended) => (await claim.end(ended), ended)) };
    }
    return this.#mine(claim, open);
  }

  async reclaim(scope: string, id: RememberedId): Promise<boolean> {
    const { local, marks, instance } = this.#deps;
    if (!(await local.reclaim(scope, id))) return false;
    const name = identityName(scope, id);
    const mark = await this.#shared(() => marks.read(name));
    const isElsewhere = mark !== null && mark.kind !== 'none' && mark.instance !== instance;
    if (isElsewhere && mark.kind === 'accepted') return false;
    // Another one has the retry of it: it may be accepted there at this moment.
    if (isElsewhere && mark.kind === 'claimed' && (await this.#outcome(name, mark)).accepted) return false;
    await this.#accepted(name, null);
    return true;
  }

  async find(scope: string, id: RememberedId): Promise<'accepted' | 'under-way' | 'unknown'> {
    const known = await this.#deps.local.find(scope, id);
    if (known !== 'unknown') return known;
    const mark = await this.#shared(() => this.#deps.marks.read(identityName(scope, id)));
    if (mark?.kind === 'accepted') return 'accepted';
    // A claim of this instance that is not known here is one of an earlier process.
    return mark?.kind === 'claimed' && mark.instance !== this.#deps.instance ? 'under-way' : 'unknown';
  }

  async remember(scope: string, id: RememberedId, answer: FlowAnswer | null): Promise<void> {
    await this.#deps.local.remember(scope, id, answer);
    await this.#accepted(identityName(scope, id), answer);
  }

  /** Stops the timer. Claims that are open then end with their time. */
  close(): void {
    clearInterval(this.#renewals);
    this.#open.clear();
  }

  #mine(claim: Claimed, open: OpenClaim): Claimed {
    this.#open.add(open);
    this.#renewals ??= setInterval(() => void this.#renew(), CLAIM_MS / 3).unref();
    let hasEnded = false;
    return {
      kind: 'mine',
      end: async (outcome) => {
        if (hasEnded) return;
        hasEnded = true;
        this.#open.delete(open);
        if (outcome.accepted) await this.#accepted(open.name, outcome.answer);
        else await this.#shared(() => this.#deps.marks.drop(open.name, open));
        await claim.end(outcome);
      }
    };
  }

  async #accepted(name: string, answer: FlowAnswer | null): Promise<void> {
    const { marks, instance, upload } = this.#deps;
    const isKnown = await this.#shared(async () => (await marks.accept(name, instance, answer), true));
    if (isKnown === null) upload.missed();
  }

  /** What becomes of a claim of another instance. Never rejects. */
  async #outcome(name: string, claim: Extract<Mark, { kind: 'claimed' }>): Promise<CopyOutcome> {
    const end = this.#now() + LONGEST_WAIT_MS;
    for (let pause = FIRST_LOOK_MS; this.#now() < end; pause = Math.min(pause * 2, LONGEST_LOOK_MS)) {
      await new Promise((resolve) => setTimeout(resolve, pause));
      const mark = await this.#shared(() => this.#deps.marks.read(name));
      if (mark?.kind === 'accepted') return { accepted: true, answer: mark.answer };
      if (mark?.kind !== 'claimed' || mark.token !== claim.token) return TRY_AGAIN;
    }
    return TRY_AGAIN;
  }

  async #renew(): Promise<void> {
    if (this.#open.size > 0) await this.#shared(() => this.#deps.marks.renew([...this.#open]));
  }

  /** @returns null when Redis cannot be asked */
  async #shared<Result>(ask: () => Promise<Result>): Promise<Result | null> {
    if (this.#deps.connection.isAway) return null;
    try {
      return await ask();
    } catch {
      return null;
    }
  }
}
