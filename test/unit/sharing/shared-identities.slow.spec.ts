import { randomBytes } from 'node:crypto';
import should from 'should';
import type { RememberedId } from '../../../src/events/build-event';
import { IdentityMarks } from '../../../src/sharing/identity-marks';
import { IdentityUpload } from '../../../src/sharing/identity-upload';
import { Sealer } from '../../../src/sharing/sealer';
import { SharedIdentities } from '../../../src/sharing/shared-identities';
import type { CopyOutcome } from '../../../src/webhook/endpoint/flow-reply';
import {
  DeliveryIdentities,
  LocalIdentities,
  REMEMBERED_MS
} from '../../../src/webhook/journal/delivery-identities';
import type { Claim, Identities } from '../../../src/webhook/journal/identities';
import { until } from '../../support/until';
import { StateFixture } from '../archive/state-fixture';
import { itKeepsIdentities } from '../webhook/journal/identities-contract';
import { type Member, SharingFixture } from './sharing-fixture';

const ACCEPTED: CopyOutcome = { accepted: true, answer: null };
const REFUSED: CopyOutcome = { accepted: false, status: 503, answer: null };

/** The identities of one instance, with its state. */
class Receiver implements Identities {
  readonly state = new StateFixture();
  readonly known = new DeliveryIdentities(this.state.database, this.state.now);
  readonly upload: IdentityUpload;
  readonly shared: SharedIdentities;
  /** Which of the receivers was the last to be the first. */
  static readonly firsts = new Map<string, Receiver>();
  /** Time passes. */
  static later: Promise<void> = Promise.resolve();

  constructor(
    readonly member: Member,
    key = ''
  ) {
    const { connection, instance } = member;
    const marks = new IdentityMarks(connection, Sealer.withKey(key));
    this.state.time = Date.now();
    this.upload = new IdentityUpload({
      ...{ marks, connection, instance: instance.id, now: this.state.now, tickMs: 100, paceMs: 0 },
      since: (at) => this.known.since(at)
    });
    this.shared = new SharedIdentities({
      ...{ marks, connection, instance: instance.id, upload: this.upload },
      local: new LocalIdentities({
        find: (scope, id) => this.known.find(scope, id),
        remember: (scope, id, answer) => this.put(scope, id, answer)
      })
    });
  }

  put(scope: string, id: RememberedId, answer: CopyOutcome['answer']): Promise<void> {
    return this.state.database.commit([this.known.putting(scope, id, answer)]);
  }

  async claim(scope: string, id: RememberedId): Promise<Claim> {
    const claim = await this.shared.claim(scope, id);
    if (claim.kind === 'mine') Receiver.firsts.set(JSON.stringify([scope, id]), this);
    return claim;
  }

  /** Receives a delivery as a webhook node does. */
  async receive(id: string, answer: CopyOutcome['answer'] = null): Promise<string> {
    const claim = await this.claim('node', id);
    if (claim.kind === 'elsewhere') return (await claim.outcome).accepted ? 'dropped' : 'refused';
    if (claim.kind === 'accepted') return 'dropped';
    await this.put('node', id, answer);
    await claim.end({ accepted: true, answer });
    return 'accepted';
  }

  reclaim(scope: string, id: RememberedId): Promise<boolean> {
    return this.shared.reclaim(scope, id);
  }

  find(scope: string, id: RememberedId): ReturnType<Identities['find']> {
    return Receiver.later.then(() => this.shared.find(scope, id));
  }

  remember(scope: string, id: RememberedId, answer: CopyOutcome['answer']): Promise<void> {
    return this.shared.remember(scope, id, answer);
  }

  async remove(): Promise<void> {
    this.upload.close();
    this.shared.close();
    await this.state.remove();
  }
}

