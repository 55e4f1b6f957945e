import { CodedError } from '../../src/errors/coded-error';
import type { ProviderAccount, ProviderDefinition } from '../../src/providers/provider';
import type { WebhookHealth, WebhookProblem } from '../../src/providers/webhook-health';
import { parseUrl } from '../../src/values/fields';
import { comparablePath } from '../../src/webhook/express/route-path';
import { apiBreakers } from '../config/provider-accounts';
import { inLanguage } from '../lib/in-language';
import type { NodeRedApi, RedNode } from '../lib/node-red';
import { inBackground, onClose } from '../lib/on-input';
import { afterStart } from '../lib/on-flows-started';

/** Where a webhook node is reached. */
export interface Address {
  /** As written in the node. */
  path: string;
  /** As written in the node; blank: unknown. */
  publicUrl: string;
}

/** Makes a test for URLs that lead to one of the addresses. Where the host is known, it must be the same. */
export function leadsTo(addresses: readonly Address[]): (url: string) => boolean {
  const known = addresses.map(({ path, publicUrl }) => ({
    path: comparablePath(path),
    host: parseUrl(publicUrl)?.host ?? null
  }));
  return (url) => {
    const parsed = parseUrl(url);
    if (parsed === null) return false;
    // A proxy in front of Node-RED may have put something before the path.
    const path = comparablePath(parsed.pathname);
    return known.some((one) => path.endsWith(one.path) && (one.host === null || one.host === parsed.host));
  };
}

/** How long a delivery that failed counts. Milliseconds. */
const SPAN_MS = 60 * 60_000;
const INTERVAL_MS = 5 * 60_000;
/** After a deploy, so that many of them in a row ask nothing. */
const FIRST_MS = 30_000;

export interface HealthWatch {
  definition: ProviderDefinition;
  account: ProviderAccount | null;
  address: Address;
  /** Called with the present problems after each check; none when all is well. */
  onChecked: (problems: readonly WebhookProblem[]) => void;
}

/**
 * Asks every five minutes whether the provider still delivers to a webhook node, when the account has an API key. While
 * the API does not answer the last result stays; the log says so once.
 *
 * @param times milliseconds
 */
export function watchHealth(
  RED: NodeRedApi,
  node: RedNode,
  { definition, account, address, onChecked }: HealthWatch,
  { first, interval } = { first: FIRST_MS, interval: INTERVAL_MS }
): void {
  if (account === null || account.apiKey() === null || definition.openHealth === undefined) return;
  let health: WebhookHealth;
  try {
    health = definition.openHealth(account, { breakers: apiBreakers });
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    // The node receives nevertheless.
    afterStart(RED, node, () => node.warn(notChecked(RED, error)));
    return;
  }
  const closing = new AbortController();
  const isOurs = leadsTo([address]);
  let isWarned = false;
  let timer: NodeJS.Timeout | undefined;
  const check = async (): Promise<void> => {
    try {
      const to = Date.now();
      const problems = await health.check({ isOurs, from: to - SPAN_MS, to }, closing.signal);
      if (closing.signal.aborted) return;
      isWarned = false;
      onChecked(problems);
    } catch (error) {
      if (closing.signal.aborted) return;
      if (!(error instanceof CodedError)) throw error;
      if (!isWarned) node.warn(notChecked(RED, error, ' now'));
      isWarned = true;
    } finally {
      if (!closing.signal.aborted) schedule(interval);
    }
  };
  const schedule = (wait: number): void => {
    // Not all nodes at the same moment.
    timer = setTimeout(() => inBackground(node, check), wait * (1 + Math.random() / 4));
    timer.unref();
  };
  afterStart(RED, node, () => schedule(first));
  onClose(node, async () => {
    clearTimeout(timer);
    closing.abort(new CodedError('GAVE_UP', 'The node was closed.'));
    await health.close();
  });
}

/** The warning of a check that failed. @param when ` now` when it is tried again */
export function notChecked(
  RED: Pick<NodeRedApi, '_'>,
  { code, message }: CodedError,
  when: '' | ' now' = ''
): string {
  return inLanguage(RED, 'error.' + code, `Whether deliveries fail cannot be checked${when}. ${message}`);
}

/** How far back a recording list looks. Milliseconds. */
const LIST_SPAN_MS = 24 * 60 * 60_000;

/**
 * Looks once whether a provider still delivers to the webhook nodes that are given.
 *
 * @returns none, too, when there is nothing to ask or nothing to look at
 * @throws CodedError as `WebhookHealth.check`
 */
export async function checkHealth(
  definition: ProviderDefinition,
  account: ProviderAccount | null,
  addresses: readonly Address[],
  signal: AbortSignal
): Promise<WebhookProblem[]> {
  const isAsked = account !== null && account.apiKey() !== null && addresses.length > 0;
  if (!isAsked || definition.openHealth === undefined) return [];
  const health = definition.openHealth(account, { breakers: apiBreakers });
  try {
    const to = Date.now();
    return await health.check({ isOurs: leadsTo(addresses), from: to - LIST_SPAN_MS, to }, signal);
  } finally {
    await health.close();
  }
}
