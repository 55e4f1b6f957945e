import type { Keeping } from '../../../src/archive/download/keeping';
import { CodedError } from '../../../src/errors/coded-error';
import { requestedDates, type RetentionPolicy } from '../../../src/retention/retention-policy';
import { readRetention } from '../../../src/store/kept-facts';
import type { NodeRedApi, RedNode } from '../../lib/node-red';
import { readText } from '../../lib/read-setting';
import type { RetentionSettings } from './retention-settings';

/** @throws CodedError `BAD_SETTING` */
export type TelnyxRetentionNode = RedNode & { telnyxRetention?: () => RetentionSettings };

/**
 * The retention that a node has chosen; null when none is chosen.
 *
 * @throws CodedError `BAD_SETTING` when the chosen one is missing or disabled, or its settings are wrong
 */
export function telnyxRetentionOf(RED: Pick<NodeRedApi, 'nodes'>, id: unknown): RetentionSettings | null {
  const chosen = readText(id);
  if (chosen === '') return null;
  const node = RED.nodes.getNode(chosen) as TelnyxRetentionNode | null | undefined;
  if (node?.telnyxRetention === undefined)
    throw new CodedError(
      'BAD_SETTING',
      'The retention that is chosen as "Retention" is missing or disabled. Choose another one, or none: recordings are ' +
        'then kept without dates.'
    );
  return node.telnyxRetention();
}

/** What the archive has to know of a policy. @param policy null: only messages ask for dates */
export function keepingOf(policy: RetentionPolicy | null): Keeping {
  return {
    hasPolicy: policy !== null,
    lockMode: policy?.lockMode ?? 'none',
    of: (recording, message) =>
      policy === null ? requestedDates(recording, message) : policy.of(recording, message),
    read: readRetention
  };
}
