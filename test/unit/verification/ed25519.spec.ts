import should from 'should';
import nacl from 'tweetnacl';
import {
  chooseEngine,
  createEd25519Verifier,
  type Ed25519Engine,
  hasCanonicalS,
  isLowOrderPoint,
  tweetnaclEngine
} from '../../../src/verification/ed25519';
import { KEY, PAIR, signature } from './signed-deliveries';

const MESSAGE = Buffer.from('1790000123|{"caf\u00e9":1.0}');
const SIGNATURE = Buffer.from(signature(MESSAGE), 'base64');

/** 2^252 + 27742317777372353535851937790883648493, copied from RFC 8032. */
const ORDER = 2n ** 252n + 27_742_317_777_372_353_535_851_937_790_883_648_493n;

/** y of the points whose order divides 8, as hex; the last three are not reduced below the prime. */
const LOW_ORDER = [
  '00'.repeat(32),
  `01${'00'.repeat(31)}`,
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  `ec${'ff'.repeat(30)}7f`,
  `ed${'ff'.repeat(30)}7f`,
  `ee${'ff'.repeat(30)}7f`
].map((hex) => Buffer.from(hex, 'hex'));

function withTopBit(key: Buffer): Buffer {
  const copy = Buffer.from(key);
  copy[31] = copy[31]! | 0x80;
  return copy;
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}

function withS(original: Buffer, s: bigint): Buffer {
  const bytes = Buffer.from(s.toString(16).padStart(64, '0'), 'hex').reverse();
  return Buffer.concat([original.subarray(0, 32), bytes]);
}

const ENGINES: [name: string, engine: Ed25519Engine][] = [
  ['node:crypto', chooseEngine()],
  ['tweetnacl', tweetnaclEngine]
];

