import { createPublicKey, verify, type KeyObject } from 'node:crypto';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import nacl from 'tweetnacl';

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

/** One signature to check. */
export interface SignatureCheck {
  /** 32 bytes. */
  key: Buffer;
  message: Buffer;
  /** 64 bytes. */
  signature: Buffer;
  settle: (result: CheckResult) => void;
}

/** Null: node:crypto cannot tell. */
export type CheckResult = boolean | null;

/** Distinguishes our thread from others that load this package. */
const OURS = '@red-telephony/node-red-telnyx/verification';

/** Milliseconds without a check after which the thread ends: it needs about ten megabytes. */
const IDLE_MS = 60_000;

/** Results that the thread reports together. More would leave the main thread idle, fewer would wake it too often. */
const REPORTED_TOGETHER = 8;

/*
 * Checks travel as one block of bytes, which is handed over and not copied. Each of them is
 *
 *   0  uint32    length of the message, little endian
 *   4  32 bytes  key
 *  36  64 bytes  signature
 * 100  message
 */
const KEY_AT = 4;
const SIGNATURE_AT = 36;
const MESSAGE_AT = 100;

/**
 * A thread that verifies signatures. Node.js can verify on its own pool, too, but wakes a thread for each signature, and
 * syncs of the disk wait in the same queue. This one gets all deliveries of a moment at once.
 */
export class VerificationThread {
  readonly #otherwise: (check: SignatureCheck) => void;
  readonly #createWorker: () => Worker;
  readonly #idleMs: number;
  #worker: Worker | null = null;
  #isOnline = false;
  /** Where threads do not work, none is tried again. */
  #isBroken = false;
  #sent: SignatureCheck[] = [];
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param otherwise carries out a check while there is no thread, because it is starting or does not work
   * @param createWorker starts this file as a thread
   * @param idleMs see `IDLE_MS`
   */
  constructor(
    otherwise: (check: SignatureCheck) => void,
    createWorker: () => Worker = startThisFile,
    idleMs = IDLE_MS
  ) {
    this.#otherwise = otherwise;
    this.#createWorker = createWorker;
    this.#idleMs = idleMs;
  }

  /** Starts the thread if necessary. Each check is settled, also when the thread ends. */
  check(checks: readonly SignatureCheck[]): void {
    if (this.#worker === null && !this.#isBroken) this.#start();
    if (!this.#isOnline) {
      for (const check of checks) this.#otherwise(check);
      return;
    }
    const bytes = encodeChecks(checks);
    this.#sent.push(...checks);
    this.#worker?.postMessage(bytes, [bytes.buffer]);
    this.#timer?.refresh();
  }

  /** Ends the thread. Resolves when it has ended. */
  async end(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): void {
    let worker: Worker;
    try {
      worker = this.#createWorker();
    } catch {
      // The permission model of Node.js may forbid threads.
      this.#isBroken = true;
      return;
    }
    worker.unref();
    this.#worker = worker;
    worker.on('online', () => (this.#isOnline = true));
    worker.on('message', (results: readonly CheckResult[]) => this.#settle(results));
    worker.on('error', () => (this.#isBroken = true));
    worker.on('exit', () => this.#ended());
    this.#timer = setTimeout(() => {
      if (this.#sent.length > 0) this.#timer?.refresh();
      else this.end().catch(() => (this.#isBroken = true));
    }, this.#idleMs).unref();
  }

  #settle(results: readonly CheckResult[]): void {
    const checks = this.#sent.splice(0, results.length);
    checks.forEach(({ settle }, index) => settle(results[index] ?? null));
  }

  #ended(): void {
    clearTimeout(this.#timer);
    this.#worker = null;
    this.#isOnline = false;
    for (const check of this.#sent.splice(0)) this.#otherwise(check);
  }
}

function startThisFile(): Worker {
  return new Worker(__filename, {
    workerData: OURS,
    stdout: true,
    stderr: true,
    // Almost nothing lives longer than a block; by default it would take three times the memory.
    resourceLimits: { maxYoungGenerationSizeMb: 2 }
  });
}

function encodeChecks(checks: readonly SignatureCheck[]): Uint8Array<ArrayBuffer> {
  const size = checks.reduce((sum, { message }) => sum + MESSAGE_AT + message.length, 0);
  const bytes = Buffer.allocUnsafeSlow(size);
  let at = 0;
  for (const { key, signature, message } of checks) {
    bytes.writeUInt32LE(message.length, at);
    key.copy(bytes, at + KEY_AT);
    signature.copy(bytes, at + SIGNATURE_AT);
    message.copy(bytes, at + MESSAGE_AT);
    at += MESSAGE_AT + message.length;
  }
  return bytes;
}

/** On the thread. @param report called with the results in the order of the checks, some at a time */
function checkBlock(block: Uint8Array, report: (results: CheckResult[]) => void): void {
  const bytes = Buffer.from(block.buffer, block.byteOffset, block.length);
  let results: CheckResult[] = [];
  for (let at = 0; at < bytes.length;) {
    const begin = at + MESSAGE_AT;
    const end = begin + bytes.readUInt32LE(at);
    const key = bytes.subarray(at + KEY_AT, at + SIGNATURE_AT);
    const signature = bytes.subarray(at + SIGNATURE_AT, begin);
    results.push(checkSignature({ key, signature, message: bytes.subarray(begin, end) }));
    if (results.length === REPORTED_TOGETHER) {
      report(results);
      results = [];
    }
    at = end;
  }
  if (results.length > 0) report(results);
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

/** Signatures that are passed on before the turn of the event loop has ended, so that the thread begins early. */
const PASSED_TOGETHER = 16;

/** Signatures under way from which on the thread is used: it costs memory, which a quiet machine need not spend. */
const BUSY = 8;

const thread = new VerificationThread(checkInPool);
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
        arrived.push({ key, message, signature, settle });
        if (arrived.length === PASSED_TOGETHER) checkArrived();
        else if (arrived.length === 1) setImmediate(checkArrived);
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
  const isBusy = underWay >= BUSY;
  const short: SignatureCheck[] = [];
  for (const check of checks)
    if (isBusy && check.message.length <= MOST_BYTES) short.push(check);
    else checkInPool(check);
  if (short.length > 0) thread.check(short);
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
  return async (message, signature) => {
    if (signature.length !== SIGNATURE_LENGTH || !hasCanonicalS(signature)) return false;
    try {
      return await verify(message, signature);
    } catch {
      // A crypto library may accept the key and refuse only when it verifies.
      return verifyInstead(message, signature);
    }
  };
}

if (!isMainThread && workerData === OURS)
  parentPort?.on('message', (block: Uint8Array) =>
    checkBlock(block, (results) => parentPort?.postMessage(results))
  );
