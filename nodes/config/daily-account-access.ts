import type { CodedError } from '../../src/errors/coded-error';
import type { ProxyChoice } from '../../src/http/proxy/proxy-choice';
import type { ApiPace } from '../../src/providers/http/api-pace';
import { noteUser, type AccountNode } from './account-users';
import type { NodeRedApi, RedNode } from '../lib/node-red';

/** What a `daily-account` config node offers to the nodes that use it. */
export interface DailyAccount {
  /** Decoded secrets of the webhooks; empty when none is usable. */
  readonly secrets: readonly Buffer[];
  /** One `BAD_PUBLIC_KEY` for each entry that is not a secret. */
  readonly secretProblems: readonly CodedError[];
  /** Without a trailing slash. */
  readonly apiUrl: string;
  /** Public address of this Node-RED as written in the account; blank: unknown. */
  readonly publicUrl: string;
  /** A secret; goes to the host of `apiUrl` and nowhere else. Null when none is set. */
  apiKey(): string | null;
  /** Which proxy leads to the API; null: none. */
  readonly proxy: ProxyChoice | null;
  /** Shared by all nodes that ask the API with this key. */
  readonly pace: ApiPace;
}

export type DailyAccountNode = AccountNode & { dailyAccount?: DailyAccount };

/**
 * @param user a node whose Catch nodes get the faults of the account
 * @returns null when none is chosen, or the chosen one is missing, disabled or of another type
 */
export function dailyAccountOf(RED: NodeRedApi, id: unknown, user?: RedNode): DailyAccount | null {
  if (typeof id !== 'string' || id === '') return null;
  const node = RED.nodes.getNode(id) as DailyAccountNode | null | undefined;
  if (node && user !== undefined) noteUser(node, user);
  return node?.dailyAccount ?? null;
}
