import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual
} from 'node:crypto';
import { CodedError } from '../errors/coded-error';
import { decodeStrictBase64 } from '../values/fields';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts what lies in Redis, and proves that it was written with the same key: AES-256-GCM with a random nonce (NIST SP
 * 800-38D). A text is sealed for one subject and cannot be opened as another.
 */
export class Sealer {
  readonly #key: Buffer;
  /** Keys are for one purpose each. */
  readonly #proofKey: Buffer;

  private constructor(key: Buffer) {
    this.#key = key;
    this.#proofKey = Buffer.from(hkdfSync('sha256', key, '', 'proof', KEY_BYTES));
  }

  /**
   * @param key the setting `encryptionKey`: 32 bytes in base64; blank: nothing is encrypted
   * @returns null without a key
   * @throws CodedError `BAD_SETTING`, which does not repeat the key
   */
  static withKey(key: string): Sealer | null {
    if (key.trim() === '') return null;
    const bytes = decodeStrictBase64(key.trim());
    if (bytes?.length === KEY_BYTES) return new Sealer(bytes);
    throw new CodedError(
      'BAD_SETTING',
      '"Encryption" of the queue must be a key of 32 bytes in base64, 44 characters. Make one with the button in its dialog ' +
        'and use the same one in all instances.'
    );
  }

  /** @returns base64 of nonce, tag and encrypted text */
  seal(text: string, subject: string): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#key, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(subject));
    const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
  }

  /** For what Redis compares, so that it must be the same each time: an HMAC in base64url. Hides nothing. */
  prove(text: string, subject: string): string {
    const proof = createHmac('sha256', this.#proofKey);
    // The length keeps one subject apart from the beginning of another.
    return proof.update(`${subject.length} ${subject}${text}`).digest('base64url');
  }

  /** Whether `prove` gave this for the same text and subject, with the same key. */
  isProof(proof: string, text: string, subject: string): boolean {
    const [given, wanted] = [Buffer.from(proof), Buffer.from(this.prove(text, subject))];
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }

  /** @returns null when it was sealed with another key or for another subject, or is damaged */
  open(sealed: string, subject: string): string | null {
    const bytes = decodeStrictBase64(sealed);
    if (bytes === null || bytes.length < NONCE_BYTES + TAG_BYTES) return null;
    const decipher = createDecipheriv(CIPHER, this.#key, bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES
    });
    decipher.setAAD(Buffer.from(subject));
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    try {
      return (
        decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
      );
    } catch {
      return null;
    }
  }
}
