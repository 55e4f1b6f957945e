import { withoutSecrets } from '../../../store/sidecar';

/** What stands for a secret. */
const HIDDEN = '(hidden)';

/** Far more levels than any event has. */
const DEEPEST = 60;
/** Characters of a whole copy. */
const MOST_CHARACTERS = 400_000;
/** What each value takes besides its characters. */
const VALUE_CHARACTERS = 8;
/** What stands for what is left out. */
const LEFT_OUT = '…';

/** How the names of fields that hold secrets end, in lower case and without `-` and `_`. */
const SECRET_NAME =
  /(?:token|secret|password|passphrase|apikey|authorization|signature|credentials?|cookie|privatekey)$/;
const LONGEST_NAME = 100;

/** Parameters that sign a link, wherever they are: also in links that are escaped in some way. */
const SIGNING =
  /(?:\b|%3f|%26)(x-(?:amz|goog)-[a-z-]{1,40}|awsaccesskeyid|key-pair-id|access_token|token|signature|sig|policy)(=|%3d)[^\s"'<>&\\]+/gi;

/**
 * Copies a JSON value for the editor: links lose user, query and fragment, fields named like a secret, and keys in texts,
 * are hidden. What is too deep or too long is left out.
 */
export function masked(value: unknown): { value: unknown; isCut: boolean } {
  const copying = new Copying();
  return { value: copying.copy(value, 0), isCut: copying.isCut };
}

/** As `masked`, for one text. */
export function maskedText(text: string): string {
  // Scans for links and keys only where there are any.
  const bare = withoutSecrets(text) as string;
  const shown = bare.replace(SIGNING, (_all, name: string, equals: string) => `${name}${equals}${HIDDEN}`);
  // A link that stands alone tells that it is not whole.
  return shown.length < text.length && !/\s/.test(shown) && shown.includes('://')
    ? `${shown}?${LEFT_OUT}`
    : shown;
}

class Copying {
  isCut = false;
  #left = MOST_CHARACTERS;

  copy(value: unknown, depth: number): unknown {
    this.#left -= VALUE_CHARACTERS;
    if (typeof value === 'string') return this.#text(value);
    if (typeof value !== 'object' || value === null) return value;
    if (depth >= DEEPEST) return this.#cut();
    return Array.isArray(value) ? this.#list(value, depth) : this.#fields(value, depth);
  }

  #text(text: string): string {
    const part = text.slice(0, Math.max(0, this.#left));
    this.#left -= part.length;
    if (part.length === text.length) return maskedText(text);
    // A link that is cut before its query would not be recognised as one.
    return `${maskedText(part)}${this.#cut()}`;
  }

  #list(values: readonly unknown[], depth: number): unknown[] {
    const copy: unknown[] = [];
    for (const value of values) {
      if (this.#left <= 0) {
        copy.push(this.#cut());
        break;
      }
      copy.push(this.copy(value, depth + 1));
    }
    return copy;
  }

  #fields(fields: object, depth: number): Record<string, unknown> {
    // Without a prototype, every name is only a name.
    const copy = Object.create(null) as Record<string, unknown>;
    // Lists of headers spell a field as name and value.
    const named = (fields as { name?: unknown }).name;
    const isSecretPair = typeof named === 'string' && isSecretName(named);
    for (const [name, value] of Object.entries(fields)) {
      if (this.#left <= 0) {
        copy[LEFT_OUT] = this.#cut();
        break;
      }
      this.#left -= name.length;
      const isSecret = isSecretName(name) || (isSecretPair && name === 'value');
      copy[maskedText(name)] = isSecret && hasContent(value) ? HIDDEN : this.copy(value, depth + 1);
    }
    return copy;
  }

  #cut(): string {
    this.isCut = true;
    return LEFT_OUT;
  }
}

function hasContent(value: unknown): boolean {
  return value !== null && value !== '' && typeof value !== 'boolean';
}

function isSecretName(name: string): boolean {
  if (name.length > LONGEST_NAME) return false;
  return SECRET_NAME.test(name.toLowerCase().replace(/[-_]/g, ''));
}