describe('SharedIdentities', () => {
  let fixture: SharingFixture;
  let receivers: Receiver[];

  beforeEach(async function () {
    fixture = await SharingFixture.start(this);
    receivers = [new Receiver(await fixture.join('one')), new Receiver(await fixture.join('other'))];
  });
  afterEach(async () => {
    await Promise.all(receivers.map((receiver) => receiver.remove()));
    await fixture.close();
  });

  const pick = (at: number): Receiver => receivers[at]!;

  async function restart(name: string): Promise<Receiver> {
    const again = new Receiver(await fixture.rejoin(name));
    receivers.push(again);
    return again;
  }

  describe('of two instances', () => {
    itKeepsIdentities(() =>
      Promise.resolve({
        identities: pick(0),
        elsewhere: pick(1),
        record: async (scope, id, answer) => {
          await Receiver.firsts.get(JSON.stringify([scope, id]))!.put(scope, id, answer);
        },
        aDayLater: () => {
          for (const { state } of receivers) state.time += REMEMBERED_MS;
          // Redis has a clock of its own; a test looks at its times.
          Receiver.later = fixture.server.flush();
        },
        remove: () => Promise.resolve()
      })
    );
  });

  it('are kept in Redis for 24 hours, claims for 30 seconds', async () => {
    await pick(0).receive('a');
    const [key = ''] = /\{test\}:identity:\S+/.exec(await fixture.server.say('KEYS {test}:identity:*')) ?? [];
    const left = async (): Promise<number> =>
      Number((await fixture.server.say(`PTTL ${key}`)).trim().slice(1));
    (await left()).should.be.within(REMEMBERED_MS - 60_000, REMEMBERED_MS);
    await fixture.server.flush();
    await pick(0).claim('node', 'b');
    const [claimed = ''] =
      /\{test\}:identity:\S+/.exec(await fixture.server.say('KEYS {test}:identity:*')) ?? [];
    Number((await fixture.server.say(`PTTL ${claimed}`)).trim().slice(1)).should.be.within(1, 30_000);
  });

  it('repeat answers of up to 16 kB in every instance, and none that Redis made up', async () => {
    const answerOf = async (id: string): Promise<string | undefined> => {
      const claim = await pick(1).claim('node', id);
      return claim.kind === 'accepted' ? claim.answer?.body.toString() : claim.kind;
    };
    const answer = (size: number): CopyOutcome['answer'] => ({
      status: 200,
      contentType: 'text/xml',
      body: Buffer.alloc(size, 'x')
    });
    await pick(0).receive('a', answer(16_384));
    should(await answerOf('a')).equal('x'.repeat(16_384));
    await pick(0).receive('b', answer(16_385));
    should(await answerOf('b')).be.undefined();
    const keys = (await fixture.server.say('KEYS {test}:identity:*')).match(/\{test\}:\S+/g) ?? [];
    for (const bad of [
      '{}',
      '{"status":200,"contentType":"a\\r\\nb","body":""}',
      '[',
      '{"status":9e9,"contentType":null,"body":""}'
    ]) {
      for (const key of keys) await fixture.server.say(`SET ${key} "a x ${bad.replace(/["\\]/g, '\\$&')}"`);
      should(await answerOf('a')).be.undefined();
    }
    for (const key of keys) await fixture.server.say(`SET ${key} nonsense`);
    should(await pick(1).find('node', 'a')).equal('unknown');
  });

  describe('with a key', () => {
    const [key, otherKey] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
    const marks = async (): Promise<string[]> =>
      (await fixture.server.say('KEYS {test}:identity:*')).match(/\{test\}:\S+/g) ?? [];

    async function keyed(name: string, own = key): Promise<Receiver> {
      const receiver = new Receiver(await fixture.join(name), own);
      receivers.push(receiver);
      return receiver;
    }

    it('know each other’s deliveries, whose answers nobody else can read', async () => {
      const [one, other] = [await keyed('three'), await keyed('four')];
      const answer = { status: 200, contentType: 'text/xml', body: Buffer.from('secret answer') };
      await one.receive('a', answer);
      const [name] = await marks();
      should(await fixture.server.say(`GET ${name}`)).not.match(/secret|status|c2VjcmV0/);
      const claim = await other.claim('node', 'a');
      should(claim.kind === 'accepted' && claim.answer?.body.toString()).equal('secret answer');
      await one.claim('node', 'b');
      should(await other.find('node', 'b')).equal('under-way');
    });

    it('drop nothing because of a mark that was made without it, for another delivery, or with another one', async () => {
      const [one, other] = [await keyed('three'), await keyed('four')];
      await one.receive('a');
      const [name] = await marks();
      const [, real = ''] = (await fixture.server.say(`GET ${name}`)).split('\r\n');
      await one.receive('b');
      const second = (await marks()).find((each) => each !== name);
      for (const forged of [real, 'a id-one ', 'c id-one token', 'c id-one token proof']) {
        await fixture.server.say(`SET ${second} "${forged}"`);
        should(await other.find('node', 'b')).equal('unknown');
      }
      await (await keyed('five', otherKey)).claim('node', 'c');
      should(await other.receive('c')).equal('accepted');
      await fixture.server.say(`SET ${second} "a id-one "`);
      should(await other.receive('b')).equal('accepted');
      should(await one.find('node', 'b')).equal('accepted');
      should(await (await keyed('six')).receive('b')).equal('dropped');
    });
  });

  it('go to the next copy when the process that had the claim is gone', async () => {
    await pick(0).claim('node', 'a');
    should(await pick(1).find('node', 'a')).equal('under-way');
    const again = await restart('one');
    should(await again.find('node', 'a')).equal('unknown');
    should(await again.receive('a')).equal('accepted');
    should(await pick(1).receive('a')).equal('dropped');
  });

  it('drop a delivery of an earlier process that another instance has accepted meanwhile', async () => {
    // Recorded, and the process died before the claim ended.
    await pick(0).claim('node', 'a');
    await pick(0).put('node', 'a', null);
    // A process that is alive tells an emptied Redis what it has recorded.
    fixture.members[0]?.connection.close();
    await fixture.server.flush();
    should(await pick(1).receive('a')).equal('accepted');
    const again = await restart('one');
    should(await again.reclaim('node', 'a')).be.false();
    should(await again.reclaim('node', 'b')).be.true();
    should(await pick(1).receive('b')).equal('dropped');
  });

  it('wait, at a restart, for what another instance is just accepting', async () => {
    const claim = await pick(1).claim('node', 'a');
    if (claim.kind !== 'mine') throw new Error(claim.kind);
    const reclaimed = pick(0).reclaim('node', 'a');
    await claim.end(ACCEPTED);
    should(await reclaimed).be.false();
    const other = await pick(1).claim('node', 'b');
    if (other.kind !== 'mine') throw new Error(other.kind);
    const mine = pick(0).reclaim('node', 'b');
    await other.end(REFUSED);
    should(await mine).be.true();
  });

  for (const [what, fault] of [
    ['nothing passes', () => receivers.forEach(({ member }) => member.relay.silence())],
    ['the network is cut', () => receivers.forEach(({ member }) => member.relay.cut())],
    ['Redis has stopped', () => fixture.server.freeze()],
    ['Redis was killed', () => fixture.server.kill()]
  ] as [string, () => unknown][]) {
    it(`accept deliveries without delay when ${what}, and tell the others afterwards`, async () => {
      should(await pick(0).receive('a')).equal('accepted');
      await fault();
      const since = performance.now();
      should(await pick(0).receive('b')).equal('accepted');
      // Twice half a second at most, as the fixture limits a command; the rest is for a busy machine.
      should(performance.now() - since).be.below(5000);
      await until('the end of the connection', () => pick(0).member.connection.isAway);
      should(await pick(0).receive('c')).equal('accepted');
      should(await pick(0).receive('c')).equal('dropped');
      await until('the end of the other connection', () => pick(1).member.connection.isAway);
      should(await pick(1).receive('d')).equal('accepted');
      if (what === 'Redis was killed') await fixture.server.run();
      fixture.server.thaw();
      for (const { member } of receivers) member.relay.mend();
      for (const [at, id] of [
        [1, 'a'],
        [1, 'b'],
        [1, 'c'],
        [0, 'd']
      ] as [number, string][])
        await until(`${id} to be known`, async () => (await pick(at).find('node', id)) === 'accepted');
    });
  }

  it('accept deliveries when Redis is full, and tell the others when it no longer is', async () => {
    await fixture.server.say('CONFIG SET maxmemory 1');
    should(await pick(0).receive('a')).equal('accepted');
    should(await pick(0).receive('a')).equal('dropped');
    await fixture.server.say('CONFIG SET maxmemory 0');
    await until('a to be known', async () => (await pick(1).find('node', 'a')) === 'accepted');
  });

  it('refuse a copy whose first one is in an instance that cannot be reached any more', async () => {
    const claim = await pick(0).claim('node', 'a');
    should(claim.kind).equal('mine');
    const copy = await pick(1).claim('node', 'a');
    if (copy.kind !== 'elsewhere') throw new Error(copy.kind);
    pick(1).member.relay.cut();
    should(await copy.outcome).eql(REFUSED);
  });

  it('are all known again after Redis was emptied, from what each instance has on its disk', async () => {
    for (let at = 0; at < 300; at += 1) await pick(at % 2).receive(`id-${at}`);
    await fixture.server.flush();
    for (let at = 0; at < 300; at += 1)
      await until(`id-${at}`, async () => (await pick((at + 1) % 2).find('node', `id-${at}`)) === 'accepted');
  });

  it('tell after a restart what was accepted before it while Redis was away, and not all of the day again', async () => {
    await pick(0).receive('before');
    const note = '{test}:identities-told:id-one';
    await until('the note', async () => (await fixture.server.say(`EXISTS ${note}`)).includes('1'));
    const [, noted] = (await fixture.server.say(`GET ${note}`)).split('\r\n');
    should(Number(noted)).equal(pick(0).state.time);
    const asked: number[] = [];
    const { member, state, known } = pick(0);
    pick(0).upload.close();
    state.time += 3_600_000;
    await pick(0).put('node', 'meanwhile', null);
    const upload = new IdentityUpload({
      ...{
        marks: new IdentityMarks(member.connection, null),
        connection: member.connection,
        instance: 'id-one'
      },
      ...{ now: state.now, paceMs: 0 },
      since: (at) => {
        asked.push(at);
        return known.since(at);
      }
    });
    await until('the upload', async () => (await pick(1).find('node', 'meanwhile')) === 'accepted');
    await upload.run();
    upload.close();
    should(asked).eql([state.time - 600_000, Number(noted) - 30_000]);
  });

  it('tell first what is most likely to be repeated, and each once', async () => {
    const now = Date.now();
    const { connection } = pick(0).member;
    const all = Array.from({ length: 250 }, (_, at) => ({
      name: `n${at}`,
      at: now - (at % 2 === 0 ? 3_600_000 : 60_000),
      answer: null
    }));
    const told: string[] = [];
    const upload = new IdentityUpload({
      ...{ connection, instance: 'id-new', paceMs: 0 },
      marks: {
        acceptAll: (_instance, some) => {
          told.push(...some.map(({ name }) => name));
          return Promise.resolve();
        }
      },
      since: async function* (since) {
        await Promise.resolve();
        yield all.filter(({ at }) => at >= since);
      }
    });
    await upload.run();
    upload.close();
    const isRecent = (name: string): boolean => Number(name.slice(1)) % 2 === 1;
    should(new Set(told).size).equal(250);
    should(told).have.length(250);
    should(told.slice(0, 125).every(isRecent)).be.true();
  });

  it('holds a great many claims without holding up Redis', async () => {
    const { connection } = pick(0).member;
    const marks = new IdentityMarks(connection, null);
    const claims = Array.from({ length: 50_000 }, (_, at) => ({
      name: `n${at}`,
      instance: 'one',
      token: 't'
    }));
    let away = 0;
    connection.on('away', () => (away += 1));
    await marks.renew(claims);
    should(away).equal(0);
    should((await pick(1).shared.claim('node', 'other')).kind).equal('mine');
  });
});
