import { createHmac } from 'node:crypto';
import should from 'should';
import { claimedSession } from '../../../src/verification/telnyx-hmac';
import { type MeetingSecretsOf, TelnyxVerifier } from '../../../src/verification/telnyx-verifier';
import { KEY, NOW, accepted, delivery, refused } from './signed-deliveries';

const BODY = JSON.stringify({ event: 'recording.available', data: { session_id: 'mtgsess_1' } });

function signed(secret: string, body = BODY): [string, string][] {
  const digest = createHmac('sha256', secret).update(`${NOW}.${body}`).digest('hex');
  return [['X-Meeting-Bot-Signature', `t=${NOW},v1=${digest}`]];
}

describe('secrets of meetings that flows have started', () => {
  let asked: string[];
  beforeEach(() => {
    asked = [];
  });

  const secrets: Record<string, string[]> = { mtgsess_1: ['one'], mtgsess_2: ['two'] };
  const secretsOf: MeetingSecretsOf = (id) => {
    asked.push(id);
    return Promise.resolve(secrets[id] ?? []);
  };
  const verify = (headers: [string, string][], { body = BODY, meetingSecrets = [] as string[] } = {}) =>
    new TelnyxVerifier(
      { publicKeys: [KEY], meetingSecrets, legacySecrets: [], meetingSecretsOf: secretsOf },
      300
    ).verify(delivery({ body, headers }));

  it('are chosen by the session', async () => {
    accepted(await verify(signed('one')), 'hmac');
    asked.should.eql(['mtgsess_1']);
  });

  it('are asked for only when no secret of the account fits', async () => {
    const verdict = await verify(signed('own'), { meetingSecrets: ['own'] });
    accepted(verdict, 'hmac');
    asked.should.be.empty();
    const other = await verify(signed('one'), { meetingSecrets: ['own'] });
    should(other.ok && other.keyIndex).equal(1);
  });

  it('never verify a delivery of another session, or a changed one', async () => {
    refused(await verify(signed('two')), 'SIGNATURE_MISMATCH');
    const forged = BODY.replace('mtgsess_1', 'mtgsess_2');
    refused(await verify(signed('one', forged), { body: forged }), 'SIGNATURE_MISMATCH');
    refused(
      await verify(signed('one'), { body: BODY.replace('available', 'Available') }),
      'SIGNATURE_MISMATCH'
    );
  });

  it('are missing for an unknown session, which comes again', async () => {
    const body = BODY.replace('mtgsess_1', 'mtgsess_9');
    refused(await verify(signed('one', body), { body }), 'NO_PUBLIC_KEY');
    refused(await verify(signed('one', body), { body, meetingSecrets: ['own'] }), 'SIGNATURE_MISMATCH');
  });

  it('are not asked for behind a header that cannot be right', async () => {
    refused(await verify([['X-Meeting-Bot-Signature', `t=${NOW},v1=zz`]]), 'MALFORMED_SIGNATURE');
    const digest = 'a'.repeat(64);
    refused(
      await verify([['X-Meeting-Bot-Signature', `t=${NOW - 301},v1=${digest}`]]),
      'TIMESTAMP_OUT_OF_RANGE'
    );
    asked.should.be.empty();
  });

  it('need a body that names a session', async () => {
    for (const body of [
      '',
      'x',
      '[]',
      '{}',
      '{"data":[]}',
      '{"data":{"session_id":7}}',
      '['.repeat(100_000)
    ]) {
      should(claimedSession(Buffer.from(body))).be.null();
      refused(await verify(signed('one', body), { body }), 'NO_PUBLIC_KEY');
    }
    should(claimedSession(Buffer.from(JSON.stringify({ data: { session_id: 'x'.repeat(257) } })))).be.null();
    asked.should.be.empty();
  });
});
