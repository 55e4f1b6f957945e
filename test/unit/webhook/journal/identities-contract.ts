import should from 'should';
import type { RememberedId } from '../../../../src/events/build-event';
import type { CopyOutcome } from '../../../../src/webhook/endpoint/flow-reply';
import type { Claimed, Identities } from '../../../../src/webhook/journal/identities';

export interface IdentitiesUnderTest {
  identities: Identities;
  /** The same, as another process sees it; absent where it is not shared. */
  elsewhere?: Identities;
  /** Records what a claim is about, as it has to be before the claim ends as accepted. */
  record: (scope: string, id: RememberedId, answer: CopyOutcome['answer']) => Promise<void>;
  /** From now on, what was remembered is older than 24 hours. */
  aDayLater: () => void;
  remove: () => Promise<void>;
}

const ACCEPTED: CopyOutcome = { accepted: true, answer: null };
const REFUSED: CopyOutcome = { accepted: false, status: 503, answer: null };

/** The promises of `Identities`, for every implementation. */
export function itKeepsIdentities(open: () => Promise<IdentitiesUnderTest>): void {
  let tested: IdentitiesUnderTest;
  let identities: Identities;
  /** Whom a later copy may meet: the same process, and where there is one, another. */
  let all: Identities[];

  beforeEach(async () => {
    tested = await open();
    ({ identities } = tested);
    all = tested.elsewhere === undefined ? [identities] : [identities, tested.elsewhere];
  });
  afterEach(() => tested.remove());

  async function mine(id: RememberedId, scope = 'node', by = identities): Promise<Claimed> {
    const claim = await by.claim(scope, id);
    if (claim.kind !== 'mine') throw new Error(`The claim of ${JSON.stringify(id)} is ${claim.kind}.`);
    return claim;
  }

  async function accept(id: RememberedId, scope = 'node', outcome = ACCEPTED): Promise<void> {
    const claim = await mine(id, scope);
    await tested.record(scope, id, outcome.answer);
    await claim.end(outcome);
  }

  const kind = async (id: RememberedId, by: Identities, scope = 'node'): Promise<string> =>
    (await by.claim(scope, id)).kind;

  it('let one copy in, and the others wait for what becomes of it', async () => {
    const claim = await mine('a');
    const copies = await Promise.all([...all, ...all].map(async (one) => await one.claim('node', 'a')));
    const outcomes = copies.map((copy) => {
      if (copy.kind !== 'elsewhere') throw new Error(copy.kind);
      return copy.outcome;
    });
    for (const one of all) should(await one.find('node', 'a')).equal('under-way');
    await tested.record('node', 'a', null);
    await claim.end(ACCEPTED);
    for (const outcome of await Promise.all(outcomes)) should(outcome).eql(ACCEPTED);
    for (const one of all) {
      should(await kind('a', one)).equal('accepted');
      should(await one.find('node', 'a')).equal('accepted');
    }
  });

  it('let exactly one of many at the same moment in', async () => {
    const claims = await Promise.all(
      Array.from({ length: 50 }, async (_value, index) => await all[index % all.length]!.claim('node', 'a'))
    );
    claims.filter(({ kind: what }) => what === 'mine').should.have.length(1);
    claims.filter(({ kind: what }) => what === 'elsewhere').should.have.length(49);
    for (const claim of claims) if (claim.kind === 'mine') await claim.end(REFUSED);
    for (const claim of claims) if (claim.kind === 'elsewhere') should(await claim.outcome).eql(REFUSED);
  });

  it('forget a copy that was not accepted, so that its retry is a first one', async () => {
    for (const one of all) {
      const claim = await mine('a');
      await claim.end(REFUSED);
      should(await one.find('node', 'a')).equal('unknown');
      await (await mine('a', 'node', one)).end(REFUSED);
    }
  });

  it('count the first end of a claim only', async () => {
    await accept('a');
    const claim = await mine('b');
    await tested.record('node', 'b', null);
    await claim.end(ACCEPTED);
    await claim.end(REFUSED);
    for (const one of all) should([await kind('a', one), await kind('b', one)]).eql(['accepted', 'accepted']);
    const refused = await mine('c');
    await refused.end(REFUSED);
    const next = await mine('c');
    await refused.end(REFUSED);
    should(await kind('c', identities)).equal('elsewhere');
    await next.end(REFUSED);
  });

  it('repeat the answer of the flow', async () => {
    const answer = { status: 200, contentType: 'text/xml', body: Buffer.from('<Response/>') };
    await accept('a', 'node', { accepted: true, answer });
    for (const one of all) {
      const claim = await one.claim('node', 'a');
      if (claim.kind !== 'accepted') throw new Error(claim.kind);
      should(claim.answer?.status).equal(200);
      should(Buffer.from(claim.answer!.body).toString()).equal('<Response/>');
    }
  });

  it('keep nodes apart, and what is an id from what is not', async () => {
    await accept('a');
    const others: [string, RememberedId][] = [
      ['other', 'a'],
      ['node', 'b'],
      ['node', { partial: 'a' }],
      ['node', 'A'],
      ['node', 'a\u0000'],
      ['node', `a${'x'.repeat(5000)}`],
      ['node', `a${'x'.repeat(5001)}`]
    ];
    for (const [scope, id] of others) {
      should(await identities.find(scope, id)).equal('unknown');
      await accept(id, scope);
    }
    for (const one of all)
      for (const [scope, id] of others) should(await one.find(scope, id)).equal('accepted');
  });

  it('remember what was accepted in another way', async () => {
    await identities.remember('node', 'a', null);
    for (const one of all) should(await kind('a', one)).equal('accepted');
  });

  it('hand out again what this process recorded and did not hand over', async () => {
    await accept('a');
    should(await identities.reclaim('node', 'a')).be.true();
    if (tested.elsewhere === undefined) return;
    await (await mine('b')).end(REFUSED);
    const claim = await mine('b', 'node', tested.elsewhere);
    await tested.record('node', 'b', null);
    await claim.end(ACCEPTED);
    should(await identities.reclaim('node', 'b')).be.false();
  });

  it('remember for 24 hours', async () => {
    await accept('a');
    tested.aDayLater();
    for (const one of all) should(await one.find('node', 'a')).equal('unknown');
    await accept('a');
  });
}
