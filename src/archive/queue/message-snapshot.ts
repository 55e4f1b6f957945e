/** The part of a flow's message that survives a restart. */
export type MessageSnapshot = Readonly<Record<string, unknown>>;

/** Bytes of one message that are kept, counted roughly. */
const LONGEST_MESSAGE = 256 * 1024;
/** Larger Buffers are media, which no message of the past needs again. */
const LONGEST_BUFFER = 64 * 1024;
const DEEPEST = 50;
/** What a value or the name of a field counts, besides its characters. */
const VALUE_BYTES = 8;

/** Live objects of the HTTP request: they end with the process. */
const LIVE = new Set(['req', 'res']);

/** What the output message should have before anything else, when not everything fits. */
const FIRST = ['_msgid', 'topic', 'event', 'payload', 'parts'];

/**
 * Copies what of a message can be written to disk: text, numbers, booleans, null, dates, Buffers up to
 * 64 kB, arrays and plain objects of these. `req`, `res`, functions and objects of classes are left out,
 * and properties that would make it larger than 256 kB; of `event` the body goes first.
 *
 * @param message a message of a flow; not changed
 */
export function keptMessage(message: Readonly<Record<string, unknown>>): MessageSnapshot {
  const kept: Record<string, unknown> = {};
  let room = LONGEST_MESSAGE;
  /** The body of an event is often the payload as well; what did not fit once does not fit later. */
  const tooLarge = new WeakMap<object, number>();
  const names = [...new Set([...FIRST, ...Object.keys(message)])];
  for (const name of names) {
    if (LIVE.has(name) || name === '__proto__' || !Object.hasOwn(message, name)) continue;
    const value = message[name];
    for (const candidate of name === 'event' ? [value, withoutBody(value)] : [value]) {
      const copy = new BoundedCopy(room, tooLarge);
      const copied = copy.of(candidate);
      if (copied === undefined || copy.room < 0) continue;
      kept[name] = copied;
      room = copy.room;
      break;
    }
  }
  return kept;
}

function withoutBody(event: unknown): unknown {
  return typeof event === 'object' && event !== null ? { ...event, body: undefined } : undefined;
}

class BoundedCopy {
  readonly #tooLarge: WeakMap<object, number>;
  readonly #above = new Set<object>();

  constructor(
    public room: number,
    /** By object: the room that was not enough for it. */
    tooLarge: WeakMap<object, number>
  ) {
    this.#tooLarge = tooLarge;
  }

  /** @returns undefined for what cannot be kept */
  of(value: unknown): unknown {
    if (this.room < 0) return undefined;
    switch (typeof value) {
      case 'string':
        this.room -= value.length + VALUE_BYTES;
        return value;
      case 'number':
      case 'boolean':
        this.room -= VALUE_BYTES;
        return value;
      case 'object':
        // Empty ones count too: a list of a million of them is no small thing to write.
        this.room -= VALUE_BYTES;
        return value === null ? null : this.#object(value);
      default:
        return undefined;
    }
  }

  #object(value: object): unknown {
    if (value instanceof Date) return new Date(value);
    if (value instanceof Uint8Array) {
      if (value.length > LONGEST_BUFFER) return undefined;
      this.room -= value.length;
      return Buffer.from(value);
    }
    const plain = Array.isArray(value) || isPlain(value);
    if (!plain || this.#above.has(value) || this.#above.size >= DEEPEST) return undefined;
    const room = this.room;
    if (room <= (this.#tooLarge.get(value) ?? -1)) this.room = -1;
    if (this.room < 0) return undefined;
    this.#above.add(value);
    const copied = Array.isArray(value) ? this.#items(value) : this.#fields(value);
    this.#above.delete(value);
    if (this.room < 0) this.#tooLarge.set(value, room);
    return copied;
  }

  #items(value: readonly unknown[]): unknown[] {
    const copy: unknown[] = [];
    for (const item of value) {
      if (this.room < 0) break;
      copy.push(this.of(item) ?? null);
    }
    return copy;
  }

  #fields(value: object): Record<string, unknown> {
    const copy: Record<string, unknown> = {};
    for (const name of Object.keys(value)) {
      if (this.room < 0) break;
      if (name === '__proto__') continue;
      const copied = this.of((value as Record<string, unknown>)[name]);
      if (copied === undefined) continue;
      this.room -= name.length + VALUE_BYTES;
      copy[name] = copied;
    }
    return copy;
  }
}

/** Messages made in a Function node have the prototype of its sandbox, not that of this program. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
