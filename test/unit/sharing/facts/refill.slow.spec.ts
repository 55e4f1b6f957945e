import { randomBytes } from 'node:crypto';
import should from 'should';
import { NO_EFFECTS } from '../../../../src/archive/effects';
import type { IndexedFile } from '../../../../src/archive/index/stored-index';
import { Tombstones } from '../../../../src/evidence/deletion/tombstones';
import { keyDigest } from '../../../../src/values/fields';
import { until } from '../../../support/until';
import { SharingFixture } from '../sharing-fixture';
import { Archive, type ArchiveOptions, fileOf, stored } from './sharing-archive';

const KEPT = 100;
const FILES = 600;
const HOUR_MS = 3_600_000;

describe('what an instance has missed', () => {
  let fixture: SharingFixture;
  const archives: Archive[] = [];

  beforeEach(async function () {
    fixture = await SharingFixture.start(this);
  });
  afterEach(async () => {
    for (const archive of archives.splice(0)) await archive.remove();
    await fixture.close();
  });

  async function join(name: string, options: ArchiveOptions = {}): Promise<Archive> {
    const archive = new Archive(await fixture.join(name), { kept: KEPT, ...options });
    archives.push(archive);
    return archive;
  }

  const soon = (): string => new Date().toISOString();
  const names = Array.from({ length: FILES }, (_value, at) => `telnyx:${at}`);

  /** Tells more than Redis keeps. @param reader keeps up with it */
  async function tellMuch({ facts }: Archive, reader?: Archive): Promise<void> {
    for (let at = 0; at < FILES; at += KEPT / 2) {
      const some = names.slice(at, at + KEPT / 2);
      await Promise.all(some.map((name) => facts.commit(stored(fileOf(name, { stored_at: soon() })))));
      await Promise.all([facts.settled(), reader?.facts.settled()]);
    }
  }

  /** One that knows how far Redis was, and is away from now on. @returns what it knows */
  async function away(archive: Archive, from: Archive): Promise<IndexedFile> {
    const first = fileOf('telnyx:first', { stored_at: soon() });
    await from.facts.commit(stored(first));
    should(await archive.knows('telnyx:first')).be.true();
    await archive.facts.close();
    return first;
  }

  const missing = async ({ local }: Archive): Promise<string[]> => {
    const found = await Promise.all(names.map(async (name) => (await local.find(name)).length));
    return names.filter((_name, at) => found[at] === 0);
  };
  const whole = (archive: Archive): Promise<unknown> =>
    until('all files', async () => (await missing(archive)).length === 0, { deadline: 60_000 });

  for (const key of ['', randomBytes(32).toString('base64')]) {
    it(`is told again by another one ${key === '' ? 'in clear text' : 'with the same key'}, and nothing is left in Redis`, async () => {
      const [one, other] = [await join('one', { key }), await join('other', { key })];
      await away(other, one);
      await tellMuch(one);
      await other.restart(await fixture.rejoin('other'));
      await whole(other);
      should(other.gaps).equal(0);
      const keys = (): Promise<string> => fixture.server.say('KEYS {test}:facts-told:*');
      await until(
        'the end',
        async () => (await fixture.server.say('EXISTS {test}:facts-asked')).trim() === ':0'
      );
      should((await keys()).trim()).equal('*0');
      // What was there is as it was.
      should(await other.local.find('telnyx:1')).eql(await one.local.find('telnyx:1'));
    });
  }

  it('are deleted files as well', async () => {
    const [one, other] = [await join('one'), await join('other')];
    const deleted = await away(other, one);
    const key: [string, string, string] = [keyDigest('telnyx:first'), keyDigest('/a'), 'mp3'];
    const tombstone = {
      ...{ stored_at: deleted.recording.stored_at, deleted_at: soon(), bytes: 7, seq: 3 },
      ...{ reason: 'erased' as const, policy: null }
    };
    await one.facts.commit({ ...NO_EFFECTS, removed: [{ key, tombstone }] });
    await tellMuch(one);
    await other.restart(await fixture.rejoin('other'));
    await whole(other);
    should(await other.knows('telnyx:first')).be.false();
    should(new Tombstones(other.state.database).get(key)).eql(tombstone);
  });

  it('is told on by another one when the first one dies in the middle, and asked on after a restart', async () => {
    const [one, third, other] = [await join('one'), await join('third'), await join('other')];
    await away(other, one);
    await tellMuch(one, third);
    await third.facts.close();
    await other.restart(await fixture.rejoin('other'));
    await until('the first page', async () => (await missing(other)).length < FILES - KEPT);
    await one.facts.close();
    await other.restart(await fixture.rejoin('other'));
    const before = await missing(other);
    should(before.length).be.above(0);
    await third.restart(await fixture.rejoin('third'));
    await whole(other);
  });

  it('is told again as well after Redis was emptied, when nobody does so by itself', async () => {
    const later = (): number => Date.now() + 2 * HOUR_MS;
    const [one, other] = [await join('one', { kept: 10_000 }), await join('other', { kept: 10_000 })];
    await away(other, one);
    await tellMuch(one);
    // Two hours later it knows that Redis has had it for long.
    await one.facts.close();
    Object.assign(one.options, { now: later });
    await one.restart(await fixture.rejoin('one'));
    const outbox = one.state.database.collection('sharing-outbox');
    await until('an empty outbox', () => outbox.count() === 0);
    await fixture.server.flush();
    Object.assign(other.options, { now: later });
    await other.restart(await fixture.rejoin('other'));
    await whole(other);
  });

  it('is asked for until somebody answers, which is told once', async () => {
    const [one, other] = [await join('one'), await join('other', { refill: { unanswered: 100 } })];
    await away(other, one);
    await tellMuch(one);
    await one.facts.close();
    await other.restart(await fixture.rejoin('other'));
    await until('the notice', () => other.gaps > 0);
    await fixture.server.flush();
    await one.restart(await fixture.rejoin('one'));
    await whole(other);
    should(other.gaps).equal(1);
  });

  it('is told by one that has missed something as well, when nobody else is there', async () => {
    const refill = { yield: 100 };
    const [one, other] = [await join('one', { refill }), await join('other', { refill })];
    await away(other, one);
    await tellMuch(one);
    await other.restart(await fixture.rejoin('other'));
    // It believes that it has missed something, too.
    await one.facts.close();
    const notes = one.state.database.collection<object>('sharing-notes');
    await notes.put('refill {test}:facts', {
      gap: 'a',
      since: Date.now(),
      cursor: { list: 'tombstones', after: null }
    });
    await one.restart(await fixture.rejoin('one'));
    await whole(other);
    await until('the end of both', () =>
      [one, other].every(({ state }) => {
        const all = state.database.collection('sharing-notes');
        return all.get('refill {test}:facts') === undefined;
      })
    );
  });

  it('is not made up by somebody who can write to Redis, nor told for a place that is not here', async () => {
    const KEY = randomBytes(32).toString('base64');
    const [one, other] = [
      await join('one', { key: KEY }),
      await join('other', { key: KEY, refill: { unanswered: 50 } })
    ];
    await away(other, one);
    await tellMuch(one);
    await one.facts.close();
    await other.restart(await fixture.rejoin('other'));
    await until('the request', () => other.gaps > 0);
    const asked = await other.member.connection.command((client) => client.hgetall('{test}:facts-asked'));
    const { page } = JSON.parse(asked['id-other'] ?? '') as { page: string };
    const text = JSON.stringify({ v: 1, effects: stored(fileOf('telnyx:forged')), removed: [] });
    await other.member.connection.command(async (client) => {
      await client.set(`{test}:facts-told:${page}`, JSON.stringify({ texts: [text], next: null }));
      await client.hset('{test}:facts-asked', {
        ...{ evil: 'nonsense', worse: JSON.stringify({ page: 'a:b', since: 0, cursor: {}, places: [] }) },
        stranger: JSON.stringify({
          ...{ page: 'stranger', since: 0, places: [keyDigest('/elsewhere')] },
          cursor: { list: 'files', after: null }
        })
      });
    });
    await one.restart(await fixture.rejoin('one'));
    await other.member.connection.command((client) => client.del(`{test}:facts-told:${page}`));
    await whole(other);
    should(await other.knows('telnyx:forged')).be.false();
    should((await fixture.server.say('EXISTS {test}:facts-telling:stranger')).trim()).equal(':0');
  });
});
