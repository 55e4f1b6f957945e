import { isUnsetVariable } from '../../../src/verification/account-keys';
import type { DialogValues } from '../../admin/dialog-values';
import type { RedNode } from '../../lib/node-red';

/**
 * The API key of the account in a dialog: typed, deployed, or of the environment.
 *
 * @param node the deployed account; null if there is none
 * @param fromEnvironment what counts when the field is blank
 * @returns null when there is none
 */
export function keyOf(
  values: DialogValues,
  node: RedNode | null,
  fromEnvironment: string | undefined
): string | null {
  const key = values.password('apiKey', node).trim() || (fromEnvironment ?? '').trim();
  return key === '' || isUnsetVariable(key) ? null : key;
}