describe('Ed25519', () => {
  it('has an engine that uses node:crypto on this runtime', () => {
    chooseEngine().should.not.equal(tweetnaclEngine);
  });

  for (const [name, engine] of ENGINES) {
    describe(`with ${name}`, () => {
      const verify = createEd25519Verifier(KEY, engine);

      it('accepts genuine signatures', async () => {
        (await verify(MESSAGE, SIGNATURE)).should.be.true();
        (await verify(Buffer.alloc(0), Buffer.from(signature(''), 'base64'))).should.be.true();
      });

      it('rejects flipped bits anywhere in the signature', async () => {
        for (let bit = 0; bit < 512; bit += 9) {
          const flipped = Buffer.from(SIGNATURE);
          flipped[bit >> 3] = flipped[bit >> 3]! ^ (1 << (bit & 7));
          (await verify(MESSAGE, flipped)).should.equal(false, `bit ${bit}`);
        }
      });

      it('rejects a changed, a longer and a shorter message', async () => {
        for (const at of [0, 10, MESSAGE.length - 1]) {
          const changed = Buffer.from(MESSAGE);
          changed[at] = changed[at]! ^ 1;
          (await verify(changed, SIGNATURE)).should.be.false();
        }
        (await verify(Buffer.concat([MESSAGE, Buffer.of(0)]), SIGNATURE)).should.be.false();
        (await verify(MESSAGE.subarray(1), SIGNATURE)).should.be.false();
      });

      it('rejects the second signature, with the group order added to S', async () => {
        const s = littleEndian(SIGNATURE.subarray(32));
        for (const times of [1n, 2n, 3n]) {
          const malleable = withS(SIGNATURE, s + times * ORDER);
          (await verify(MESSAGE, malleable)).should.be.false();
        }
        (await verify(MESSAGE, withS(SIGNATURE, s))).should.be.true();
      });

      it('rejects signatures of 0, 63 and 65 bytes', async () => {
        const lengths = [
          Buffer.alloc(0),
          SIGNATURE.subarray(0, 63),
          Buffer.concat([SIGNATURE, Buffer.of(0)])
        ];
        for (const wrong of lengths) (await verify(MESSAGE, wrong)).should.be.false();
      });

      it('rejects keys of 0, 31 and 33 bytes without an exception', async () => {
        for (const key of [Buffer.alloc(0), KEY.subarray(0, 31), Buffer.concat([KEY, Buffer.of(0)])]) {
          (await createEd25519Verifier(key, engine)(MESSAGE, SIGNATURE)).should.be.false();
        }
      });

      it('resolves, without a rejection, for 32 bytes that are not a point of the curve', async () => {
        for (const fill of [2, 3, 5, 7, 11]) {
          const verdict = await createEd25519Verifier(Buffer.alloc(32, fill), engine)(MESSAGE, SIGNATURE);
          verdict.should.be.false();
        }
      });

      it('rejects signatures that anyone can forge for a low-order key', async () => {
        // R = A = the neutral point and S = 0 satisfy the equation for every message.
        const neutral = LOW_ORDER[1]!;
        const forged = Buffer.concat([neutral, Buffer.alloc(32)]);
        (await engine.prepare(neutral)(MESSAGE, forged)).should.equal(true, 'the engine alone accepts it');
        for (const key of LOW_ORDER.flatMap((point) => [point, withTopBit(point)])) {
          (await createEd25519Verifier(key, engine)(MESSAGE, forged)).should.be.false();
        }
      });
    });
  }

  it('shows that tweetnacl alone accepts the malleable signature', () => {
    // Otherwise the test above would prove nothing.
    const malleable = withS(SIGNATURE, littleEndian(SIGNATURE.subarray(32)) + ORDER);
    nacl.sign.detached.verify(MESSAGE, malleable, PAIR.publicKey).should.be.true();
  });

  it('uses tweetnacl where the crypto of the runtime has no Ed25519', () => {
    const without: Ed25519Engine = {
      prepare: () => {
        throw new Error('unsupported');
      }
    };
    chooseEngine(without).should.equal(tweetnaclEngine);
  });

  it('uses tweetnacl where the crypto accepts a key but fails to compute later', async () => {
    const fails: Ed25519Engine = { prepare: () => () => Promise.reject(new Error('unsupported')) };
    const verify = createEd25519Verifier(KEY, fails);
    (await verify(MESSAGE, SIGNATURE)).should.be.true();
    (await verify(Buffer.from('other'), SIGNATURE)).should.be.false();
  });
});

describe('isLowOrderPoint', () => {
  it('recognises all seven encodings, even with the top bit set', () => {
    for (const point of LOW_ORDER) {
      isLowOrderPoint(point).should.equal(true, point.toString('hex'));
      isLowOrderPoint(withTopBit(point)).should.equal(true, point.toString('hex'));
    }
  });

  it('does not modify the key', () => {
    const key = withTopBit(LOW_ORDER[0]!);
    isLowOrderPoint(key);
    should(key[31]).equal(0x80);
  });

  it('accepts genuine keys and near misses', () => {
    isLowOrderPoint(KEY).should.be.false();
    for (const hex of [`02${'00'.repeat(31)}`, `eb${'ff'.repeat(30)}7f`, `ef${'ff'.repeat(30)}7f`]) {
      isLowOrderPoint(Buffer.from(hex, 'hex')).should.be.false();
    }
  });
});

describe('hasCanonicalS', () => {
  const signatureWith = (s: bigint): Buffer => withS(SIGNATURE, s);
  it('has its limit at the group order', () => {
    hasCanonicalS(signatureWith(0n)).should.be.true();
    hasCanonicalS(signatureWith(ORDER - 1n)).should.be.true();
    hasCanonicalS(signatureWith(ORDER)).should.be.false();
    hasCanonicalS(signatureWith(ORDER + 1n)).should.be.false();
    hasCanonicalS(signatureWith(2n ** 256n - 1n)).should.be.false();
    hasCanonicalS(signatureWith(2n ** 252n)).should.be.true();
    hasCanonicalS(signatureWith(2n ** 253n)).should.be.false();
  });
});
