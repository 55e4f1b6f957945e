import { Worker } from 'node:worker_threads';
import should from 'should';
import nacl from 'tweetnacl';
import { checkSignature, createEd25519Verifier } from '../../../src/verification/ed25519';
import {
  type CheckResult,
  type SignatureCheck,
  VerificationThread
} from '../../../src/verification/verification-thread';
import { until } from '../../support/until';
import { KEY, signature } from './signed-deliveries';

const signatures = new Map<string, Buffer>();

/** tweetnacl takes some milliseconds for each, so few are signed. */
function signatureOf(text: string): Buffer {
  const known = signatures.get(text) ?? Buffer.from(signature(Buffer.from(text)), 'base64');
  signatures.set(text, known);
  return known;
}

/** Checks, and their results in the order in which they come. */
class Checks {
  readonly results: (CheckResult | undefined)[] = [];
  settled = 0;

  /** @param count every third one is forged */
  make(count: number): SignatureCheck[] {
    return Array.from({ length: count }, (_, index) => {
      const message = `1790000123|{"number":${this.results.length % 5}}`;
      const place = this.results.push(undefined) - 1;
      return {
        key: KEY,
        message: Buffer.from(message),
        signature: signatureOf(index % 3 === 2 ? `${message} ` : message),
        settle: (result) => {
          should(this.results[place]).be.undefined();
          this.results[place] = result;
          this.settled += 1;
        }
      };
    });
  }

  async all(): Promise<(CheckResult | undefined)[]> {
    await until('all results', () => this.settled === this.results.length || undefined);
    return this.results;
  }
}

const expected = (count: number): boolean[] => Array.from({ length: count }, (_, index) => index % 3 !== 2);

/** Resolves when the thread takes checks. */
async function started(thread: VerificationThread): Promise<void> {
  await until('the thread', async () => {
    const checks = new Checks();
    pass(thread, checks.make(1));
    await checks.all();
    return others.splice(0).length === 0 || undefined;
  });
}

function pass(thread: VerificationThread, checks: readonly SignatureCheck[]): void {
  for (const check of checks) thread.check(check);
}

const others: SignatureCheck[] = [];

/** As the class does by itself, with a loader of TypeScript in front. */
function sourceAsThread(): Worker {
  const file = require.resolve('../../../src/verification/ed25519');
  return new Worker(`require('tsx/cjs/api').register(); require(${JSON.stringify(file)});`, {
    eval: true,
    execArgv: [],
    workerData: '@red-telephony/node-red-telnyx/verification'
  });
}

/** A thread that runs some code with `parentPort`. */
function threadOf(code: string): Worker {
  return new Worker(`const { parentPort } = require('node:worker_threads'); ${code}`, {
    eval: true,
    execArgv: []
  });
}

/** A thread that is there and begins nothing. */
const idler = (): Worker => threadOf("parentPort.on('message', () => undefined)");

