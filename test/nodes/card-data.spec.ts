import should from 'should';
import telnyxAccount from '../../nodes/telnyx-account';
import recordingDownload from '../../nodes/telnyx-recording-download';
import telnyxWebhookIn from '../../nodes/telnyx-webhook-in';
import { account, node, tab, webhookIn } from '../support/flows';
import { exchange } from '../support/http-client';
import { STRANGER, TRUSTED, type SigningKey, signed } from '../support/sign';
import { NodeStage } from './node-stage';

const CARD = '4242424242424242';
const POSTAL_CODE = '99950-made-up';
const RESULT = new URLSearchParams({
  AccountSid: 'ac-made-up',
  CallSid: 'v3:made-up',
  PayResult: 'success',
  PaymentCardNumber: CARD,
  PaymentCardPostalCode: POSTAL_CODE
}).toString();

describe('card data of a TeXML Pay callback', () => {
  let stage: NodeStage;
  afterEach(() => stage.unload());

  it('is in the message, and in no log, status or refusal', async () => {
    stage = await NodeStage.load(
      [telnyxAccount, telnyxWebhookIn, recordingDownload],
      [
        tab(),
        account({ publicKeys: TRUSTED.publicKey }),
        webhookIn({ rejectedOutput: true, outputs: 2, wires: [['events', 'download'], ['refused']] }),
        node('download', 'telnyx-recording-download', { folder: 'recordings' }),
        node('catch', 'catch', { scope: null, wires: [['caught']] }),
        ...['events', 'refused', 'caught'].map((id) => node(id, 'recorder'))
      ]
    );
    const send = async (key: SigningKey, body: string): Promise<number> =>
      (
        await exchange(stage.port, {
          path: '/telnyx',
          body: Buffer.from(body),
          headers: { ...signed(body, { key }), 'content-type': 'application/x-www-form-urlencoded' }
        })
      ).status;
    should(await send(TRUSTED, RESULT)).equal(200);
    should(await send(STRANGER, RESULT)).equal(401);
    should(await send(TRUSTED, `{"${CARD}`)).equal(400);
    const [event] = await stage.messages('events', 1);
    should(event!.topic).equal('texml.pay');
    should(event!.payload).have.properties({ PaymentCardNumber: CARD, PaymentCardPostalCode: POSTAL_CODE });
    const refused = await stage.messages('refused', 2);
    // The download node finds nothing to store.
    await stage.messages('caught', 1);
    should(stage.caught[0]?.code).equal('NO_RECORDING');
    const shown = JSON.stringify([
      stage.log(),
      stage.statuses,
      refused.map(({ payload }) => payload),
      stage.caught
    ]);
    should(shown).not.containEql(CARD).and.not.containEql(POSTAL_CODE);
  });
});
