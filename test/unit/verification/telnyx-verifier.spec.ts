import { createHmac } from 'node:crypto';
import should from 'should';
import { headerValues } from '../../../src/verification/signed-delivery';
import { TelnyxVerifier } from '../../../src/verification/telnyx-verifier';
import { KEY, NOW, accepted, delivery, refused, signedHeaders } from './signed-deliveries';

const BODY = '{"a":1}';
const MEETING = 'meeting-secret';
const LEGACY = 'legacy-secret';

const ed25519 = signedHeaders(BODY);
const meeting: [string, string] = [
  'X-Meeting-Bot-Signature',
  `t=${NOW},v1=${createHmac('sha256', MEETING).update(`${NOW}.${BODY}`).digest('hex')}`
];
const legacy: [string, string] = [
  'X-Telnyx-Signature',
  createHmac('sha256', LEGACY).update(BODY).digest('hex')
];

const ALL = { publicKeys: [KEY], meetingSecrets: [MEETING], legacySecrets: [LEGACY] };
const NONE = { publicKeys: [], meetingSecrets: [], legacySecrets: [] };

describe('TelnyxVerifier', () => {
  const verify = (headers: [string, string][], keys = ALL) =>
    new TelnyxVerifier(keys, 300).verify(delivery({ body: BODY, headers }));

  it('chooses the scheme by the header', async () => {
    accepted(await verify(ed25519), 'ed25519');
    accepted(await verify([meeting]), 'hmac');
    accepted(await verify([legacy]), 'hmac');
  });

  it('rejects an unsigned delivery, whatever the keys', async () => {
    refused(await verify([]), 'MISSING_SIGNATURE');
    refused(await verify([], { ...NONE, meetingSecrets: [MEETING] }), 'NO_PUBLIC_KEY');
  });

  it('lets no scheme replace another that failed', async () => {
    const broken: [string, string][] = [['Telnyx-Signature-Ed25519', 'AAAA'], ed25519[1]!];
    refused(await verify([...broken, meeting, legacy]), 'MALFORMED_SIGNATURE');
    refused(await verify([['X-Meeting-Bot-Signature', 't=1,v1=0'], legacy]), 'MALFORMED_SIGNATURE');
  });

  it('needs the key of the same scheme', async () => {
    const without = (keys: Partial<typeof ALL>) => ({ ...ALL, ...keys });
    refused(await verify(ed25519, without({ publicKeys: [] })), 'NO_PUBLIC_KEY');
    refused(await verify([meeting], without({ meetingSecrets: [] })), 'NO_PUBLIC_KEY');
    refused(await verify([legacy], without({ legacySecrets: [] })), 'NO_PUBLIC_KEY');
  });

  it('applies the tolerance of the node to meetings', async () => {
    const late = delivery({ body: BODY, headers: [meeting], receivedAt: (NOW + 61) * 1000 });
    refused(await new TelnyxVerifier(ALL, 60).verify(late), 'TIMESTAMP_OUT_OF_RANGE');
    accepted(await new TelnyxVerifier(ALL, 61).verify(late), 'hmac');
  });
});

describe('headerValues', () => {
  it('finds every value in order, in upper or lower case, unjoined', () => {
    const raw = ['A', '1', 'b', '2', 'a', '3, 4'];
    should(headerValues(raw, 'a')).deepEqual(['1', '3, 4']);
    should(headerValues(raw, 'c')).deepEqual([]);
  });

  it('does not mistake a value for a name', () => {
    should(headerValues(['x', 'a', 'a', 'y'], 'a')).deepEqual(['y']);
    should(headerValues(['a'], 'a')).deepEqual([]);
  });
});
