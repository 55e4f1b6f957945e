import type { Worker } from 'node:worker_threads';

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

/** Checks a signature on the calling thread. Must not throw. */
export type CheckNow = (check: Pick<SignatureCheck, 'key' | 'message' | 'signature'>) => CheckResult;

/** Milliseconds without a check after which the thread ends: it needs about ten megabytes. */
const IDLE_MS = 60_000;

/** Bytes for checks under way: those of 128 connections and more. */
const SHARED_BYTES = 256 * 1024;

/** Checks under way at most. A power of two, so that counters may wrap around. */
const SLOTS = 1024;

/** Checks that are passed on before the turn of the event loop has ended, so that the thread begins early. */
const PASSED_TOGETHER = 4;

/** Fewer than this many are not worth waking the thread: the event loop checks a single one itself. */
const WORTH_WAKING = 2;

/**
 * Results that are settled together while the event loop has checks to do itself: what follows, such as a write to disk,
 * is cheaper for several. The fewest, and the part of all that are under way.
 */
const FEWEST_TOGETHER = 4;
const PART_TOGETHER = 1 / 4;

/*
 * Both threads see the same memory, so a check costs no message. An array of 32-bit integers holds
 *
 *   0  how many checks were put there
 *   1  how many were begun, by either thread
 *   2  whether the main thread looks for results by itself, or was told of some: 1, else 0
 *   3  for each check under way, at its number modulo SLOTS, where its bytes begin, and later its result
 *
 * and the bytes of each check are
 *
 *   0  uint32    length of the message, little endian
 *   4  32 bytes  key
 *  36  64 bytes  signature
 * 100  message
 */
const PUT = 0;
const BEGUN = 1;
const AWARE = 2;
const SLOTS_AT = 3;
const KEY_AT = 4;
const SIGNATURE_AT = 36;
const MESSAGE_AT = 100;

/** The first number of a check: the counters soon wrap around, so that this is no rare case. */
const FIRST = 0x7fff_ff80;

const VALID = -1;
const INVALID = -2;
const UNKNOWN = -3;

/** The memory that both threads see. */
export interface SharedChecks {
  control: Int32Array;
  bytes: Uint8Array;
}

/** The same, as each thread uses it. */
interface Checks {
  control: Int32Array;
  bytes: Buffer;
}

interface VerificationThreadOptions {
  /** Carries out a check while there is no thread, because it is starting or does not work, or has too much to do. */
  otherwise: (check: SignatureCheck) => void;
  checkNow: CheckNow;
  /** Starts a thread that calls `serveChecks` with the first message it gets. */
  createWorker: () => Worker;
  /** Default: see `IDLE_MS`. */
  idleMs?: number;
}

/**
 * A thread that checks signatures. Node.js can do that on its own pool, too, but wakes a thread for each of them, and syncs
 * of the disk wait in the same queue. Here an awake thread takes the next check by itself; and a turn of the event loop in
 * which nothing arrives is used to take one, too.
 */
export class VerificationThread {
  readonly #options: VerificationThreadOptions;
  #worker: Worker | null = null;
  #isOnline = false;
  /** Where threads do not work, none is tried again. */
  #isBroken = false;
  #timer: NodeJS.Timeout | undefined;
  #shared: Checks = { control: new Int32Array(0), bytes: Buffer.alloc(0) };
  /** Checks without a result, with the bytes that each of them takes up. */
  #sent: { check: SignatureCheck; size: number }[] = [];
  #put = FIRST;
  /** Where the next check goes, and how many bytes are in use before. */
  #at = 0;
  #used = 0;
  /** How many were put there since the thread was last woken. */
  #untold = 0;
  #isLooking = false;
  /** Whether something arrived or was settled in this turn of the event loop. */
  #isActive = false;

  constructor(options: VerificationThreadOptions) {
    this.#options = options;
  }

  /** Whether it takes checks. */
  get isOnline(): boolean {
    return this.#isOnline;
  }

