import { CircuitBreakers } from '../../src/providers/http/circuit-breaker';
import type { ProviderAccount } from '../../src/providers/provider';
import type { ProviderAccounts } from '../../src/providers/registry';
import type { NodeRedApi, RedNode } from '../lib/node-red';
import { readText } from '../lib/read-setting';
import { ACCOUNT_CHOICES, type AccountChoices } from './account-choices';
import { dailyAccountOf } from './daily-account-access';
import { sharePace } from './queue/account-peers';
import type { SharedQueue } from './queue/shared-queue';
import { telnyxAccountOf } from './telnyx-account-access';

/** Shared by all nodes: whether an account's API answers does not depend on the node that asks. */
export const apiBreakers = new CircuitBreakers();

type Finder = (RED: NodeRedApi, id: unknown, user: RedNode) => ProviderAccount | null;

/** By the property that names the account. */
const FINDERS: Readonly<Record<keyof AccountChoices, Finder>> = {
  account: telnyxAccountOf,
  dailyAccount: dailyAccountOf
};

/**
 * The accounts chosen in a node, by provider. Their faults are reported to its Catch nodes.
 *
 * @param queue through which the rate limits of the accounts are divided among several Node-REDs; null: this one has them alone
 */
export function accountsOf(
  RED: NodeRedApi,
  choices: AccountChoices,
  { user, queue }: { user: RedNode; queue: SharedQueue | null }
): ProviderAccounts {
  return new Map(
    ACCOUNT_CHOICES.map(({ provider, property }) => {
      const find = FINDERS[property];
      const id = readText(choices[property]);
      if (queue !== null) sharePace(RED, id, queue);
      return [provider, find(RED, id, user)] as const;
    })
  );
}

/** Whether a node has chosen an account at all. */
export function hasAccount(choices: AccountChoices): boolean {
  return ACCOUNT_CHOICES.some(({ property }) => readText(choices[property]) !== '');
}
