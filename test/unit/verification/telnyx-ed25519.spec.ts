import { TelnyxEd25519 } from '../../../src/verification/telnyx-verifier';
import {
  KEY,
  NOW,
  OTHER_KEY,
  OTHER_PAIR,
  accepted,
  delivery,
  refused,
  signature,
  signedHeaders
} from './signed-deliveries';

const BODY =
  '{"data":{"record_type":"event","event_type":"call.answered","id":"7d0f4c2e-11aa-4b5c-8e21-90ab12cd34ef",' +
  '"occurred_at":"2026-09-21T13:35:22.004Z","payload":{"call_control_id":"v3:made-up","from":"+12025550110"}}}';
const FORM = 'AccountSid=made-up&CallSid=v3%3Amade-up&From=%2B12025550111&RecordingStatus=completed';
const ODD_JSON = '{ "note" : "caf\\u00e9 \u00e9 \u{1F4DE}", "price" : 1.0, "price" : 2.50, "n":1e3 }';

const verifier = new TelnyxEd25519([KEY], 300);

describe('Telnyx Ed25519 deliveries', () => {
  it('uses the key of these tests', () => {
    KEY.toString('base64').should.equal('dVxMuSVsp83ErP3Gz+7ahJAX5bn5UU6ZGRvWfgsNQnY=');
  });

  describe('recorded signatures', () => {
    const VECTORS: [what: string, body: string, signature: string, timestamp?: string][] = [
      [
        'a JSON envelope',
        BODY,
        '60N2gbvfKQqVBEyv59znvZpa7mNJ20RnQJKn5BvXmqxfOpN9zogRycr/88rgyfyCMf5Q47kSV8f1Y5bLmqnpCg=='
      ],
      [
        'a TeXML form',
        FORM,
        '0KEu0qXJrgj5X9ePRPNKtwpXtuTi+s+gaa/XNsTHT8iCkAST6H489X/Gq4ONlnBGn+FGuLaf+H6CMoHo8aO/AQ=='
      ],
      [
        'an empty body',
        '',
        'GiEblPU93RmTS28QQobx42x7iJRqN9cGWO+2Rp4eUfQ6Omwm/5duwQ0MEX1zZdcdqcE80dvAVlMoVGH6xtD5Ag=='
      ],
      [
        'JSON that no program would serialize the same way',
        ODD_JSON,
        'M+FJkjw+wAVWl7/FExAwWKbCVJDeAv5q4yXicKP7rkEXhApClUy/JCQhG19fjT8oVGFQ3jVqoxu0wTYPcIW6Cg=='
      ],
      [
        'a timestamp with a leading zero, signed as it is written',
        BODY,
        'YgW0+ecSUwPUhsr4p+NDhSRq3gfUrYF2DRAGlgs5KobMFzHJ6kUcRJwnD5FaeLfJQDq/uYUVl6xt19zLpb4KAQ==',
        '01790000123'
      ]
    ];
    for (const [what, body, text, timestamp = '1790000123'] of VECTORS) {
      it(`accepts ${what}`, async () => {
        const headers: [string, string][] = [
          ['telnyx-signature-ed25519', text],
          ['telnyx-timestamp', timestamp]
        ];
        accepted(await verifier.verify(delivery({ body, headers })), 'ed25519');
        refused(await verifier.verify(delivery({ body: `${body} `, headers })), 'SIGNATURE_MISMATCH');
      });
    }
  });

  describe('the body', () => {
    const bodies: [what: string, body: string | Uint8Array][] = [
      ['multi-byte UTF-8', '{"name":"Zo\u00eb \u{1F399} \u5f55\u97f3"}'],
      ['bytes that are not UTF-8', Uint8Array.of(0xff, 0xfe, 0x00, 0x80)],
      ['1 MB', Buffer.alloc(1_048_576, 'x')]
    ];
    for (const [what, body] of bodies) {
      it(`accepts ${what}`, async () => {
        accepted(await verifier.verify(delivery({ body, headers: signedHeaders(body) })), 'ed25519');
      });
    }

    it('rejects every flipped byte', async () => {
      const headers = signedHeaders(BODY);
      for (let at = 0; at < BODY.length; at += 7) {
        const body = Buffer.from(BODY);
        body[at] = body[at]! ^ 0x01;
        refused(await verifier.verify(delivery({ body, headers })), 'SIGNATURE_MISMATCH');
      }
    });

    it('rejects JSON that was parsed and serialized again', async () => {
      const headers = signedHeaders(ODD_JSON);
      const body = JSON.stringify(JSON.parse(ODD_JSON));
      refused(await verifier.verify(delivery({ body, headers })), 'SIGNATURE_MISMATCH');
    });

    it('rejects a form with other escapes', async () => {
      const headers = signedHeaders('a=b%20c');
      refused(await verifier.verify(delivery({ body: 'a=b+c', headers })), 'SIGNATURE_MISMATCH');
    });
  });

  describe('headers', () => {
    const [signatureHeader, timestampHeader] = signedHeaders(BODY) as [[string, string], [string, string]];
    const verify = (...headers: [string, string][]) => verifier.verify(delivery({ body: BODY, headers }));

    it('are found in upper or lower case', async () => {
      const [, text] = signatureHeader;
      const [, seconds] = timestampHeader;
      accepted(await verify(['TELNYX-SIGNATURE-ED25519', text], ['telnyx-Timestamp', seconds]), 'ed25519');
    });

    it('may stand among others, and in any order', async () => {
      accepted(await verify(timestampHeader, ['User-Agent', 'telnyx-webhooks'], signatureHeader), 'ed25519');
    });

    it('are required', async () => {
      refused(await verify(), 'MISSING_SIGNATURE');
      refused(await verify(timestampHeader), 'MISSING_SIGNATURE').should.match(/telnyx-signature-ed25519/);
      refused(await verify(signatureHeader), 'BAD_TIMESTAMP').should.match(/telnyx-timestamp/);
    });

    it('must not come twice, not even with the same value', async () => {
      refused(await verify(signatureHeader, signatureHeader, timestampHeader), 'MALFORMED_SIGNATURE');
      refused(await verify(signatureHeader, timestampHeader, timestampHeader), 'BAD_TIMESTAMP');
    });

    it('must not be joined by a comma', async () => {
      const [, text] = signatureHeader;
      const [, seconds] = timestampHeader;
      refused(
        await verify(['telnyx-signature-ed25519', `${text}, ${text}`], timestampHeader),
        'MALFORMED_SIGNATURE'
      );
      refused(await verify(signatureHeader, ['telnyx-timestamp', `${seconds}, ${seconds}`]), 'BAD_TIMESTAMP');
    });

    it('with names that Telnyx never sends are ignored', async () => {
      const [, text] = signatureHeader;
      for (const name of ['X-Telnyx-Signature-V2', 'X-Telnyx-Signature-Token', 'webhook-signature']) {
        refused(await verify([name, text], timestampHeader), 'MISSING_SIGNATURE');
        accepted(await verify([name, 'anything'], signatureHeader, timestampHeader), 'ed25519');
      }
    });

    it('of Standard Webhooks are not needed', async () => {
      accepted(await verify(signatureHeader, timestampHeader), 'ed25519');
    });
  });

  describe('the signature header', () => {
    const right = signature(`${NOW}|${BODY}`);
    const bytes = Buffer.from(right, 'base64');
    const wrong: [what: string, text: string][] = [
      ['empty', ''],
      ['a stray character', `${right.slice(0, 10)}!${right.slice(10)}`],
      ['white space inside', `${right.slice(0, 10)} ${right.slice(10)}`],
      ['no padding', right.replace(/=+$/, '')],
      ['too much padding', `${right}=`],
      ['the URL alphabet', Buffer.alloc(64, 0xfb).toString('base64url')],
      ['unused bits set', `${right.slice(0, -3)}${String.fromCharCode(right.charCodeAt(85) + 1)}==`],
      ['63 bytes', bytes.subarray(0, 63).toString('base64')],
      ['65 bytes', Buffer.concat([bytes, Buffer.of(1)]).toString('base64')],
      ['hex', bytes.toString('hex')],
      ['a version prefix, as in Standard Webhooks', `v1a,${right}`]
    ];
    for (const [what, text] of wrong) {
      it(`is rejected with ${what}`, async () => {
        const headers: [string, string][] = [
          ['telnyx-signature-ed25519', text],
          ['telnyx-timestamp', String(NOW)]
        ];
        const message = refused(
          await verifier.verify(delivery({ body: BODY, headers })),
          'MALFORMED_SIGNATURE'
        );
        if (text !== '') message.should.not.containEql(text);
      });
    }
  });

  it('binds the timestamp: it cannot be swapped with that of another delivery', async () => {
    const early = signedHeaders(BODY, { timestamp: String(NOW - 20) });
    const late = signedHeaders(BODY, { timestamp: String(NOW) });
    refused(
      await verifier.verify(delivery({ body: BODY, headers: [early[0]!, late[1]!] })),
      'SIGNATURE_MISMATCH'
    );
    refused(
      await verifier.verify(delivery({ body: BODY, headers: [late[0]!, early[1]!] })),
      'SIGNATURE_MISMATCH'
    );
  });

  it('checks the timestamp before it computes anything', async () => {
    const stale = signedHeaders(BODY, { timestamp: String(NOW - 301), pair: OTHER_PAIR });
    refused(await verifier.verify(delivery({ body: BODY, headers: stale })), 'TIMESTAMP_OUT_OF_RANGE');
  });

  describe('keys', () => {
    it('are tried one after another; the one that matches is named', async () => {
      const both = new TelnyxEd25519([KEY, OTHER_KEY], 300);
      accepted(await both.verify(delivery({ body: BODY, headers: signedHeaders(BODY) })), 'ed25519', 0);
      const byOther = signedHeaders(BODY, { pair: OTHER_PAIR });
      accepted(await both.verify(delivery({ body: BODY, headers: byOther })), 'ed25519', 1);
      refused(await verifier.verify(delivery({ body: BODY, headers: byOther })), 'SIGNATURE_MISMATCH');
    });

    it('are required, whatever the headers say', async () => {
      const none = new TelnyxEd25519([], 300);
      refused(await none.verify(delivery({ body: BODY })), 'NO_PUBLIC_KEY');
      const headers = signedHeaders(BODY);
      refused(await none.verify(delivery({ body: BODY, headers })), 'NO_PUBLIC_KEY');
    });
  });

  describe('GET', () => {
    const query = 'CallSid=v3%3Amade-up&To=%2B12025550112';

    it('whose signature covers the query string is fully verified', async () => {
      const headers: [string, string][] = [
        [
          'telnyx-signature-ed25519',
          't7kEplTd1ZHpAeP8RWod/UJS7uOBbaiMncu95VN7WjfVhuRFITo63qFCiFr9V2PPySQC0PLPoSDVTwf0ODHqDQ=='
        ],
        ['telnyx-timestamp', String(NOW)]
      ];
      accepted(await verifier.verify(delivery({ query, headers })), 'ed25519');
      refused(await verifier.verify(delivery({ query: `${query}&x=1`, headers })), 'SIGNATURE_MISMATCH');
    });

    it('whose signature covers the empty body only is partial', async () => {
      accepted(await verifier.verify(delivery({ query, headers: signedHeaders('') })), 'partial');
      accepted(
        await verifier.verify(delivery({ query: 'any=thing', headers: signedHeaders('') })),
        'partial'
      );
    });

    it('without a query is fully covered', async () => {
      accepted(await verifier.verify(delivery({ query: '', headers: signedHeaders('') })), 'ed25519');
    });

    it('names the second key, even over the query', async () => {
      const both = new TelnyxEd25519([KEY, OTHER_KEY], 300);
      const headers = signedHeaders(query, { pair: OTHER_PAIR });
      accepted(await both.verify(delivery({ query, headers })), 'ed25519', 1);
    });
  });

  it('never tries the query string of a POST', async () => {
    const headers = signedHeaders('a=1');
    refused(await verifier.verify(delivery({ body: BODY, query: null, headers })), 'SIGNATURE_MISMATCH');
  });
});
