import { createHmac } from 'node:crypto';
import should from 'should';
import { AskedKeyVerifier } from '../../../src/verification/asked-key-verifier';
import { AskedKeys } from '../../../src/verification/asked-keys';
import { CodedError } from '../../../src/errors/coded-error';
import {
  KEY,
  NOW,
  OTHER_KEY,
  OTHER_PAIR,
  PAIR,
  accepted,
  delivery,
  refused,
  signedHeaders
} from './signed-deliveries';

const BODY = '{"a":1}';
const SECRETS = { meetingSecrets: ['meeting-secret'], legacySecrets: [] };
const by = (pair: typeof PAIR) => delivery({ body: BODY, headers: signedHeaders(BODY, { pair }) });

describe('AskedKeyVerifier', () => {
  let told: readonly Buffer[];
  let fault: CodedError | null;
  let questions: number;
  let answer: Promise<void> | undefined;
  let end: () => void;
  let verifier: AskedKeyVerifier;

  beforeEach(async () => {
    told = [KEY];
    fault = null;
    questions = 0;
    answer = undefined;
    await begin();
  });
  afterEach(() => end());

  async function begin(): Promise<void> {
    const asked = new AskedKeys({ random: () => 0.5 });
    end = asked.use({
      ask: async () => {
        questions += 1;
        await answer;
        if (fault !== null) throw fault;
        return told;
      },
      kept: () => undefined,
      keep: () => Promise.resolve()
    });
    verifier = new AskedKeyVerifier(asked, SECRETS, 300);
    await new Promise(setImmediate);
  }

  it('accepts what the told key signed', async () => {
    accepted(await verifier.verify(by(PAIR)), 'ed25519');
    should(questions).equal(1);
  });

  it('asks again when the key was replaced, and accepts the same delivery then', async () => {
    told = [OTHER_KEY];
    accepted(await verifier.verify(by(OTHER_PAIR)), 'ed25519');
    should(questions).equal(2);
    // The earlier key stays valid.
    accepted(await verifier.verify(by(PAIR)), 'ed25519', 1);
  });

  it('proves each delivery with the key that accepted it, also when that was replaced meanwhile', async () => {
    const before = by(PAIR);
    const after = by(OTHER_PAIR);
    accepted(await verifier.verify(before), 'ed25519', 0);
    told = [OTHER_KEY];
    accepted(await verifier.verify(after), 'ed25519', 0);
    should(verifier.proof(before, 0).publicKey).equal(KEY.toString('base64'));
    should(verifier.proof(after, 0).publicKey).equal(OTHER_KEY.toString('base64'));
  });

  it('refuses a forged delivery, and says why no newer key is known', async () => {
    refused(await verifier.verify(by(OTHER_PAIR)), 'SIGNATURE_MISMATCH').should.match(/Telnyx told/);
    await restart();
    fault = new CodedError('API_UNAUTHORIZED', 'Check the API key in the account.');
    refused(await verifier.verify(by(OTHER_PAIR)), 'SIGNATURE_MISMATCH').should.match(/Check the API key/);
  });

  it('asks only for a signature that matches no key', async () => {
    const meeting = (secret: string): [string, string] => [
      'X-Meeting-Bot-Signature',
      `t=${NOW},v1=${createHmac('sha256', secret).update(`${NOW}.${BODY}`).digest('hex')}`
    ];
    accepted(await verifier.verify(delivery({ body: BODY, headers: [meeting('meeting-secret')] })), 'hmac');
    refused(
      await verifier.verify(delivery({ body: BODY, headers: [meeting('wrong')] })),
      'SIGNATURE_MISMATCH'
    );
    refused(await verifier.verify(delivery({ body: BODY })), 'MISSING_SIGNATURE');
    const old = delivery({
      body: BODY,
      headers: signedHeaders(BODY, { pair: OTHER_PAIR, timestamp: String(NOW - 301) })
    });
    refused(await verifier.verify(old), 'TIMESTAMP_OUT_OF_RANGE');
    should(questions).equal(1);
  });

  it('asks the sender to try again while the answer takes too long', async () => {
    answer = new Promise(() => undefined);
    refused(await verifier.verify(by(OTHER_PAIR)), 'NO_PUBLIC_KEY').should.match(/try again/);
    accepted(await verifier.verify(by(PAIR)), 'ed25519');
  });

  it('asks the sender to try again while no key is known', async () => {
    fault = new CodedError('STALLED', 'The API was not reached.', { retryable: true });
    await restart();
    refused(await verifier.verify(by(PAIR)), 'NO_PUBLIC_KEY').should.match(/The API was not reached/);
  });

  async function restart(): Promise<void> {
    end();
    await begin();
  }
});
