import { CodedError } from '../../../src/errors/coded-error';
import { rootCause } from '../../../src/errors/root-cause';
import { parseSecrets } from '../../../src/verification/account-keys';
import { asFields, asText } from '../../../src/values/fields';
import type { MeetingSecretsOf } from '../../../src/verification/telnyx-verifier';
import type { NodeRedApi, RedNode } from '../../lib/node-red';
import { onClose } from '../../lib/on-input';
import { readTypedProperty } from '../../lib/typed-property';
import { KeptMeetingSecrets } from './kept-meeting-secrets';

/** Far more than one session has while its secret is replaced. */
const MOST_SECRETS = 5;

/**
 * Finds the secrets of meetings that flows have started, in an object of the global context: session ids with their
 * `webhook_secret`. It is read for each delivery, so that a new meeting needs no deploy. What was there is kept for the
 * time after a restart.
 *
 * @param property its name, as a typedInput writes it; blank: there is none
 */
export function meetingSecretsFrom(
  RED: Pick<NodeRedApi, 'util' | 'settings'>,
  account: RedNode,
  property: string
): MeetingSecretsOf {
  if (property === '') return () => Promise.resolve([]);
  const kept = new KeptMeetingSecrets(RED, property);
  const context = async (): Promise<Record<string, unknown>> =>
    asFields(await readTypedProperty(RED, account, { property, type: 'global' }, {})) ?? {};
  onClose(account, async () => kept.keepAll(await context().catch(() => ({}))));
  let isReported = false;
  return async (sessionId) => {
    try {
      const secrets = await context();
      isReported = false;
      // An id may be the name of something that every object has.
      const present = Object.hasOwn(secrets, sessionId) ? asText(secrets[sessionId]) : null;
      return parseSecrets(kept.secretsOf(sessionId, present ?? undefined) ?? '').slice(0, MOST_SECRETS);
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
