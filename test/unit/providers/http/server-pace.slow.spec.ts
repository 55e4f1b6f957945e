import should from 'should';
import { monotonicNow } from '../../../../src/clock/clocks';
import { ServerPace } from '../../../../src/providers/http/server-pace';
import { THREE_HOURS_MS, withClockSet } from '../../../support/clock-set';

/** A server with fixed windows, described by `x-ratelimit-*` headers. */
class Server {
  refused = 0;
  served = 0;
  #begun = -Infinity;
  #used = 0;

  constructor(
    private readonly limit: number,
    private readonly spanMs: number
  ) {}

  /** Counts a request now. Returns the headers of its response. */
  take(): Record<string, string> {
    const now = Date.now();
    if (now >= this.#begun + this.spanMs) {
      this.#begun = now;
      this.#used = 0;
    }
    if (this.#used >= this.limit) this.refused += 1;
    else {
      this.#used += 1;
      this.served += 1;
    }
    return {
      'x-ratelimit-limit': String(this.limit),
      'x-ratelimit-remaining': String(this.limit - this.#used),
      'x-ratelimit-reset': String(Math.ceil((this.#begun + this.spanMs - now) / 1000))
    };
  }
}

const never = new AbortController().signal;

async function ask(pace: ServerPace, server: Server, latencyMs: () => number): Promise<void> {
  // The latency to the server.
  const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, latencyMs()));
  await pace.turn({ signal: never });
  await pause();
  const headers = server.take();
  await pause();
  pace.answered(headers);
  pace.ended();
}

describe('ServerPace', () => {
  it('never sends more requests than the server permits, however many callers there are', async function () {
    this.timeout(60_000);
    const pace = new ServerPace();
    const server = new Server(7, 300);
    let turn = 0;
    const latency = (): number => (turn++ * 7) % 30;
    await Promise.all(Array.from({ length: 24 }, () => ask(pace, server, latency)));
    should([server.served, server.refused]).eql([24, 0]);
  });

  it('waits for the end of the window that the server counts, even after a rest', async function () {
    this.timeout(60_000);
    const pace = new ServerPace();
    const server = new Server(3, 1000);
    for (let round = 0; round < 2; round += 1) {
      // The first of each window takes longer to arrive.
      for (let count = 0; count < 5; count += 1) await ask(pace, server, () => (count === 0 ? 60 : 2));
      // The rest that the test is about: longer than the server's window of a second.
      await new Promise((resolve) => setTimeout(resolve, 1100));
    }
    should([server.served, server.refused]).eql([10, 0]);
  });

  it('divides what the server permits among those who ask, and takes the whole again when they have gone', async function () {
    this.timeout(60_000);
    const server = new Server(12, 1000);
    let parts = 3;
    const paces = [1, 2, 3].map(() => new ServerPace(monotonicNow, () => parts));
    let turn = 0;
    const latency = (): number => (turn++ * 7) % 30;
    const asked = paces.flatMap((pace) => Array.from({ length: 8 }, () => ask(pace, server, latency)));
    await Promise.all(asked);
    should([server.served, server.refused]).eql([24, 0]);
    parts = 1;
    const [alone] = paces;
    should.exist(alone);
    // A window of its own, and then one that it knows to be the whole.
    for (let count = 0; count < 12; count += 1) await ask(alone!, server, () => 1);
    const begun = performance.now();
    await Promise.all(Array.from({ length: 24 }, () => ask(alone!, server, () => 1)));
    should(performance.now() - begun).be.below(3500);
    should([server.served, server.refused]).eql([60, 0]);
  });

  it('sends one request at a time until the first response', async () => {
    const pace = new ServerPace();
    await pace.turn({ signal: never });
    let second = false;
    const other = pace.turn({ signal: never }).then(() => (second = true));
    await new Promise((resolve) => setImmediate(resolve));
    second.should.be.false();
    pace.answered({});
    pace.ended();
    await other;
    pace.ended();
  });

  it('continues when the first request gets no response', async () => {
    const pace = new ServerPace();
    await pace.turn({ signal: never });
    const other = pace.turn({ signal: never });
    pace.ended();
    await other;
    pace.ended();
  });

  it('delays 50 callers by at most two seconds when the first request is never answered', async function () {
    this.timeout(60_000);
    const pace = new ServerPace();
    const begun = performance.now();
    await pace.turn({ signal: never });
    await Promise.all(Array.from({ length: 50 }, () => pace.turn({ signal: never })));
    should(performance.now() - begun).be.within(1900, 8000);
    // After that, nothing waits.
    await pace.turn({ signal: never });
  });

  it('releases all other requests together when the first one fails', async () => {
    const pace = new ServerPace();
    await pace.turn({ signal: never });
    const others = Array.from({ length: 50 }, () => pace.turn({ signal: never }));
    pace.ended();
    // None of them has completed.
    await Promise.all(others);
  });

  it('counts an unanswered request in one window, not in all of them', async () => {
    let now = 0;
    const pace = new ServerPace(() => now);
    const turns = async (count: number): Promise<void> => {
      for (let turn = 0; turn < count; turn += 1) await pace.turn({ signal: never });
    };
    await pace.turn({ signal: never });
    pace.answered({ 'x-ratelimit-limit': '3', 'x-ratelimit-remaining': '2', 'x-ratelimit-reset': '1' });
    pace.ended();
    await turns(2);
    now += 1001;
    // Two are still in flight; their window is over.
    await turns(1);
    now += 1001;
    await turns(2);
    now += 1001;
    await turns(1);
  });

  for (const byMs of [-THREE_HOURS_MS, THREE_HOURS_MS]) {
    it(`waits for the end of a window, not of the day, when the clock moves by ${byMs / 3_600_000} hours`, async () => {
      const pace = new ServerPace();
      await pace.turn({ signal: never });
      pace.answered({ 'x-ratelimit-limit': '1', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1' });
      pace.ended();
      const begun = performance.now();
      await withClockSet(byMs, () => pace.turn({ signal: never }));
      should(performance.now() - begun).be.within(900, 10_000);
    });
  }

  it('does not slow down requests to a server without a limit', async () => {
    const pace = new ServerPace();
    await pace.turn({ signal: never });
    pace.answered({});
    pace.ended();
    for (let count = 0; count < 1000; count += 1) await pace.turn({ signal: never });
  });

  it('trusts no header for longer than a minute', async () => {
    let now = 1_000_000;
    const pace = new ServerPace(() => now);
    await pace.turn({ signal: never });
    pace.answered({
      'x-ratelimit-limit': '5',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': '999999'
    });
    pace.ended();
    now += 60_000;
    await pace.turn({ signal: never });
  });

  for (const [state, prepare] of [
    ['a full window', (pace: ServerPace) => pace.answered(full)],
    ['the first answer', () => undefined]
  ] as const) {
    it(`ends the wait for ${state} when aborted`, async () => {
      const pace = new ServerPace();
      const stop = new AbortController();
      await pace.turn({ signal: stop.signal });
      prepare(pace);
      const waiting = pace.turn({ signal: stop.signal });
      stop.abort(new Error('stopped by the test'));
      await waiting.should.be.rejectedWith('stopped by the test');
    });
  }
});

const full = { 'x-ratelimit-limit': '1', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '30' };
