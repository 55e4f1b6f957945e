import { Worker } from 'node:worker_threads';
import should from 'should';
import nacl from 'tweetnacl';
import {
  type CheckResult,
  createEd25519Verifier,
  type SignatureCheck,
  VerificationThread
} from '../../../src/verification/ed25519';
import { until } from '../../support/until';
import { KEY, signature } from './signed-deliveries';

/** Checks, and their results in the order in which they come. */
class Checks {
  readonly results: (CheckResult | undefined)[] = [];
  settled = 0;

  /** @param count every third one is forged */
  make(count: number): SignatureCheck[] {
    return Array.from({ length: count }, (_, index) => {
      const message = Buffer.from(`1790000123|{"number":${this.results.length}}`);
      const place = this.results.push(undefined) - 1;
      const signed = index % 3 === 2 ? Buffer.concat([message, Buffer.from(' ')]) : message;
      return {
        key: KEY,
        message,
        signature: Buffer.from(signature(signed), 'base64'),
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
    thread.check(checks.make(1));
    await checks.all();
    return others.splice(0).length === 0 || undefined;
  });
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

describe('a verification thread', () => {
  let thread: VerificationThread;
  afterEach(() => thread.end());

  const otherwise = (check: SignatureCheck): void => {
    others.push(check);
    check.settle(false);
  };

  it('says of each signature whether it is valid, in the order of the checks', async () => {
    thread = new VerificationThread(otherwise, sourceAsThread);
    await started(thread);
    const checks = new Checks();
    // More than one block, and blocks that are not full.
    for (const count of [1, 7, 8, 9, 64]) thread.check(checks.make(count));
    should(await checks.all()).deepEqual([1, 7, 8, 9, 64].flatMap(expected));
    should(others).have.length(0);
  });

  it('leaves the checks to others until it has started', async () => {
    thread = new VerificationThread(otherwise);
    const checks = new Checks();
    thread.check(checks.make(3));
    should(others.splice(0)).have.length(3);
    await checks.all();
  });

  it('leaves what it has not answered to others when it ends', async () => {
    let worker: Worker | undefined;
    thread = new VerificationThread(otherwise, () => {
      // Answers the first check only.
      worker = new Worker(
        `const { parentPort } = require('node:worker_threads');
         let count = 0;
         parentPort.on('message', () => { if (count++ === 0) parentPort.postMessage([true]); });`,
        { eval: true, execArgv: [] }
      );
      return worker;
    });
    const first = new Checks();
    thread.check(first.make(1));
    others.length = 0;
    await new Promise((resolve) => worker?.once('online', resolve));
    const checks = new Checks();
    thread.check(checks.make(1));
    thread.check(checks.make(5));
    await until('the first result', () => checks.settled === 1 || undefined);
    await thread.end();
    await checks.all();
    should(others.splice(0)).have.length(5);
    // The next one starts a new thread.
    thread.check(checks.make(1));
    should(others.splice(0)).have.length(1);
  });

  it('does without a thread where threads are not allowed', async () => {
    let tries = 0;
    thread = new VerificationThread(otherwise, () => {
      tries += 1;
      throw new Error('ERR_ACCESS_DENIED');
    });
    const checks = new Checks();
    thread.check(checks.make(2));
    thread.check(checks.make(2));
    await checks.all();
    should(others.splice(0)).have.length(4);
    should(tries).equal(1);
  });

  it('does without a thread when its thread fails', async () => {
    let tries = 0;
    let failed: Promise<unknown> | undefined;
    thread = new VerificationThread(otherwise, () => {
      tries += 1;
      const worker = new Worker("throw new Error('broken')", { eval: true, execArgv: [], stderr: true });
      failed = new Promise((resolve) => worker.once('exit', resolve));
      return worker;
    });
    const checks = new Checks();
    thread.check(checks.make(1));
    await failed;
    thread.check(checks.make(1));
    await checks.all();
    should(others.splice(0)).have.length(2);
    should(tries).equal(1);
  });

  it('ends when it has had nothing to do for a while', async () => {
    let ended: Promise<unknown> | undefined;
    thread = new VerificationThread(
      otherwise,
      () => {
        const worker = new Worker(
          'require("node:worker_threads").parentPort.on("message", () => undefined)',
          {
            eval: true,
            execArgv: []
          }
        );
        ended = new Promise((resolve) => worker.once('exit', resolve));
        return worker;
      },
      20
    );
    thread.check(new Checks().make(1));
    others.length = 0;
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
