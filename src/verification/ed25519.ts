import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import nacl from 'tweetnacl';
import {
  type CheckResult,
  serveChecks,
  type SharedChecks,
  type SignatureCheck,
  VerificationThread
} from './verification-thread';

/** Bytes of a public key, and of a signature (R followed by S). */
export const KEY_LENGTH = 32;
export const SIGNATURE_LENGTH = 64;

/** The order of the base point, little-endian: 2^252 + 27742317777372353535851937790883648493. */
const GROUP_ORDER = Buffer.from('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010', 'hex');

/**
 * Points of small order. Anyone can sign for such a key without a secret, and for one of them a single
 * signature verifies every message. The top bit of the last byte is ignored.
 */
const LOW_ORDER_POINTS: ReadonlySet<string> = new Set([
  '00'.repeat(32),
  '01' + '00'.repeat(31),
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ec' + 'ff'.repeat(30) + '7f',
  'ed' + 'ff'.repeat(30) + '7f',
  'ee' + 'ff'.repeat(30) + '7f'
]);

/** @param key 32 bytes */
export function isLowOrderPoint(key: Uint8Array): boolean {
  const point = Buffer.from(key);
  const last = point[KEY_LENGTH - 1];
  if (last !== undefined) point[KEY_LENGTH - 1] = last & 0x7f;
  return LOW_ORDER_POINTS.has(point.toString('hex'));
}

/**
 * Whether S is below the group order. Adding the order to S gives a second signature for the same
 * message (RFC 8032, 5.1.7); TweetNaCl accepts it, so the check precedes every engine.
 */
export function hasCanonicalS(signature: Uint8Array): boolean {
  for (let index = KEY_LENGTH - 1; index >= 0; index -= 1) {
    const s = signature[KEY_LENGTH + index] ?? 0xff;
    const order = GROUP_ORDER[index] ?? 0;
    if (s !== order) return s < order;
  }
  return false;
}

/** Checks one signature; the same length, S and key checks precede both engines. */
export interface Ed25519Engine {
  /** @param key 32 bytes @returns a function that answers for one message and signature */
  prepare(key: Buffer): (message: Buffer, signature: Buffer) => Promise<boolean>;
}

/** Distinguishes our thread from others that load this package. */
const OURS = '@red-telephony/node-red-telnyx/verification';

function startThisFile(): Worker {
  return new Worker(__filename, {
    workerData: OURS,
    stdout: true,
    stderr: true,
    // Almost nothing lives longer than a check; by default it would take three times the memory.
    resourceLimits: { maxYoungGenerationSizeMb: 2 }
  });
}

/** On the calling thread. */
export function checkSignature({
  key,
  message,
  signature
}: Pick<SignatureCheck, 'key' | 'message' | 'signature'>): CheckResult {
  try {
    return verify(null, message, publicKeyOf(key), signature);
  } catch {
    return null;
  }
}

/** Those of all accounts, by their text: a handful. */
const publicKeys = new Map<string, KeyObject>();

/** @param key 32 bytes @throws an error of node:crypto when it has no Ed25519 */
export function publicKeyOf(key: Buffer): KeyObject {
  const x = key.toString('base64url');
  let known = publicKeys.get(x);
  if (known === undefined) {
    known = createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x } });
    publicKeys.set(x, known);
  }
  return known;
}

/** Bytes of the largest message that is verified at once or copied for the thread; hashing more takes milliseconds. */
const MOST_BYTES = 64 * 1024;

/** Signatures under way from which on the thread is started: it costs memory, which a quiet machine need not spend. */
const BUSY = 8;

const thread = new VerificationThread({
  otherwise: checkInPool,
  checkNow: checkSignature,
  createWorker: startThisFile
});
let arrived: SignatureCheck[] = [];
let underWay = 0;

/** node:crypto: about 50 times faster than JavaScript, and off the event loop when there is much to verify. */
const nodeEngine: Ed25519Engine = {
  prepare(key) {
    publicKeyOf(key);
    return (message, signature) =>
      new Promise((resolve, reject) => {
        const settle = (result: CheckResult): void => {
          underWay -= 1;
          if (result === null) reject(new Error('node:crypto cannot verify with this key.'));
          else resolve(result);
        };
        underWay += 1;
        const check = { key, message, signature, settle };
        if (underWay > 1 && message.length <= MOST_BYTES && thread.isOnline) return thread.check(check);
        arrived.push(check);
        if (arrived.length === 1) setImmediate(checkArrived);
      });
  }
};

/** What has arrived in this turn of the event loop. */
function checkArrived(): void {
  const checks = arrived;
  arrived = [];
  const [first] = checks;
  if (first === undefined) return;
  // Waking a thread takes as long as verifying, so a lone delivery does not wait for one.
  if (underWay === 1 && first.message.length <= MOST_BYTES) return first.settle(checkSignature(first));
  const usesThread = thread.isOnline || underWay >= BUSY;
  for (const check of checks)
    if (usesThread && check.message.length <= MOST_BYTES) thread.check(check);
    else checkInPool(check);
}

/** On the pool of Node.js. */
function checkInPool({ key, message, signature, settle }: SignatureCheck): void {
  try {
    verify(null, message, publicKeyOf(key), signature, (error, isValid) =>
      settle(error === null ? isValid : null)
    );
  } catch {
    settle(null);
  }
}

/** For runtimes whose crypto has no Ed25519, such as FIPS builds. */
export const tweetnaclEngine: Ed25519Engine = {
  prepare(key) {
    return (message, signature) => Promise.resolve(nacl.sign.detached.verify(message, signature, key));
  }
};

/** The engine of this runtime: node:crypto where it knows Ed25519, else tweetnacl. */
export function chooseEngine(candidate: Ed25519Engine = nodeEngine): Ed25519Engine {
  try {
    candidate.prepare(Buffer.from(nacl.sign.keyPair.fromSeed(new Uint8Array(KEY_LENGTH)).publicKey));
    return candidate;
  } catch {
    return tweetnaclEngine;
  }
}

/**
 * A public key that is ready to verify.
 *
 * @param key exactly 32 bytes, not of low order (see `parsePublicKeys`)
 */
export function createEd25519Verifier(
  key: Buffer,
  engine: Ed25519Engine = chooseEngine()
): (message: Buffer, signature: Buffer) => Promise<boolean> {
  if (key.length !== KEY_LENGTH || isLowOrderPoint(key)) return () => Promise.resolve(false);
  const verify = engine.prepare(key);
  const verifyInstead = tweetnaclEngine.prepare(key);
  return (message, signature) => {
    if (signature.length !== SIGNATURE_LENGTH || !hasCanonicalS(signature)) return Promise.resolve(false);
    // A crypto library may accept the key and refuse only when it verifies.
    return verify(message, signature).catch(() => verifyInstead(message, signature));
  };
}

if (!isMainThread && workerData === OURS)
  parentPort?.once('message', (shared: SharedChecks) =>
    serveChecks(shared, checkSignature, () => parentPort?.postMessage(null))
  );
