import { CodedError } from '../../src/errors/coded-error';
import type { ProviderDefinition } from '../../src/providers/provider';
import type { ProviderAccounts } from '../../src/providers/registry';
import type { FlowMessage, NodeRedApi, RedNode } from '../lib/node-red';
import { statusTexts } from '../lib/node-status';
import { checkHealth, notChecked } from '../webhook/webhook-health';
import { runningReceivers } from '../webhook/webhook-receivers';
import { summaryMessage } from './list-messages';

export interface HealthReport {
  definition: ProviderDefinition;
  accounts: ProviderAccounts;
  /** The message that began the run. */
  message: FlowMessage;
  /** Sends to the second output. */
  tell: (message: FlowMessage) => void;
  signal: AbortSignal;
}

/**
 * Sends one message for each problem of the webhooks that lead to this Node-RED. A check that fails is logged, because the
 * run itself went well.
 *
 * @returns a short text for the status; blank when all is well
 * @throws `signal.reason` when aborted
 */
export async function reportHealth(
  RED: NodeRedApi,
  node: RedNode,
  { definition, accounts, message, tell, signal }: HealthReport
): Promise<string> {
  const account = accounts.get(definition.name) ?? null;
  const addresses = runningReceivers(RED, `${definition.name}-webhook-in`);
  try {
    const problems = await checkHealth(definition, account, addresses, signal);
    for (const problem of problems) tell(summaryMessage(message, problem, 'webhook.problem'));
    const [first] = problems;
    return first === undefined
      ? ''
      : statusTexts(RED, node.type)(first.problem, { count: first.failed ?? 0 });
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof CodedError)) throw error;
    node.warn(notChecked(RED, error, ' now'));
    return '';
  }
}
