import { randomBytes } from 'node:crypto';
import nacl from 'tweetnacl';

/** The headers that Telnyx puts on a delivery. */
export interface SignatureHeaders {
  /** Base64 of the 64-byte Ed25519 signature. */
  'telnyx-signature-ed25519': string;
  /** Unix seconds, as signed. */
  'telnyx-timestamp': string;
}

/**
 * An Ed25519 key pair that signs like Telnyx (docs: "Webhook signing"). TweetNaCl signs here, so that the
 * simulator does not depend on the code that it tests.
 */
export class SigningKey {
  /** Base64 of the raw 32 bytes, the form in which the Telnyx portal shows a public key. */
  readonly publicKey: string;
  readonly #secretKey: Uint8Array;

  /**
   * @param seed 32 bytes; the same seed gives the same key. Default: random.
   * @throws Error when the seed is not 32 bytes long
   */
  constructor(seed: Uint8Array = randomBytes(nacl.sign.seedLength)) {
    if (seed.length !== nacl.sign.seedLength) {
      throw new Error(`A signing seed is ${nacl.sign.seedLength} bytes long; this one has ${seed.length}`);
    }
    const pair = nacl.sign.keyPair.fromSeed(Uint8Array.from(seed));
    this.publicKey = Buffer.from(pair.publicKey).toString('base64');
    this.#secretKey = pair.secretKey;
  }

  /**
   * Signs `<timestamp>|<body>`.
   *
   * @param body the bytes exactly as they will be sent
   * @param timestamp unix seconds as text
   */
  sign(body: Uint8Array, timestamp: string): SignatureHeaders {
    const signed = Buffer.concat([Buffer.from(`${timestamp}|`), body]);
    const signature = nacl.sign.detached(signed, this.#secretKey);
    return {
      'telnyx-signature-ed25519': Buffer.from(signature).toString('base64'),
      'telnyx-timestamp': timestamp
    };
  }
}