describe('a verification thread', () => {
  let thread: VerificationThread;
  let worker: Worker | undefined;
  beforeEach(() => {
    worker = undefined;
    others.length = 0;
  });
  afterEach(() => thread.end());

  const otherwise = (check: SignatureCheck): void => {
    others.push(check);
    check.settle(false);
  };

  const threadFrom = (createWorker: () => Worker, idleMs?: number): VerificationThread =>
    new VerificationThread({
      otherwise,
      checkNow: checkSignature,
      createWorker: () => (worker = createWorker()),
      ...(idleMs !== undefined && { idleMs })
    });

  /** Starts the thread with a check that others carry out, and resolves when it takes checks. */
  const online = async (): Promise<void> => {
    pass(thread, new Checks().make(1));
    await new Promise((resolve) => worker?.once('online', resolve));
    others.length = 0;
  };

  it('says of each signature whether it is valid, in the order of the checks', async () => {
    thread = threadFrom(sourceAsThread);
    await started(thread);
    const checks = new Checks();
    const counts = [1, 7, 8, 9, 64, 2, 128];
    for (const count of counts) {
      pass(thread, checks.make(count));
      await new Promise((resolve) => setImmediate(resolve));
    }
    should(await checks.all()).deepEqual(counts.flatMap(expected));
    should(others).have.length(0);
  });

  it('tells of results that come while the main thread sleeps', async () => {
    thread = threadFrom(() =>
      threadOf(`
        parentPort.on('message', ({ control }) => {
          // Begins the next check before it is there.
          const number = Atomics.add(control, 1, 1);
          parentPort.postMessage(null);
          const timer = setInterval(() => {
            // The main thread no longer looks.
            if (Atomics.load(control, 0) === number || Atomics.load(control, 2) === 1) return;
            clearInterval(timer);
            Atomics.store(control, 3 + (number & 1023), -1);
            parentPort.postMessage(null);
          }, 1);
        });`)
    );
    await online();
    await new Promise((resolve) => worker?.once('message', resolve));
    const checks = new Checks();
    pass(thread, checks.make(1));
    should(await checks.all()).deepEqual([true]);
    should(others).have.length(0);
  });

  it('carries out on the main thread what the other one does not take', async () => {
    thread = threadFrom(idler);
    await online();
    const checks = new Checks();
    // More than the numbers of checks before they wrap around.
    for (const count of [1, 2, 3, 64, 128]) {
      pass(thread, checks.make(count));
      await checks.all();
    }
    should(await checks.all()).deepEqual([1, 2, 3, 64, 128].flatMap(expected));
    should(others).have.length(0);
  });

  it('leaves checks to others for which there is no space', async () => {
    thread = threadFrom(idler);
    await online();
    let settled = 0;
    const unsigned = (length: number): SignatureCheck => ({
      key: KEY,
      message: Buffer.alloc(length),
      signature: Buffer.alloc(64),
      settle: () => (settled += 1)
    });
    pass(thread, Array(5).fill(unsigned(60_000)));
    should(others.splice(0)).have.length(1);
    await until('space', () => settled === 5 || undefined);
    pass(thread, Array(1030).fill(unsigned(10)));
    should(others.splice(0)).have.length(6);
    await until('space', () => settled === 1035 || undefined);
    // There is space again.
    const more = new Checks();
    pass(thread, more.make(3));
    should(await more.all()).deepEqual(expected(3));
    should(others).have.length(0);
  });

  it('leaves the checks to others until it has started', async () => {
    thread = threadFrom(idler);
    const checks = new Checks();
    pass(thread, checks.make(3));
    should(others.splice(0)).have.length(3);
    await checks.all();
  });

  it('leaves what it has not answered to others when it ends', async () => {
    thread = threadFrom(() =>
      threadOf(`
        parentPort.on('message', ({ control }) => {
          // Begins all checks before they are there, and answers the first one only.
          const number = Atomics.add(control, 1, 1000);
          parentPort.postMessage(null);
          const timer = setInterval(() => {
            if (Atomics.load(control, 0) === number) return;
            clearInterval(timer);
            Atomics.store(control, 3 + (number & 1023), -1);
            parentPort.postMessage(null);
          }, 1);
        });`)
    );
    await online();
    await new Promise((resolve) => worker?.once('message', resolve));
    const checks = new Checks();
    pass(thread, checks.make(6));
    await until('the first result', () => checks.settled === 1 || undefined);
    await thread.end();
    await checks.all();
    should(others.splice(0)).have.length(5);
    // The next one starts a new thread.
    pass(thread, checks.make(1));
    should(others.splice(0)).have.length(1);
  });

  it('does without a thread where threads are not allowed', async () => {
    let tries = 0;
    thread = threadFrom(() => {
      tries += 1;
      throw new Error('ERR_ACCESS_DENIED');
    });
    const checks = new Checks();
    pass(thread, checks.make(2));
    pass(thread, checks.make(2));
    await checks.all();
    should(others.splice(0)).have.length(4);
    should(tries).equal(1);
  });

  it('does without a thread when its thread fails', async () => {
    let tries = 0;
    let failed: Promise<unknown> | undefined;
    thread = threadFrom(() => {
      tries += 1;
      const broken = new Worker("throw new Error('broken')", { eval: true, execArgv: [], stderr: true });
      failed = new Promise((resolve) => broken.once('exit', resolve));
      return broken;
    });
    const checks = new Checks();
    pass(thread, checks.make(1));
    await failed;
    pass(thread, checks.make(1));
    await checks.all();
    should(others.splice(0)).have.length(2);
    should(tries).equal(1);
  });

  it('ends when it has had nothing to do for a while, although it sleeps', async () => {
    let ended: Promise<unknown> | undefined;
    thread = threadFrom(() => {
      const own = sourceAsThread();
      ended = new Promise((resolve) => own.once('exit', resolve));
      return own;
    }, 20);
    pass(thread, new Checks().make(1));
    await ended;
  });
});

describe('Ed25519 with many deliveries at once', () => {
  const verify = createEd25519Verifier(KEY);

  for (const [count, length] of [
    [1, 1000],
    [7, 1000],
    [200, 1000],
    [20, 100_000]
  ] as const) {
    it(`tells the genuine ones from the forged ones among ${count} of ${length} bytes`, async () => {
      const bytes = (index: number): Buffer => Buffer.alloc(length, `1790000123|${index} `);
      const deliveries = Array.from({ length: count }, (_, index) => ({
        message: bytes(index),
        // tweetnacl takes some milliseconds for each, so few are signed.
        proof: Buffer.from(signature(bytes(index % 5)), 'base64')
      }));
      // Twice: the first time the thread may not be there yet.
      for (let round = 0; round < 2; round += 1) {
        const results = await Promise.all(deliveries.map(({ message, proof }) => verify(message, proof)));
        should(results).deepEqual(deliveries.map((_, index) => index < 5));
      }
    });
  }

  it('refuses what node:crypto cannot verify', async () => {
    // Not a point of the curve.
    const strange = createEd25519Verifier(Buffer.alloc(32, 2));
    const proof = Buffer.from(nacl.sign.detached(Buffer.from('x'), nacl.sign.keyPair().secretKey));
    should(await Promise.all(Array.from({ length: 40 }, () => strange(Buffer.from('x'), proof)))).deepEqual(
      Array.from({ length: 40 }, () => false)
    );
  });
});
