import type { Answer, Findings, Output, StoredObject } from './check';
import type { Notes } from './instance';
import type { Plan } from './plan';

/** What the instances and the senders have told so far. */
export class Ledger implements Notes {
  readonly #delivered = new Map<string, number>();
  readonly #outputs = new Map<string, Output[]>();
  readonly #failed: string[] = [];
  readonly #lists: string[] = [];

  delivered(id: string): void {
    this.#delivered.set(id, (this.#delivered.get(id) ?? 0) + 1);
  }

  stored(instance: string, { id, sha256, already_stored }: { id: string } & Omit<Output, 'instance'>): void {
    this.#outputs.set(id, [...(this.#outputs.get(id) ?? []), { instance, sha256, already_stored }]);
  }

  failed(instance: string, error: string): void {
    this.#failed.push(`${instance}: ${error}`);
  }

  listed(instance: string): void {
    this.#lists.push(instance);
  }

  /** The instances on which a list came to its end, once for each. */
  get lists(): readonly string[] {
    return this.#lists;
  }

  /** How many errors there were. */
  get failures(): number {
    return this.#failed.length;
  }

  hasOutput(id: string): boolean {
    return this.#outputs.has(id);
  }

  timesDelivered(id: string): number {
    return this.#delivered.get(id) ?? 0;
  }

  /** Which instance gave how many outputs. */
  shares(): Map<string, number> {
    const shares = new Map<string, number>();
    for (const { instance } of [...this.#outputs.values()].flat())
      shares.set(instance, (shares.get(instance) ?? 0) + 1);
    return shares;
  }

  /**
   * What was found of one plan.
   *
   * @param ids of the plan, and of what a list found
   * @param failuresBefore errors that belong to earlier plans
   */
  findings(
    isOwn: (id: string) => boolean,
    {
      answers,
      objects,
      failuresBefore
    }: {
      answers: ReadonlyMap<string, readonly Answer[]>;
      objects: readonly StoredObject[];
      failuresBefore: number;
    }
  ): Findings {
    const own = <T>(map: ReadonlyMap<string, T>): Map<string, T> =>
      new Map([...map].filter(([id]) => isOwn(id)));
    return {
      answers: own(answers),
      delivered: own(this.#delivered),
      outputs: own(this.#outputs),
      failed: this.#failed.slice(failuresBefore),
      objects
    };
  }
}

/** All plans as one. */
export function joined(plans: readonly Plan[]): Plan {
  return {
    requests: plans.flatMap(({ requests }) => requests),
    recordings: plans.flatMap(({ recordings }) => recordings),
    forged: new Set(plans.flatMap(({ forged }) => [...forged]))
  };
}
