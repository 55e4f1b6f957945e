import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import type { Delivery } from '../../test/support/deliveries';
import { signed, STRANGER_SEED, TRUSTED_SEED } from '../../test/support/sign';

/** The PKCS #8 prefix of the 32 bytes of an Ed25519 seed. */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

/** What the flows trust, and what they do not. */
export const KEY = keyOf(TRUSTED_SEED);
export const STRANGER_KEY = keyOf(STRANGER_SEED);

/** As `signed` of the tests, which takes most of a processor at hundreds of deliveries a second. */
export function signedDelivery(text: string, key: KeyObject): Delivery {
  const body = Buffer.from(text);
  const stamp = String(Math.floor(Date.now() / 1000));
  const signature = sign(null, Buffer.concat([Buffer.from(`${stamp}|`), body]), key).toString('base64');
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'telnyx-timestamp': stamp,
      'telnyx-signature-ed25519': signature
    }
  };
}

/** @throws Error when node:crypto and tweetnacl sign differently */
export function checkSigner(): void {
  const { headers } = signedDelivery('{}', KEY);
  const { 'telnyx-signature-ed25519': expected } = signed('{}', {
    timestamp: headers['telnyx-timestamp']!
  });
  if (headers['telnyx-signature-ed25519'] !== expected) throw new Error('The two ways to sign differ.');
}

/** `call.recording.saved`. @param id of the event and of the recording; @param url of its WAV file */
export function recordingEvent(id: string, url: string): string {
  return JSON.stringify({
    data: {
      record_type: 'event',
      event_type: 'call.recording.saved',
      id,
      occurred_at: '2026-05-06T07:08:09.100Z',
      payload: {
        call_control_id: `v3:${id}`,
        recording_id: id,
        recording_started_at: '2026-05-06T07:00:00Z',
        recording_urls: { wav: url }
      }
    },
    meta: { attempt: 1, delivered_to: 'https://example.com/telnyx' }
  });
}

function keyOf(seed: number): KeyObject {
  return createPrivateKey({
    key: Buffer.concat([PKCS8, Buffer.alloc(32, seed)]),
    format: 'der',
    type: 'pkcs8'
  });
}
