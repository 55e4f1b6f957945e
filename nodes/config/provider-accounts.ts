import { CircuitBreakers } from '../../src/providers/http/circuit-breaker';
import type { ProviderAccount } from '../../src/providers/provider';
import type { ProviderAccounts } from '../../src/providers/registry';
import type { NodeRedApi, RedNode } from '../lib/node-red';
import { readText } from '../lib/read-setting';
import { ACCOUNT_CHOICES, type AccountChoices } from './account-choices';
import { dailyAccountOf } from './daily-account-access';
import { telnyxAccountOf } from './telnyx-account-access';

/** Shared by all nodes: whether an account's API answers does not depend on the node that asks. */
export const apiBreakers = new CircuitBreakers();

type Finder = (RED: NodeRedApi, id: unknown, user: RedNode) => ProviderAccount | null;

/** By the property that names the account. */
const FINDERS: Readonly<Record<keyof AccountChoices, Finder>> = {
  account: telnyxAccountOf,
  dailyAccount: dailyAccountOf
};

/** The accounts chosen in a node, by provider. Their faults are reported to its Catch nodes. */
export function accountsOf(RED: NodeRedApi, choices: AccountChoices, user: RedNode): ProviderAccounts {
  return new Map(
    ACCOUNT_CHOICES.map(({ provider, property }) => {
      const find = FINDERS[property];
      return [provider, find(RED, choices[property], user)] as const;
    })
  );
}

/** Whether a node has chosen an account at all. */
export function hasAccount(choices: AccountChoices): boolean {
  return ACCOUNT_CHOICES.some(({ property }) => readText(choices[property]) !== '');
}
