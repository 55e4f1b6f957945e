import { createHash } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import { CodedError } from '../../src/errors/coded-error';
import { TelnyxApi } from '../../src/providers/telnyx/api-client';
import { askPublicKeys } from '../../src/providers/telnyx/public-key';
import { AskedKeys, type KeyNews, type KeySource } from '../../src/verification/asked-keys';
import { beginningOfKey } from '../../src/verification/key-text';
import { inLanguage } from '../lib/in-language';
import type { NodeRedApi, RedNode } from '../lib/node-red';
import { afterStart } from '../lib/on-flows-started';
import { onClose } from '../lib/on-input';
import { stateDatabase } from '../lib/state';
import type { TelnyxAccount } from './telnyx-account-access';

/** The collection of the state that keeps them. */
const COLLECTION = 'public-keys';

/** Milliseconds for one question; deliveries are waiting for the answer. */
const TIMEOUT_MS = 10_000;

/** By Node-RED, then by API and key. They outlive redeploys, and are shared by all nodes and accounts with the same key. */
const known = new WeakMap<EventEmitter, Map<string, AskedKeys>>();

type AskingAccount = Pick<TelnyxAccount, 'apiUrl' | 'apiKey' | 'pace' | 'proxy'>;

/** The public keys that the API of an account tells. Nothing is asked before `useAskedKeys`. */
export function askedKeysOf(RED: NodeRedApi, account: AskingAccount): AskedKeys {
  const here = known.get(RED.events) ?? new Map<string, AskedKeys>();
  known.set(RED.events, here);
  const name = nameOf(account);
  const asked = here.get(name) ?? new AskedKeys();
  here.set(name, asked);
  return asked;
}

/** Has the keys asked for, and asked for again, while a webhook node exists. */
export function useAskedKeys(RED: NodeRedApi, user: RedNode, asked: AskedKeys, account: AskingAccount): void {
  onClose(user, asked.use(sourceOf(RED, account)));
}

/** Logs at an account what becomes of the keys that its API tells. */
export function reportAskedKeys(RED: NodeRedApi, node: RedNode, asked: AskedKeys): void {
  // What a constructor reports is lost: the Catch nodes do not exist yet.
  const started = new Promise<void>((resolve) => afterStart(RED, node, resolve));
  const end = asked.onNews((news) => void started.then(() => report(RED, node, asked, news)));
  onClose(node, end);
}

function report(RED: Pick<NodeRedApi, '_'>, node: RedNode, { publicKeys }: AskedKeys, news: KeyNews): void {
  const [present, ...replaced] = publicKeys.map((key) => beginningOfKey(key.toString('base64')));
  if (news.kind === 'found') {
    node.log(`Telnyx told the public key of the account, as there is none in "Public key": ${present ?? ''}`);
  } else if (news.kind === 'replaced') {
    const text =
      `Telnyx has another public key for the account: ${present ?? ''} is used from now on. The earlier one, ` +
      `${replaced[0] ?? ''}, stays valid for 24 hours.`;
    node.warn(inLanguage(RED, 'error.KEY_REPLACED', text));
  } else if (news.kind === 'failed' && !news.isRepeated) {
    const { code, message, retryable } = news.error;
    if (present !== undefined) {
      const text = `Telnyx could not be asked for the present public key, so ${present} stays in use. ${message}`;
      node.warn(inLanguage(RED, 'error.' + code, text));
      return;
    }
    const advice =
      'Until the public key is known, deliveries are answered with 503. You can also copy it from the Telnyx portal ' +
      '(Keys & Credentials, Public Key) into "Public key" of the account.';
    node.error(
      new CodedError(code, `Telnyx could not be asked for the public key. ${message} ${advice}`, {
        retryable
      }),
      {}
    );
  }
}

function sourceOf(RED: NodeRedApi, account: AskingAccount): KeySource {
  const name = nameOf(account);
  const collection = () => stateDatabase(RED).collection<unknown>(COLLECTION);
  return {
    ask: async (signal) => {
      const { apiUrl, pace, proxy } = account;
      const apiKey = (): string | null => account.apiKey();
      const api = new TelnyxApi({ apiUrl, apiKey, pace, proxy, timeoutMs: TIMEOUT_MS });
      try {
        return await askPublicKeys(api, signal);
      } finally {
        await api.close();
      }
    },
    kept: () => {
      try {
        return collection().get(name);
      } catch {
        // The webhook nodes report faults of the state.
        return undefined;
      }
    },
    keep: async (value) => collection().put(name, value)
  };
}

/** Different for each API and key; the key cannot be read from it. */
function nameOf({ apiUrl, apiKey }: AskingAccount): string {
  return createHash('sha256')
    .update(`public key\n${apiUrl}\n${apiKey() ?? ''}`)
    .digest('base64url');
}
