import { CodedError } from '../../src/errors/coded-error';
import { rootCause } from '../../src/errors/root-cause';
import { parseSecrets } from '../../src/verification/account-keys';
import type { MeetingSecretsOf } from '../../src/verification/telnyx-verifier';
import type { NodeRedApi, RedNode } from '../lib/node-red';
import { readTypedProperty } from '../lib/typed-property';

/** Far more than one session has while its secret is replaced. */
const MOST_SECRETS = 5;

/**
 * Finds the secrets of meetings that flows have started, in an object of the global context: session ids with their
 * `webhook_secret`. It is read for each delivery, so that a new meeting needs no deploy.
 *
 * @param property its name, as a typedInput writes it; blank: there is none
 */
export function meetingSecretsFrom(
  RED: Pick<NodeRedApi, 'util'>,
  account: RedNode,
  property: string
): MeetingSecretsOf {
  let isReported = false;
  return async (sessionId) => {
    if (property === '') return [];
    try {
      const kept = await readTypedProperty(RED, account, { property, type: 'global' }, {});
      isReported = false;
      // An id may be the name of something that every object has.
      if (typeof kept !== 'object' || kept === null || !Object.hasOwn(kept, sessionId)) return [];
      const secret: unknown = (kept as Record<string, unknown>)[sessionId];
      return typeof secret === 'string' ? parseSecrets(secret).slice(0, MOST_SECRETS) : [];
    } catch (error) {
      // Anybody can send a delivery that leads here.
      if (!isReported) account.error(unreadable(error), {});
      isReported = true;
      return [];
    }
  };
}

function unreadable(error: unknown): CodedError {
  return new CodedError(
    'BAD_SETTING',
    `The secrets of meetings in the global context could not be read, so deliveries of those meetings are refused: ` +
      `${rootCause(error)} Check "Context" of the account.`,
    { cause: error }
  );
}
