import type { NodeRedApi, RedNode, StatusValue } from './node-red';

/** Milliseconds between two status changes of one node; the editor of every user gets each of them. */
const INTERVAL_MS = 1000;

/** A text, or a function that makes one: most texts are replaced before anyone can read them. */
export type StatusText = string | (() => string);

/** Translates a key below `<type>.status.`. */
export type Say = (key: string, values?: Record<string, string | number>) => string;

/** @param type of the node; its catalogue has the texts */
export function statusTexts(RED: Pick<NodeRedApi, '_'>, type: string): Say {
  return (key, values) => RED._(`${type}.status.${key}`, values);
}

interface Wanted extends Omit<StatusValue, 'text'> {
  text?: StatusText;
}

/**
 * The status vocabulary of all nodes of this package, as the core nodes use it: green dot = ready,
 * blue dot = working, yellow ring = waiting, red ring = something the user has to fix, grey dot = idle.
 * Changes are sent at most once a second; the last one is always sent.
 */
export class NodeStatus {
  readonly #node: Pick<RedNode, 'status'>;
  readonly #now: () => number;
  #shown: StatusValue = {};
  #next: Wanted | undefined;
  #lastChange = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #disposed = false;

  /** @param now milliseconds of a monotonic clock */
  constructor(node: Pick<RedNode, 'status'>, now: () => number = () => performance.now()) {
    this.#node = node;
    this.#now = now;
  }

  ready(text: StatusText): void {
    this.#show({ fill: 'green', shape: 'dot', text });
  }

  working(text: StatusText): void {
    this.#show({ fill: 'blue', shape: 'dot', text });
  }

  waiting(text: StatusText): void {
    this.#show({ fill: 'yellow', shape: 'ring', text });
  }

  problem(text: StatusText): void {
    this.#show({ fill: 'red', shape: 'ring', text });
  }

  idle(text: StatusText): void {
    this.#show({ fill: 'grey', shape: 'dot', text });
  }

  off(): void {
    this.#show({});
  }

  /** Stops the timer; shows nothing more. */
  dispose(): void {
    this.#disposed = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #show(value: Wanted): void {
    if (this.#disposed) return;
    this.#next = value;
    if (this.#timer !== undefined) return;
    const wait = this.#lastChange + INTERVAL_MS - this.#now();
    if (wait <= 0) {
      this.#flush();
    } else {
      this.#timer = setTimeout(() => {
        this.#timer = undefined;
        this.#flush();
      }, wait);
      this.#timer.unref();
    }
  }

  #flush(): void {
    const wanted = this.#next;
    this.#next = undefined;
    if (wanted === undefined) return;
    const { text, ...look } = wanted;
    const next: StatusValue =
      text === undefined ? look : { ...look, text: typeof text === 'string' ? text : text() };
    if (same(next, this.#shown)) return;
    this.#shown = next;
    this.#lastChange = this.#now();
    this.#node.status(next);
  }
}

function same(a: StatusValue, b: StatusValue): boolean {
  return a.fill === b.fill && a.shape === b.shape && a.text === b.text;
}
