/** The part of a flow's message that survives a restart. */
export type KeptMessage = Readonly<Record<string, unknown>>;

/** Bytes of one message that are kept, counted roughly. */
const LONGEST_MESSAGE = 256 * 1024;
/** Larger Buffers are media, which no message of the past needs again. */
const LONGEST_BUFFER = 64 * 1024;
const DEEPEST = 50;

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
export function keptMessage(message: Readonly<Record<string, unknown>>): KeptMessage {
  const kept: Record<string, unknown> = {};
  let room = LONGEST_MESSAGE;
  const names = [...new Set([...FIRST, ...Object.keys(message)])];
  for (const name of names) {
    if (LIVE.has(name) || name === '__proto__' || !Object.hasOwn(message, name)) continue;
    const value = message[name];
    for (const candidate of name === 'event' ? [value, withoutBody(value)] : [value]) {
      const copy = new BoundedCopy(room);
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
  readonly #above = new Set<object>();

  constructor(public room: number) {}

  /** @returns undefined for what cannot be kept */
  of(value: unknown): unknown {
    if (this.room < 0) return undefined;
    switch (typeof value) {
      case 'string':
        this.room -= value.length + 8;
        return value;
      case 'number':
      case 'boolean':
        this.room -= 8;
        return value;
      case 'object':
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
    this.#above.add(value);
    const copied = Array.isArray(value) ? value.map((item) => this.of(item) ?? null) : this.#fields(value);
    this.#above.delete(value);
    return copied;
  }

  #fields(value: object): Record<string, unknown> {
    const copy: Record<string, unknown> = {};
    for (const [name, inner] of Object.entries(value)) {
      if (name === '__proto__') continue;
      const copied = this.of(inner);
      if (copied === undefined) continue;
      this.room -= name.length + 8;
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
