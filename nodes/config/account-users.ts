import { CodedError } from '../../src/errors/coded-error';
import { isUnsetVariable } from '../../src/verification/account-keys';
import type { ApiShare } from '../../src/providers/http/api-pace';
import type { RedNode } from '../lib/node-red';
import { onClose } from '../lib/on-input';

/** Node-RED passes the errors of a config node to the Catch nodes in the flows of these nodes. */
export type AccountNode = RedNode & {
  users?: Record<string, RedNode>;
  /** What other Node-REDs leave of the rate limit of its API. */
  apiShare?: ApiShare;
};

/** Reports faults of the account to the Catch nodes of `user`, for as long as that node exists. */
export function noteUser(account: AccountNode, user: RedNode): void {
  const { users } = account;
  if (users === undefined) return;
  users[user.id] = user;
  onClose(user, () => {
    Reflect.deleteProperty(users, user.id);
  });
}

/**
 * One `BAD_SETTING` for each secret that names an environment variable without a value.
 *
 * @param labels as the dialog shows them
 */
export function unsetSecrets<Name extends string>(
  labels: Readonly<Record<Name, string>>,
  secret: (name: Name) => string
): CodedError[] {
  const unset = (Object.keys(labels) as Name[]).filter((name) =>
    secret(name)
      .split(/[\s,]+/)
      .some(isUnsetVariable)
  );
  return unset.map(
    (name) =>
      new CodedError(
        'BAD_SETTING',
        `The account's "${labels[name]}" names an environment variable that is not set, and counts as blank. Set the ` +
          'variable, or put the value itself there.'
      )
  );
}
