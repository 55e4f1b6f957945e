import { createHmac } from 'node:crypto';
import should from 'should';
import { parseDailySecrets } from '../../../src/verification/account-keys';
import { DailyHmac } from '../../../src/verification/daily-hmac';
import { NOW, accepted, delivery, refused } from './signed-deliveries';

/** Signed once with `openssl dgst -sha256 -mac HMAC` and recorded here. */
const SECRET = 'bWFkZS11cC1kYWlseS1zZWNyZXQtb2YtMjctYg==';
const BODY =
  '{"version":"1.0.0","type":"meeting.started","id":"evt-made-up-1","payload":{"room":"caf\\u00e9 – \\"ö\\" 🎙","start_ts":1790000123.5},"event_ts":1790000123.75}';
const DIGESTS: Record<string, string> = {
  '1790000123': 'tfj/TXgmciWVtFv1DLlD8f/mK7L5HO8Lknx1VgLeCFc=',
  '1790000123456': '59t5OhbPoaS8e01E91wN++qHAB//4rjSimBpZErnQDg='
};

const key = Buffer.from('made-up-daily-secret-of-27-b');
const other = Buffer.from('another secret');

function sign(body: string, timestamp: string, secret: Buffer | string = key): string {
  return createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('base64');
}

type Pairs = [string, string][];

interface Given {
  body?: string | Buffer;
  secrets?: Buffer[];
  tolerance?: number;
}

function headers(signature: string | string[], timestamp: string | string[]): Pairs {
  return [
    ...[signature].flat().map((value): [string, string] => ['X-Webhook-Signature', value]),
    ...[timestamp].flat().map((value): [string, string] => ['X-Webhook-Timestamp', value])
  ];
}

const verify = (pairs: Pairs, { body = BODY, secrets = [key], tolerance = 1800 }: Given = {}) =>
  new DailyHmac(secrets, tolerance).verify(delivery({ body, headers: pairs }));

/** A delivery signed like Daily, with this text as its timestamp. */
const signedAt = (timestamp: string, body = BODY): Pairs => headers(sign(body, timestamp), timestamp);

