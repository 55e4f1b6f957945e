import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import should from 'should';
import { CheckpointCopies, type CheckpointStore } from '../../../../src/evidence/custody/checkpoint-copies';
import { CustodyFixture, DAY_MS, stored } from '../custody-fixture';

class MemoryStore implements CheckpointStore {
  readonly files = new Map<string, Buffer>();
  isAway = false;
  asked = 0;

  constructor(readonly place: string) {}

  keep(name: string, bytes: Buffer): Promise<void> {
    this.asked += 1;
    if (this.isAway) return Promise.reject(new Error(`${this.place} is away`));
    this.files.set(name, bytes);
    return Promise.resolve();
  }
}

describe('the copies of checkpoints', () => {
  let fixture: CustodyFixture;
  let stores: MemoryStore[];

  beforeEach(async () => {
    fixture = new CustodyFixture();
    stores = [new MemoryStore('one'), new MemoryStore('other')];
    await fixture.open({ copies: new CheckpointCopies(() => stores) });
  });
  afterEach(() => fixture.end());

  async function nextDay(): Promise<void> {
    await fixture.custody?.append(stored(1));
    fixture.now += DAY_MS;
    await fixture.custody?.daily();
  }

  const digests = (files: Iterable<[string, Buffer]>): [string, string][] =>
    [...files].map(([name, bytes]) => [name, createHash('sha256').update(bytes).digest('hex')]);

  it('are brought to every place, once, and never the log itself', async () => {
    await fixture.custody?.daily();
    should(stores[0]?.asked).equal(0);
    await nextDay();
    await fixture.custody?.daily();
    const names = fixture.files().filter((name) => !name.endsWith('.jsonl'));
    should(names.map((name) => name.replace(/.*?\./, ''))).eql([
      'checkpoint.json',
      'checkpoint.json.sig',
      'pem'
    ]);
    const there = digests(names.map((name) => [name, readFileSync(fixture.path(name))]));
    for (const { files, asked } of stores) {
      should(digests(files)).eql(there);
      should(asked).equal(3);
    }
    await nextDay();
    should(stores[0]?.asked).equal(5);
  });

  it('are brought later where a place is away, and to the others meanwhile', async () => {
    const [one, other] = stores as [MemoryStore, MemoryStore];
    one.isAway = true;
    await should(nextDay()).be.rejectedWith(/one is away/);
    should(other.files.size).equal(3);
    one.isAway = false;
    await fixture.custody?.daily();
    should(one.files.size).equal(3);
    should(other.asked).equal(3);
  });

  it('are brought without a time stamp when there is none, and the time stamp later', async () => {
    await fixture.custody?.close();
    let isAway = true;
    const anchor = {
      missing: () => (isAway ? Promise.reject(new Error('no authority')) : Promise.resolve([])),
      stamp: () => Promise.reject(new Error('not asked'))
    };
    await fixture.open({ anchor, copies: new CheckpointCopies(() => stores) });
    await should(nextDay()).be.rejectedWith(/no authority/);
    should(stores[0]?.files.size).equal(3);
    isAway = false;
    const [checkpoint = ''] = fixture.files('.checkpoint.json');
    fixture.write(`${checkpoint}.tsr`, ['a time stamp']);
    await fixture.custody?.daily();
    should(stores[0]?.files.has(`${checkpoint}.tsr`)).be.true();
  });
});
