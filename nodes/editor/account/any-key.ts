import type { KeyPlaces, KnownKeys } from '../../config/dialog/known-keys';
import { knownKeys } from './known-keys';
import { textOf } from '../lib/validators';

/** An account as far as it matters whether it has a key at all. */
interface AccountNode extends EditorNode {
  publicKeys?: string;
  users?: EditorNode[];
}

/**
 * Finds out whether accounts have any key, for the triangle of those that have none. Only the runtime knows which
 * passwords are stored and which environment variables are set, so it is asked at first and after each deploy; until it has answered, all accounts count as complete.
 */
export class AnyKey {
  readonly #places: KeyPlaces;
  #known: KnownKeys | null = null;

  #isAsked = false;

  constructor(places: KeyPlaces) {
    this.#places = places;
  }

  /** Validator of a property without a field, which no flow holds. */
  get validator(): EditorValidator<AccountNode> {
    const lacksKey = (account: AccountNode): boolean => this.#lacksKey(account);
    return function (_value, _options) {
      return lacksKey(this) ? this._(`${this.type}.error.no-key`) : true;
    };
  }

  #lacksKey({ id, publicKeys, credentials }: AccountNode): boolean {
    this.#askOnce();
    if (this.#known === null || textOf(publicKeys).trim() !== '') return false;
    const { variables, accounts } = this.#known;
    if (this.#places.variables.some((name) => variables[name] === true)) return false;
    if (credentials === undefined) return accounts[id] !== true;
    return !this.#places.credentials.some((name) => {
      const typed = credentials[name];
      return typeof typed === 'string' ? typed !== '' : credentials[`has_${name}`] === true;
    });
  }

  /** With the first account that is checked, so that nothing is asked where there is none. */
  #askOnce(): void {
    if (this.#isAsked) return;
    this.#isAsked = true;
    void this.#ask();
    RED.events.on('deploy', () => void this.#ask());
  }

  async #ask(): Promise<void> {
    this.#known = await knownKeys({});
    RED.nodes.eachConfig((config) => {
      if (config.type !== this.#places.type) return;
      const account = config as AccountNode;
      const before = account.valid;
      RED.editor.validateNode(account);
      if (account.valid === before) return;
      for (const user of account.users ?? []) {
        RED.editor.validateNode(user);
        user.dirty = true;
      }
    });
    RED.view.redraw();
  }
}
