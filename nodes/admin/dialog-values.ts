import { CodedError } from '../../src/errors/coded-error';
import { HIDDEN_PASSWORD } from '../config/hidden-password';
import type { NodeRedApi, RedNode } from '../lib/node-red';

const LONGEST_TEXT = 2048;
const LONGEST_LIST = 100;

/** The current values of a dialog, as it sent them. */
export class DialogValues {
  readonly #RED: Pick<NodeRedApi, 'util'>;
  readonly #fields: Readonly<Record<string, unknown>>;

  /** @throws CodedError `BAD_SETTING` when the body is not an object */
  constructor(RED: Pick<NodeRedApi, 'util'>, body: unknown) {
    if (typeof body !== 'object' || body === null || Array.isArray(body))
      throw new CodedError('BAD_SETTING', 'Expected the values of the dialog as JSON.');
    this.#RED = RED;
    this.#fields = body as Record<string, unknown>;
  }

  /**
   * A value exactly as it was sent; blank when it is missing or not text.
   *
   * @throws CodedError `BAD_SETTING` when it is too long
   */
  text(name: string): string {
    return this.#limited(name, this.#valueOf(name));
  }

  /** As `text`, with the value of the environment variable that it may name: only the runtime knows that. */
  setting(name: string, node: RedNode | null = null): string {
    return this.#resolved(this.text(name), node);
  }

  /**
   * A password: what was typed, or what is deployed when the dialog shows only a placeholder.
   *
   * @param node the node that has it; null when it is not deployed
   */
  password(name: string, node: RedNode | null): string {
    const given = this.text(name);
    return given === HIDDEN_PASSWORD ? (node?.credentials?.[name] ?? '') : this.#resolved(given.trim(), node);
  }

  /** Whether a password was typed, so that the deployed one no longer counts. */
  isTyped(name: string): boolean {
    return this.text(name) !== HIDDEN_PASSWORD;
  }

  isOn(name: string): boolean {
    return this.#valueOf(name) === true;
  }

  /** @throws CodedError `BAD_SETTING` when it is too long */
  list(name: string): string[] {
    const value = this.#valueOf(name);
    if (!Array.isArray(value)) return [];
    if (value.length > LONGEST_LIST) throw new CodedError('BAD_SETTING', `"${name}" has too many entries.`);
    return (value as unknown[]).map((entry) => this.#limited(name, entry));
  }

  #valueOf(name: string): unknown {
    return Object.hasOwn(this.#fields, name) ? this.#fields[name] : undefined;
  }

  #limited(name: string, value: unknown): string {
    if (typeof value !== 'string') return '';
    if (value.length > LONGEST_TEXT) throw new CodedError('BAD_SETTING', `"${name}" is too long.`);
    return value;
  }

  #resolved(text: string, node: RedNode | null): string {
    if (!/^\$\{[^{}]{1,200}\}$/.test(text)) return text;
    let value: unknown = '';
    this.#RED.util.evaluateNodeProperty(text, 'env', node ?? ({} as RedNode), {}, (error, found) => {
      if (error === null) value = found;
    });
    return typeof value === 'string' ? value : '';
  }
}
