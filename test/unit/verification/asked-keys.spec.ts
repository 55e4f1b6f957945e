import should from 'should';
import { CodedError } from '../../../src/errors/coded-error';
import {
  ASK_AGAIN_MS,
  AskedKeys,
  type KeyNews,
  REPLACED_VALID_MS
} from '../../../src/verification/asked-keys';
import { until } from '../../support/until';
import { KEY, OTHER_KEY } from './signed-deliveries';

const bytes = (size: number): Buffer => Buffer.alloc(size);

const THIRD_KEY = Buffer.alloc(32, 0x33);
const OFFLINE = new CodedError('STALLED', 'GET /public_key was not answered.', { retryable: true });
const WRONG_KEY = new CodedError('API_UNAUTHORIZED', 'Check the API key in the account.');

/** An API that tells `keys`, or fails. While it is `held`, it answers nothing. */
class Api {
  keys: readonly Buffer[] = [KEY];
  fault: Error | null = null;
  questions = 0;
  stored: unknown;
  #hold: Promise<void> | undefined;
  #go: () => void = () => undefined;

  hold(): void {
    this.#hold = new Promise((resolve) => (this.#go = resolve));
  }

  go(): void {
    this.#go();
    this.#hold = undefined;
  }

  async ask(signal: AbortSignal): Promise<readonly Buffer[]> {
    this.questions += 1;
    await this.#hold;
    signal.throwIfAborted();
    if (this.fault !== null) throw this.fault;
    return this.keys;
  }

  kept(): unknown {
    return this.stored;
  }

  keep(value: unknown): Promise<void> {
    // What reaches the disk has no prototype and no buffers.
    this.stored = JSON.parse(JSON.stringify(value));
    return Promise.resolve();
  }
}

