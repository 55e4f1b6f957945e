import type { ErrorCode } from '../../src/errors/codes';
import { beginningOfKey } from '../../src/verification/key-text';
import type { TelnyxAccount } from '../config/telnyx-account-access';
import type { Say } from '../lib/node-status';
import type { KeyStatus } from './webhook-node';

/** Codes with a text of their own below `asking-failed`. */
const CAUSES: ReadonlySet<ErrorCode> = new Set([
  'API_UNAUTHORIZED',
  'API_NOT_FOUND',
  'RATE_LIMITED',
  'STALLED',
  'BAD_PUBLIC_KEY',
  'BAD_SETTING'
]);

type Account = Pick<TelnyxAccount, 'keys' | 'keyOrigin' | 'askedKeys'>;

/** Says which public key of a Telnyx account is in use, where it comes from, and why there is none yet. */
export function statusOfKeys({ keys, keyOrigin, askedKeys }: Account, say: Say): KeyStatus {
  if (askedKeys === null) {
    const [first, ...more] = keys.publicKeys;
    if (first === undefined) return { inUse: '' };
    const others = more.length === 0 ? '' : ` (+${more.length})`;
    return { inUse: say(`key-of.${keyOrigin}`, { key: `${textOf(first)}${others}` }) };
  }
  return {
    inUse: () => {
      const [present] = askedKeys.publicKeys;
      return present === undefined ? '' : say('key-of.api', { key: textOf(present) });
    },
    trouble: () => {
      if (askedKeys.publicKeys.length > 0) return null;
      const { fault } = askedKeys;
      if (fault === null) return { text: say('asking'), isForUser: false };
      const cause = say(`asking-failed.${CAUSES.has(fault.code) ? fault.code : 'LINK_REFUSED'}`);
      return { text: say('no-key-yet', { cause }), isForUser: !fault.retryable };
    },
    onChange: (listener) => askedKeys.onNews(listener)
  };
}

function textOf(key: Buffer): string {
  return beginningOfKey(key.toString('base64'));
}
