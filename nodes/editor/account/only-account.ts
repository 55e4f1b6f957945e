import { isChosen } from '../lib/validators';

/** The type of a property that names an account. */
const ACCOUNT = /-account$/;

/**
 * Chooses the account of a node that comes from the palette when there is only one of its kind. The editor calls it
 * for pasted and imported nodes, too; those keep what they have.
 */
export function chooseOnlyAccounts(this: EditorNode): void {
  const isNew = !RED.nodes.node(this.id);
  if (!isNew) return;
  const node = this as EditorNode & Record<string, unknown>;
  for (const [property, { type }] of Object.entries(this._def.defaults)) {
    if (type === undefined || !ACCOUNT.test(type) || isChosen(node[property])) continue;
    const found: string[] = [];
    RED.nodes.eachConfig((config) => {
      const isUsable = config.d !== true && (!config.z || config.z === this.z);
      if (config.type === type && isUsable) found.push(config.id);
    });
    if (found.length === 1) node[property] = found[0];
  }
}