describe('Daily', () => {
  for (const [timestamp, digest] of Object.entries(DIGESTS)) {
    it(`accepts a signature computed elsewhere, timestamp ${timestamp}`, async () => {
      const { secrets } = parseDailySecrets(SECRET);
      accepted(await verify(headers(digest, timestamp), { secrets }), 'hmac');
    });
  }

  it('needs the decoded secret, not its text', async () => {
    const digest = sign(BODY, String(NOW), SECRET);
    refused(await verify(headers(digest, String(NOW))), 'SIGNATURE_MISMATCH');
  });

  it('verifies the bytes, not their meaning', async () => {
    const digest = DIGESTS['1790000123'] ?? '';
    const pairs = headers(digest, '1790000123');
    for (const body of [
      `${BODY} `,
      BODY.replace('\\u00e9', 'é'),
      BODY.replace('1790000123.5', '1790000123.50')
    ])
      refused(await verify(pairs, { body }), 'SIGNATURE_MISMATCH');
    const noText = Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x0a]);
    const overBytes = createHmac('sha256', key).update(`${NOW}.`).update(noText).digest('base64');
    accepted(await verify(headers(overBytes, String(NOW)), { body: noText }), 'hmac');
  });

  it('verifies the timestamp as text', async () => {
    accepted(await verify(signedAt(`000${NOW}`)), 'hmac');
    const pairs = headers(sign(BODY, String(NOW)), `0${NOW}`);
    refused(await verify(pairs), 'SIGNATURE_MISMATCH');
    refused(await verify(headers(sign(BODY, String(NOW)), `${NOW}000`)), 'SIGNATURE_MISMATCH');
  });

  it('tries every secret and names the one that matches', async () => {
    const pairs = signedAt(String(NOW));
    accepted(await verify(pairs, { secrets: [other, key] }), 'hmac', 1);
    refused(await verify(pairs, { secrets: [other] }), 'SIGNATURE_MISMATCH');
  });

  it('rejects everything without a secret, especially with an empty one', async () => {
    const pairs = headers(sign(BODY, String(NOW), ''), String(NOW));
    refused(await verify(pairs, { secrets: [] }), 'NO_PUBLIC_KEY').should.match(/DAILY_HMAC_SECRET/);
  });

  it('rejects a delivery without a signature', async () => {
    refused(await verify([]), 'MISSING_SIGNATURE');
    refused(await verify([['X-Daily-Signature', sign(BODY, String(NOW))]]), 'MISSING_SIGNATURE');
  });

  describe('rejects a signature that', () => {
    const good = sign(BODY, String(NOW));
    const bytes = Buffer.from(good, 'base64');
    const cases: Record<string, string | string[]> = {
      'is empty': '',
      'is hex': bytes.toString('hex'),
      'has a prefix': `sha256=${good}`,
      'has no padding': good.slice(0, -1),
      'has 31 bytes': bytes.subarray(1).toString('base64'),
      'has 33 bytes': Buffer.concat([bytes, Buffer.of(0)]).toString('base64'),
      'has blanks': `${good.slice(0, 10)} ${good.slice(10)}`,
      'is two in one': `${good}, ${good}`,
      'came twice': [good, good],
      'appears twice, once empty': [good, '']
    };
    for (const [name, signature] of Object.entries(cases)) {
      it(name, async () => {
        refused(await verify(headers(signature, String(NOW))), 'MALFORMED_SIGNATURE');
      });
    }

    it('has unused bits set', async () => {
      const sixBits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
      const last = sixBits[sixBits.indexOf(good.charAt(42)) ^ 1] ?? '';
      const pairs = headers(`${good.slice(0, 42)}${last}=`, String(NOW));
      refused(await verify(pairs), 'MALFORMED_SIGNATURE');
    });
  });

  describe('the time of signing', () => {
    const bad = [
      '',
      'abc',
      '-5',
      '+5',
      '1e9',
      '1.5',
      '0x1',
      ' 1790000123',
      '1790000123456.5',
      '9'.repeat(16)
    ];
    for (const text of [...bad, '\u0661\u0667']) {
      it(`refuses ${JSON.stringify(text)}`, async () => {
        refused(await verify(signedAt(text)), 'BAD_TIMESTAMP').should.match(/milliseconds|missing/);
      });
    }

    it('rejects a missing timestamp and two', async () => {
      const signature = sign(BODY, String(NOW));
      refused(await verify(headers(signature, [])), 'BAD_TIMESTAMP').should.match(/Daily sends it/);
      refused(await verify(headers(signature, [String(NOW), String(NOW)])), 'BAD_TIMESTAMP');
    });

    it('distinguishes seconds from milliseconds by magnitude', async () => {
      accepted(await verify(signedAt(String(NOW * 1000 + 1))), 'hmac');
      // 1e11 is still seconds; the next one is milliseconds, in 1973.
      const message = refused(await verify(signedAt('100000000000')), 'TIMESTAMP_OUT_OF_RANGE');
      message.should.match(/in the future/);
      const next = refused(await verify(signedAt('100000000001')), 'TIMESTAMP_OUT_OF_RANGE');
      next.should.match(/in the past/);
    });

    for (const unit of [1, 1000]) {
      it(`applies the tolerance in both directions, ${unit === 1 ? 'seconds' : 'milliseconds'}`, async () => {
        for (const off of [-1800, 1800]) accepted(await verify(signedAt(String((NOW + off) * unit))), 'hmac');
        for (const off of [-1801, 1801])
          refused(await verify(signedAt(String((NOW + off) * unit))), 'TIMESTAMP_OUT_OF_RANGE');
      });
    }

    it('has a configurable tolerance', async () => {
      refused(await verify(signedAt(String(NOW - 6)), { tolerance: 5 }), 'TIMESTAMP_OUT_OF_RANGE');
    });
  });
});

describe('parseDailySecrets', () => {
  it('decodes one or several, each once', () => {
    const text = `${SECRET},\n${other.toString('base64')} ${SECRET}`;
    should(parseDailySecrets(text)).deepEqual({ secrets: [key, other], problems: [] });
    should(parseDailySecrets(' \n')).deepEqual({ secrets: [], problems: [] });
  });

  it('accepts a made-up secret whose last bits mean nothing', () => {
    should(parseDailySecrets('secrets=').secrets).deepEqual([Buffer.from('secrets=', 'base64')]);
    should(parseDailySecrets('mine').secrets).deepEqual([Buffer.from('mine', 'base64')]);
  });

  for (const text of ['not_base64', 'abc', 'c2VjcmV0', 'abcde', '====', 'c2Vj-mV0', 'é']) {
    const good = text === 'c2VjcmV0';
    it(`${good ? 'takes' : 'refuses'} ${text}`, () => {
      const { secrets, problems } = parseDailySecrets(text);
      should([secrets.length, problems.length]).deepEqual(good ? [1, 0] : [0, 1]);
      if (good) return;
      should(problems[0]).have.property('code', 'BAD_PUBLIC_KEY');
      should(problems[0]?.message).not.containEql(text);
    });
  }

  it('does not use the name of an unset variable as a secret', () => {
    const { secrets, problems } = parseDailySecrets('${DAILY_HMAC_SECRET}');
    should(secrets).deepEqual([]);
    should(problems[0]?.message).match(/environment variable that is not set/);
  });

  it('keeps the valid ones beside an invalid one', () => {
    const { secrets, problems } = parseDailySecrets(`%%% ${SECRET}`);
    should(secrets).deepEqual([key]);
    should(problems[0]?.message).match(/^Hmac secret 1 of 2 /);
  });
});
