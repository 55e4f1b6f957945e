import type { ProxyChoice } from '../../src/http/proxy/proxy-choice';
import type { ApiPace } from '../../src/providers/http/api-pace';
import type { CodedError } from '../../src/errors/coded-error';
import type { AskedKeys } from '../../src/verification/asked-keys';
import type { TelnyxKeys } from '../../src/verification/telnyx-verifier';
import { noteUser, type AccountNode } from './account-users';
import type { NodeRedApi, RedNode } from '../lib/node-red';

/** Where the public keys of an account come from: its field, the environment variable, or Telnyx's API. */
export type KeyOrigin = 'account' | 'environment' | 'api';

/** What a `telnyx-account` config node offers to the nodes that use it. */
export interface TelnyxAccount {
  /** Without those that the API tells. */
  readonly keys: TelnyxKeys;
  readonly keyOrigin: KeyOrigin;
  /** With the origin `api`: the public keys that the API tells. */
  readonly askedKeys: AskedKeys | null;
  /** One `BAD_PUBLIC_KEY` for each entry that is not a key. */
  readonly keyProblems: readonly CodedError[];
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

export type TelnyxAccountNode = AccountNode & { telnyxAccount?: TelnyxAccount };

/**
 * @param user a node whose Catch nodes get the faults of the account
 * @returns null when none is chosen, or the chosen one is missing, disabled or of another type
 */
export function telnyxAccountOf(RED: NodeRedApi, id: unknown, user?: RedNode): TelnyxAccount | null {
  if (typeof id !== 'string' || id === '') return null;
  const node = RED.nodes.getNode(id) as TelnyxAccountNode | null | undefined;
  if (node && user !== undefined) noteUser(node, user);
  return node?.telnyxAccount ?? null;
}