describe('AskedKeys', () => {
  let api: Api;
  let time: { now: number; monotonic: number };
  let news: KeyNews[];
  let ends: (() => void)[];

  beforeEach(() => {
    api = new Api();
    time = { now: 1_790_000_000_000, monotonic: 0 };
    news = [];
    ends = [];
  });
  afterEach(() => {
    for (const end of ends) end();
  });

  /** Used by one node from the beginning. */
  function started(): AskedKeys {
    const asked = new AskedKeys({
      now: () => time.now,
      monotonic: () => time.monotonic,
      random: () => 0.001
    });
    asked.onNews((told) => news.push(told));
    ends.push(asked.use(api));
    return asked;
  }

  async function withKeys(...keys: Buffer[]): Promise<AskedKeys> {
    const asked = started();
    await known(asked, ...keys);
    return asked;
  }

  const known = (asked: AskedKeys, ...keys: Buffer[]): Promise<true> =>
    until('the keys', () => (Buffer.concat(keys).equals(Buffer.concat(asked.publicKeys)) ? true : undefined));
  const kinds = (): string[] => news.map(({ kind }) => kind);
  const pass = (ms: number): void => {
    time.now += ms;
    time.monotonic += ms;
  };

  it('asks at the start, once for all users, and says what it found', async () => {
    const asked = started();
    ends.push(asked.use(api));
    asked.publicKeys.should.be.empty();
    await known(asked, KEY);
    should(api.questions).equal(1);
    should(kinds()).eql(['found']);
  });

  it('asks nothing at the next start, while the API is down too', async () => {
    await withKeys(KEY);
    for (const end of ends) end();
    api.fault = OFFLINE;
    should(started().publicKeys).eql([KEY]);
    should(api.questions).equal(1);
  });

  it('asks until the API answers, and tells each reason once', async () => {
    api.fault = OFFLINE;
    const asked = started();
    await until('three questions', () => (api.questions >= 3 ? true : undefined));
    should(asked.fault).equal(OFFLINE);
    api.fault = null;
    await known(asked, KEY);
    should(asked.fault).be.null();
    should(news.filter((told) => told.kind === 'failed' && !told.isRepeated)).have.length(1);
    should(kinds().at(-1)).equal('found');
  });

  it('does not hurry when the API key is wrong, and asks at once after a deploy', async () => {
    api.fault = WRONG_KEY;
    const asked = started();
    await until('the refusal', () => asked.fault ?? undefined);
    const busy = new Api();
    busy.fault = OFFLINE;
    ends.unshift(new AskedKeys({ random: () => 0.01 }).use(busy));
    await until('as much time as a pause takes', () => (busy.questions >= 3 ? true : undefined));
    should(api.questions).equal(1);
    ends.pop()?.();
    api.fault = null;
    ends.push(asked.use(api));
    await known(asked, KEY);
  });

  it('takes whatever the source throws for a failure that may pass', async () => {
    api.fault = new TypeError('broken');
    const asked = started();
    await until('another question', () => (api.questions >= 2 ? true : undefined));
    should(asked.fault).have.properties({ code: 'LINK_REFUSED', retryable: true });
  });

  it('asks again when a signature does not match, at most every ten minutes', async () => {
    const asked = await withKeys(KEY);
    pass(1000);
    should(await asked.renew(bytes(10))).equal('settled');
    should(api.questions).equal(2);
    pass(ASK_AGAIN_MS - 1);
    await Promise.all(Array.from({ length: 1000 }, () => asked.renew(bytes(10))));
    should(api.questions).equal(2);
    pass(1);
    await asked.renew(bytes(10));
    should(api.questions).equal(3);
    should(kinds()).eql(['found']);
  });

  describe('while deliveries are accepted', () => {
    const body = (connection: string, event: string): Buffer =>
      Buffer.from(JSON.stringify({ data: { id: event, payload: { connection_id: connection } } }));
    const OWN = '1684641123236054244';
    const genuine = (number: number): Buffer => body(OWN, `0ccc7b54-4df3-4bca-a65a-00000000000${number}`);
    const stranger = body('1111111111111111111', '7cee7b54-4df3-4bca-a65a-3da08aa9c7f0');

    it('does not let strangers use up the question that a new key needs', async () => {
      const asked = await withKeys(KEY);
      for (const number of [1, 2]) asked.accepted(genuine(number), 0);
      should(await asked.renew(stranger)).equal('settled');
      should(api.questions).equal(1);
      api.keys = [OTHER_KEY];
      await asked.renew(genuine(3));
      should(asked.publicKeys).eql([OTHER_KEY, KEY]);
      // Nor a second one.
      await asked.renew(genuine(4));
      should(api.questions).equal(2);
    });

    it('asks because of any delivery when none was accepted for ten minutes', async () => {
      const asked = await withKeys(KEY);
      for (const number of [1, 2]) asked.accepted(genuine(number), 0);
      pass(10 * 60 * 1000 - 1);
      await asked.renew(stranger);
      should(api.questions).equal(1);
      pass(1);
      await asked.renew(stranger);
      should(api.questions).equal(2);
    });

    it('asks because of any delivery as long as nothing tells which are of the account', async () => {
      for (const known of [
        [],
        [genuine(1)],
        [body('1', 'first'), body('1', 'second')],
        [stranger, genuine(1)]
      ]) {
        const asked = await withKeys(KEY);
        const before = api.questions;
        for (const one of known) asked.accepted(one, 0);
        await asked.renew(body('2222222222222222222', 'event'));
        should(api.questions).equal(before + 1);
      }
    });

    it('learns nothing from what a replaced key has signed', async () => {
      const asked = await withKeys(KEY);
      api.keys = [OTHER_KEY];
      await asked.renew(genuine(1));
      for (const number of [1, 2]) asked.accepted(genuine(number), 1);
      pass(ASK_AGAIN_MS);
      await asked.renew(stranger);
      should(api.questions).equal(3);
    });
  });

  it('counts ten minutes across deploys, and not by the time of day', async () => {
    const asked = await withKeys(KEY);
    await asked.renew(bytes(10));
    ends.pop()?.();
    ends.push(asked.use(api));
    time.now += 10 * REPLACED_VALID_MS;
    await asked.renew(bytes(10));
    should(api.questions).equal(2);
  });

  it('keeps a replaced key for 24 hours', async () => {
    const asked = await withKeys(KEY);
    api.keys = [OTHER_KEY];
    await asked.renew(bytes(10));
    should(asked.publicKeys).eql([OTHER_KEY, KEY]);
    should(kinds()).eql(['found', 'replaced']);
    ends.pop()?.();
    pass(REPLACED_VALID_MS - 40);
    // Another process, with what was kept.
    const later = started();
    should(later.publicKeys).eql([OTHER_KEY, KEY]);
    pass(40);
    await known(later, OTHER_KEY);
    should(kinds().at(-1)).equal('expired');
  });

  it('knows a key that comes back, and keeps only the last replaced ones', async () => {
    const asked = await withKeys(KEY);
    const keys = [OTHER_KEY, KEY, ...Array.from({ length: 6 }, (_, index) => Buffer.alloc(32, 0x60 + index))];
    for (const key of keys) {
      pass(ASK_AGAIN_MS);
      api.keys = [key];
      await asked.renew(bytes(10));
    }
    should(asked.publicKeys).eql([...keys.slice(-5)].reverse());
  });

  it('uses all keys that the API tells', async () => {
    api.keys = [KEY, OTHER_KEY];
    const asked = await withKeys(KEY, OTHER_KEY);
    api.keys = [OTHER_KEY, THIRD_KEY];
    await asked.renew(bytes(10));
    should(asked.publicKeys).eql([OTHER_KEY, THIRD_KEY, KEY]);
  });

  it('changes nothing when a question fails', async () => {
    const asked = await withKeys(KEY);
    api.fault = WRONG_KEY;
    should(await asked.renew(bytes(10))).equal('settled');
    should(asked.publicKeys).eql([KEY]);
    should(asked.fault).equal(WRONG_KEY);
    should(api.questions).equal(2);
  });

  it('gives a replaced key 24 hours at most, also after the clock was set back', () => {
    api.stored = {
      keys: [
        { key: OTHER_KEY.toString('base64'), replacedAt: null },
        { key: KEY.toString('base64'), replacedAt: time.now + 365 * REPLACED_VALID_MS }
      ]
    };
    const asked = started();
    should(asked.publicKeys).eql([OTHER_KEY, KEY]);
    ends.pop()?.();
    pass(REPLACED_VALID_MS);
    ends.push(asked.use(api));
    should(asked.publicKeys).eql([OTHER_KEY]);
  });

  for (const [what, stored] of [
    ['nothing', undefined],
    ['text', 'keys'],
    ['no list', { keys: { key: KEY.toString('base64') } }],
    ['no keys', { keys: [null, 7, { key: 'AAAA', replacedAt: null }, { key: KEY.toString('base64') }] }],
    ['a weak key', { keys: [{ key: Buffer.alloc(32).toString('base64'), replacedAt: null }] }]
  ] as const) {
    it(`asks when the state holds ${what}`, async () => {
      api.stored = stored;
      await withKeys(KEY);
      should(api.questions).equal(1);
    });
  }

  it('works on a state that cannot be written', async () => {
    api.keep = () => Promise.reject(new Error('disk full'));
    await withKeys(KEY);
  });

  describe('while a question is under way', () => {
    let asked: AskedKeys;

    beforeEach(async () => {
      asked = await withKeys(KEY);
      api.hold();
      api.keys = [OTHER_KEY];
    });
    afterEach(() => api.go());

    it('lets 64 deliveries wait for it, and no more', async () => {
      const waiting = Array.from({ length: 10_000 }, () => asked.renew(bytes(10)));
      const over = await Promise.all(waiting.slice(64));
      should(new Set(over)).eql(new Set(['pending']));
      api.go();
      should(new Set(await Promise.all(waiting.slice(0, 64)))).eql(new Set(['settled']));
      should(asked.publicKeys[0]).eql(OTHER_KEY);
      should(api.questions).equal(2);
    });

    it('keeps no more than 8 MiB of them in memory', async () => {
      const first = asked.renew(bytes(8 * 1024 * 1024));
      should(await asked.renew(bytes(1))).equal('pending');
      api.go();
      should(await first).equal('settled');
      should(await asked.renew(bytes(9 * 1024 * 1024))).equal('settled');
    });

    it('lets none wait for as long as the answer takes', async () => {
      should(await asked.renew(bytes(10))).equal('pending');
    });

    it('lets all go when the last user ends, and learns nothing afterwards', async () => {
      const waiting = asked.renew(bytes(10));
      ends.pop()?.();
      api.go();
      should(await waiting).equal('pending');
      should(await asked.renew(bytes(10))).equal('pending');
      should(asked.publicKeys).eql([KEY]);
    });
  });
});
