import { createHmac } from 'node:crypto';
import should from 'should';
import { matchHmac } from '../../../src/verification/hmac';
import { verifyLegacy, verifyMeeting } from '../../../src/verification/telnyx-hmac';
import { processorMsSince } from '../../support/processor-time';
import { NOW, accepted, delivery, refused } from './signed-deliveries';

const hmac = (secret: string, text: string) => createHmac('sha256', secret).update(text).digest();

describe('Telnyx meetings', () => {
  const BODY = '{"id":"whd_77","event":"recording.available","version":"1","data":{"session_id":"ms_77"}}';
  const DIGEST = 'af91e8022fb75dee4982c55a4aff8a7c35614e25ddb3154e4fdff8a6412a351d';
  const SECRET = 'made-up-meeting-secret';
  const verify = (
    header: string | string[],
    { secrets = [SECRET], body = BODY, receivedAt = NOW * 1000 } = {}
  ) => {
    const headers = [header].flat().map((value): [string, string] => ['X-Meeting-Bot-Signature', value]);
    return verifyMeeting(delivery({ body, headers, receivedAt }), secrets, 300);
  };

  it('accepts a recorded signature', () => {
    accepted(verify(`t=${NOW},v1=${DIGEST}`), 'hmac');
    accepted(verify(`t=${NOW}, v1=${DIGEST.toUpperCase()}`), 'hmac');
    accepted(verify(`v1=${DIGEST},t=${NOW}`), 'hmac');
  });

  it('accepts one of several digests, while a secret is being rotated', () => {
    accepted(verify(`t=${NOW},v1=${'0'.repeat(64)},v1=${DIGEST}`), 'hmac');
    accepted(verify(`t=${NOW},v1=not-hex,v1=${DIGEST},v2=whatever`), 'hmac');
  });

  it('tries every secret and names the one that matches', () => {
    accepted(verify(`t=${NOW},v1=${DIGEST}`, { secrets: ['other', SECRET] }), 'hmac', 1);
    refused(verify(`t=${NOW},v1=${DIGEST}`, { secrets: ['other'] }), 'SIGNATURE_MISMATCH');
  });

  it('rejects a changed body and a changed time', () => {
    refused(verify(`t=${NOW},v1=${DIGEST}`, { body: `${BODY} ` }), 'SIGNATURE_MISMATCH');
    refused(verify(`t=${NOW + 1},v1=${DIGEST}`), 'SIGNATURE_MISMATCH');
  });

  it('rejects an old or a future time, even if signed', () => {
    for (const off of [-301, 301]) {
      const digest = hmac(SECRET, `${NOW + off}.${BODY}`).toString('hex');
      refused(verify(`t=${NOW + off},v1=${digest}`), 'TIMESTAMP_OUT_OF_RANGE');
    }
    const edge = hmac(SECRET, `${NOW - 300}.${BODY}`).toString('hex');
    accepted(verify(`t=${NOW - 300},v1=${edge}`), 'hmac');
  });

  it('rejects a malformed header', () => {
    for (const text of [
      '',
      'v1=',
      DIGEST,
      `t=${NOW}`,
      `t=${NOW},v1=${DIGEST.slice(2)}`,
      `t=${NOW},v0=${DIGEST}`
    ])
      refused(verify(text), 'MALFORMED_SIGNATURE');
    refused(verify([`t=${NOW},v1=${DIGEST}`, `t=${NOW},v1=${DIGEST}`]), 'MALFORMED_SIGNATURE');
    for (const time of [
      `v1=${DIGEST}`,
      `t=abc,v1=${DIGEST}`,
      `t=${NOW},t=${NOW},v1=${DIGEST}`,
      `t=,v1=${DIGEST}`
    ])
      refused(verify(time), 'BAD_TIMESTAMP');
  });

  it('rejects a delivery when no secret is set', () => {
    refused(verify(`t=${NOW},v1=${DIGEST}`, { secrets: [] }), 'NO_PUBLIC_KEY').should.match(/meeting secret/);
    const empty = hmac('', `${NOW}.${BODY}`).toString('hex');
    refused(verify(`t=${NOW},v1=${empty}`, { secrets: [] }), 'NO_PUBLIC_KEY');
  });

  it('marks a GET with a query as partial, because the query is not signed', () => {
    const value = `t=${NOW},v1=${hmac(SECRET, `${NOW}.`).toString('hex')}`;
    const headers: [string, string][] = [['x-meeting-bot-signature', value]];
    accepted(verifyMeeting(delivery({ query: 'a=1', headers }), [SECRET], 300), 'partial');
    accepted(verifyMeeting(delivery({ query: '', headers }), [SECRET], 300), 'hmac');
  });

  it('limits the work that many digests can cause', () => {
    const body = 'x'.repeat(1_000_000);
    const header = `t=${NOW},${Array.from({ length: 200 }, () => `v1=${'0'.repeat(64)}`).join(',')}`;
    const one = timeOf(() =>
      refused(verify(`t=${NOW},v1=${'0'.repeat(64)}`, { body }), 'SIGNATURE_MISMATCH')
    );
    const many = timeOf(() => refused(verify(header, { body }), 'SIGNATURE_MISMATCH'));
    many.should.be.below(one * 20 + 50);
  });
});

