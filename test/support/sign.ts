import nacl from 'tweetnacl';

/** A key pair of a Telnyx account, made by tweetnacl: independent of the code that verifies. */
export interface SigningKey {
  /** Base64 of the raw 32 bytes, as the portal shows it. */
  readonly publicKey: string;
  /** Base64 of the 64-byte signature. */
  sign(bytes: Uint8Array): string;
}

/** The same seed (0 to 255) gives the same key. */
export function signingKey(seed: number): SigningKey {
  const pair = nacl.sign.keyPair.fromSeed(new Uint8Array(32).fill(seed));
  return {
    publicKey: Buffer.from(pair.publicKey).toString('base64'),
    sign: (bytes) =>
      Buffer.from(nacl.sign.detached(Uint8Array.from(bytes), pair.secretKey)).toString('base64')
  };
}

export const TRUSTED_SEED = 0x51;
export const STRANGER_SEED = 0x52;
/** The key that the test flows trust. */
export const TRUSTED = signingKey(TRUSTED_SEED);
/** A key that no test flow trusts. */
export const STRANGER = signingKey(STRANGER_SEED);

export interface SignOptions {
  /** The timestamp as sent and signed; default: now. */
  timestamp?: string | number;
  key?: SigningKey;
}

/** The two signature headers of a Telnyx delivery: Ed25519 over `timestamp|raw body`. */
export function signed(body: string | Uint8Array, { timestamp, key = TRUSTED }: SignOptions = {}) {
  const stamp = String(timestamp ?? Math.floor(Date.now() / 1000));
  const bytes = Buffer.concat([Buffer.from(`${stamp}|`), Buffer.from(body as string)]);
  return { 'telnyx-timestamp': stamp, 'telnyx-signature-ed25519': key.sign(bytes) };
}
