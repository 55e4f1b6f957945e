import {
  type KeyObject,
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify
} from 'node:crypto';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { CodedError } from '../../errors/coded-error';
import { makePrivateDirectory } from '../../state/private-directory';
import { errnoOf, realFileSystem, syncDirectory } from '../../store/folder/file-system';
import { writeNewFile } from '../../store/folder/whole-file';

/** The secret key, in the directory of the state: the directory of the log may be given away. */
const SECRET_FILE = 'custody-key.pem';

/** Signs checkpoints. Its public half is in the directory of the log, under a name with the start of its hash. */
export interface SigningKey {
  /** SHA-256 of the public key (SPKI, DER), hex. */
  id: string;
  /** Whether it was made just now. */
  isNew: boolean;
  sign: (bytes: Uint8Array) => Buffer;
}

/** The name of the file of a public key. */
export function publicKeyFile(id: string): string {
  return `key-${id.slice(0, 16)}.pem`;
}

/** SHA-256 of a public key (SPKI, DER), hex. */
export function keyId(key: KeyObject): string {
  return createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

/** @returns the key of a PEM text; null when it is no Ed25519 key */
export function readPublicKey(pem: string | Buffer): KeyObject | null {
  try {
    const key = createPublicKey(pem);
    return key.asymmetricKeyType === 'ed25519' ? key : null;
  } catch {
    return null;
  }
}

/** Whether a key made a signature of some bytes. */
export function isSignedBy(key: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean {
  return signature.length === 64 && verify(null, bytes, key, signature);
}

/**
 * The key of this installation; made when there is none.
 *
 * @param state directory of the state, where the secret half is kept (mode 0600)
 * @param log directory of the custody log, where the public half is put
 * @throws CodedError `BAD_SETTING` when what is there is no such key; the system's error
 */
export async function signingKey(state: string, log: string): Promise<SigningKey> {
  makePrivateDirectory(log);
  const file = path.join(state, SECRET_FILE);
  const known = await readFile(file).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  });
  const secret = known === null ? await makeKey(file) : readSecret(file, known);
  const key = createPublicKey(secret);
  const id = keyId(key);
  try {
    const pem = key.export({ type: 'spki', format: 'pem' });
    await writeNewFile(realFileSystem, path.join(log, publicKeyFile(id)), pem);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  return { id, isNew: known === null, sign: (bytes) => sign(null, bytes, secret) };
}

async function makeKey(file: string): Promise<KeyObject> {
  const { privateKey } = generateKeyPairSync('ed25519');
  const draft = `${file}-draft`;
  await rm(draft, { force: true });
  await writeFile(draft, privateKey.export({ type: 'pkcs8', format: 'pem' }), {
    flag: 'wx',
    mode: 0o600,
    flush: true
  });
  await rename(draft, file);
  await syncDirectory(realFileSystem, path.dirname(file));
  return privateKey;
}

function readSecret(file: string, pem: Buffer): KeyObject {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyType === 'ed25519') return key;
  } catch {
    // Told below, without any part of it.
  }
  throw new CodedError(
    'BAD_SETTING',
    `${file} is not an Ed25519 key, so the custody log cannot be signed. Restore it from a backup. Without one, move the ` +
      'file away and restart Node-RED: a new key is made, and what was signed before can still be checked with the old public key.'
  );
}
