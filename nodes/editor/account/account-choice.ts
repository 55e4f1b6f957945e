import { isChosen, isVariable } from '../lib/validators';

/**
 * Validator of the account of a node that cannot work without one. Without a validator of ours the editor names the
 * property, but no reason.
 */
export const neededAccount: EditorValidator = function (value, _options) {
  if (isVariable(value)) return true;
  const account = isChosen(value) ? (RED.nodes.node(String(value)) ?? null) : null;
  if (account === null) return this._(`${this.type}.error.account`);
  if (account.valid !== false) return true;
  const [reason] = account.validationErrors ?? [];
  return this._(`${this.type}.error.account-invalid`, { reason: reason ?? account.id });
};