  /** Starts the thread if necessary. The check is settled in any case, also when the thread ends. */
  check(check: SignatureCheck): void {
    if (this.#worker === null && !this.#isBroken) this.#start();
    if (!this.#isOnline || !this.#share(check)) return this.#options.otherwise(check);
    if (this.#sent.length === 1) this.#timer?.refresh();
    this.#isActive = true;
    this.#untold += 1;
    if (this.#untold === PASSED_TOGETHER) this.#wake();
    if (!this.#isLooking) this.#lookLater();
  }

  /** Ends the thread. Resolves when it has ended. */
  async end(): Promise<void> {
    await this.#worker?.terminate();
  }

  #start(): void {
    let worker: Worker;
    try {
      worker = this.#options.createWorker();
    } catch {
      // The permission model of Node.js may forbid threads.
      this.#isBroken = true;
      return;
    }
    const { idleMs = IDLE_MS } = this.#options;
    const bytes = new Uint8Array(new SharedArrayBuffer(SHARED_BYTES));
    const control = new Int32Array(new SharedArrayBuffer((SLOTS_AT + SLOTS) * Int32Array.BYTES_PER_ELEMENT));
    control[PUT] = control[BEGUN] = this.#put = FIRST;
    this.#shared = { control, bytes: Buffer.from(bytes.buffer) };
    this.#at = this.#used = this.#untold = 0;
    worker.unref();
    this.#worker = worker;
    worker.on('online', () => (this.#isOnline = true));
    worker.on('message', () => this.#told());
    worker.on('error', () => (this.#isBroken = true));
    worker.on('exit', () => this.#ended());
    worker.postMessage({ control, bytes } satisfies SharedChecks);
    this.#timer = setTimeout(() => {
      if (this.#sent.length > 0) this.#timer?.refresh();
      else this.end().catch(() => (this.#isBroken = true));
    }, idleMs).unref();
  }

  /** @returns false when there is no space */
  #share(check: SignatureCheck): boolean {
    const { key, signature, message } = check;
    const length = MESSAGE_AT + message.length;
    const rest = SHARED_BYTES - this.#at;
    const at = length > rest ? 0 : this.#at;
    const size = length > rest ? rest + length : length;
    if (this.#used + size > SHARED_BYTES || this.#sent.length === SLOTS) return false;
    const { control, bytes } = this.#shared;
    bytes.writeUInt32LE(message.length, at);
    key.copy(bytes, at + KEY_AT);
    signature.copy(bytes, at + SIGNATURE_AT);
    message.copy(bytes, at + MESSAGE_AT);
    this.#at = at + length;
    this.#used += size;
    this.#sent.push({ check, size });
    control[slotOf(this.#put)] = at;
    this.#put = (this.#put + 1) | 0;
    Atomics.store(control, PUT, this.#put);
    return true;
  }

  #wake(): void {
    this.#untold = 0;
    Atomics.notify(this.#shared.control, PUT);
  }

  #lookLater(): void {
    this.#isLooking = true;
    Atomics.store(this.#shared.control, AWARE, 1);
    setImmediate(() => this.#look());
  }

  /** Once for each turn of the event loop, until every check was begun. After that, the thread tells of the results. */
  #look(): void {
    this.#isLooking = false;
    if (!this.#isOnline) return;
    const { control } = this.#shared;
    if (this.#untold >= WORTH_WAKING) this.#wake();
    const least = Math.max(FEWEST_TOGETHER, this.#sent.length * PART_TOGETHER);
    if (this.#settle(least) || this.#isActive) this.#isActive = false;
    else this.#checkNext();
    if (hasNext(control)) return this.#lookLater();
    Atomics.store(control, AWARE, 0);
    // The thread may have finished before.
    this.#settle(1);
  }

  #told(): void {
    if (!this.#isLooking) Atomics.store(this.#shared.control, AWARE, 0);
    this.#settle(1);
  }

  #checkNext(): void {
    this.#untold = 0;
    const number = beginNext(this.#shared.control);
    if (number !== null) carryOut(this.#shared, number, this.#options.checkNow);
  }

  /** In the order of the checks. @returns whether there were at least so many results */
  #settle(least: number): boolean {
    const first = this.#put - this.#sent.length;
    let count = 0;
    const results: number[] = [];
    for (; count < this.#sent.length; count += 1) {
      const result = Atomics.load(this.#shared.control, slotOf(first + count));
      if (result >= 0) break;
      results.push(result);
    }
    if (count < least) return false;
    this.#sent.splice(0, count).forEach(({ check, size }, index) => {
      this.#used -= size;
      const result = results[index];
      check.settle(result === UNKNOWN ? null : result === VALID);
    });
    return true;
  }

  #ended(): void {
    clearTimeout(this.#timer);
    this.#worker = null;
    this.#isOnline = false;
    for (const { check } of this.#sent.splice(0)) this.#options.otherwise(check);
  }
}

function slotOf(number: number): number {
  return SLOTS_AT + (number & (SLOTS - 1));
}

/** Whether there is a check that nobody has begun. */
function hasNext(control: Int32Array): boolean {
  return ((Atomics.load(control, PUT) - Atomics.load(control, BEGUN)) | 0) > 0;
}

/** @returns the number of a check that nobody has begun, which is now the caller's; null when there is none */
function beginNext(control: Int32Array): number | null {
  for (;;) {
    const number = Atomics.load(control, BEGUN);
    if (((Atomics.load(control, PUT) - number) | 0) <= 0) return null;
    if (Atomics.compareExchange(control, BEGUN, number, (number + 1) | 0) === number) return number;
  }
}

function carryOut({ control, bytes }: Checks, number: number, check: CheckNow): void {
  const at = Atomics.load(control, slotOf(number));
  const begin = at + MESSAGE_AT;
  const key = bytes.subarray(at + KEY_AT, at + SIGNATURE_AT);
  const signature = bytes.subarray(at + SIGNATURE_AT, begin);
  const message = bytes.subarray(begin, begin + bytes.readUInt32LE(at));
  const result = check({ key, signature, message });
  Atomics.store(control, slotOf(number), result === null ? UNKNOWN : result ? VALID : INVALID);
}

/**
 * On the thread: carries out checks for as long as it lives.
 *
 * @param tell wakes the main thread
 */
export function serveChecks(shared: SharedChecks, check: CheckNow, tell: () => void): void {
  const { control } = shared;
  const checks = { control, bytes: Buffer.from(shared.bytes.buffer) };
  const work = (): void => {
    for (let number = beginNext(control); number !== null; number = beginNext(control)) {
      carryOut(checks, number, check);
      if (!hasNext(control) && Atomics.compareExchange(control, AWARE, 0, 1) === 0) tell();
    }
    Atomics.wait(control, PUT, Atomics.load(control, BEGUN));
    // Lets the thread's own event loop do what it has to.
    setImmediate(work);
  };
  work();
}