describe('Telnyx API v1', () => {
  const BODY = '{"record_type":"event","event_type":"call_hangup","payload":{}}';
  const HEX = 'b3ff02201285fc25a4d2651e9905262844b9f0508298f9f71fb30b253e0792bc';
  const BASE64 = 's/8CIBKF/CWk0mUemQUmKES58FCCmPn3H7MLJT4Hkrw=';
  const SECRET = 'made-up-legacy-secret';
  const verify = (header: string | string[], { secrets = [SECRET], body = BODY } = {}) => {
    const headers = [header].flat().map((value): [string, string] => ['X-Telnyx-Signature', value]);
    return verifyLegacy(delivery({ body, headers }), secrets);
  };

  for (const text of [HEX, HEX.toUpperCase(), BASE64, `sha256=${HEX}`, `sha256=${BASE64}`, `SHA256=${HEX}`]) {
    it(`accepts ${text}`, () => accepted(verify(text), 'hmac'));
  }

  it('rejects a changed body and another secret', () => {
    refused(verify(HEX, { body: `${BODY}\n` }), 'SIGNATURE_MISMATCH');
    refused(verify(HEX, { secrets: ['other'] }), 'SIGNATURE_MISMATCH');
    accepted(verify(BASE64, { secrets: ['other', SECRET] }), 'hmac', 1);
  });

  it('rejects anything that is not a SHA-256', () => {
    for (const text of [
      '',
      'sha256=',
      HEX.slice(2),
      `${HEX}00`,
      BASE64.slice(0, -1),
      `sha1=${HEX}`,
      `v1=${HEX}`
    ])
      refused(verify(text), 'MALFORMED_SIGNATURE');
    refused(verify([HEX, HEX]), 'MALFORMED_SIGNATURE');
    refused(verify(`${HEX}, ${HEX}`), 'MALFORMED_SIGNATURE');
  });

  it('rejects a delivery when no secret is set', () => {
    refused(verify(HEX, { secrets: [] }), 'NO_PUBLIC_KEY').should.match(/legacy secret/);
  });

  it('marks a GET with a query as partial: its signature never changes', () => {
    const headers: [string, string][] = [['x-telnyx-signature', hmac(SECRET, '').toString('hex')]];
    accepted(verifyLegacy(delivery({ query: 'a=1', headers }), [SECRET]), 'partial');
  });
});

describe('matchHmac', () => {
  it('hashes the parts as one message', () => {
    matchHmac(['k'], ['a', Buffer.from('bc')], [hmac('k', 'abc')]).should.equal(0);
  });

  it('also accepts keys as bytes, and uses the first that matches', () => {
    matchHmac([Buffer.from('x'), Buffer.from('k'), 'k'], ['abc'], [hmac('k', 'abc')]).should.equal(1);
  });

  it('finds nothing without keys', () => {
    matchHmac([], ['abc'], [hmac('k', 'abc')]).should.equal(-1);
    matchHmac(['k'], ['abc'], []).should.equal(-1);
    should(matchHmac(['k'], ['abc'], [Buffer.alloc(0), hmac('k', 'abc').subarray(0, 31)])).equal(-1);
  });
});

function timeOf(work: () => void): number {
  const begun = process.cpuUsage();
  work();
  return processorMsSince(begun);
}
