import { randomBytes } from 'node:crypto';
import should from 'should';
import { NO_EFFECTS } from '../../../../src/archive/effects';
import type { IndexedFile } from '../../../../src/archive/index/stored-index';
import { Tombstones } from '../../../../src/evidence/deletion/tombstones';
import { keyDigest } from '../../../../src/values/fields';
import { until } from '../../../support/until';
import { recordingAt } from '../../archive/archive-fixture';
import { itKeepsArchiveFacts } from '../../archive/facts-contract';
import { SharingFixture } from '../sharing-fixture';
import { Archive, fileOf, stored } from './sharing-archive';

describe('SharedFacts', () => {
  let fixture: SharingFixture;
  let one: Archive;
  let other: Archive;

  beforeEach(async function () {
    fixture = await SharingFixture.start(this);
    one = new Archive(await fixture.join('one'));
    other = new Archive(await fixture.join('other'));
  });
  afterEach(async () => {
    await Promise.all([one.remove(), other.remove()]);
    await fixture.close();
  });

  describe('of two instances', () => {
    itKeepsArchiveFacts(() =>
      Promise.resolve({
        facts: one.facts,
        elsewhere: () => Promise.resolve(other.facts),
        commit: (changes) => one.state.database.commit(changes),
        remove: () => Promise.resolve()
      })
    );
  });

  it('puts what others stored on its own disk, and reads it there while Redis is away', async () => {
    await one.facts.commit(stored(fileOf('telnyx:1')));
    await until('the entry', async () => (await other.local.find('telnyx:1')).length === 1);
    await fixture.server.kill();
    should(await other.facts.find('telnyx:1')).eql([fileOf('telnyx:1')]);
    for await (const step of other.facts.steps()) should(step).have.length(1);
  });

  for (const [what, fault, end] of [
    ['nothing passes', () => one.member.relay.silence(), () => one.member.relay.mend()],
    ['the network is cut', () => one.member.relay.cut(), () => one.member.relay.mend()],
    ['Redis has stopped', () => fixture.server.freeze(), () => fixture.server.thaw()],
    ['Redis was killed', () => fixture.server.kill(), () => fixture.server.run()],
    [
      'Redis is full',
      () => fixture.server.say('CONFIG SET maxmemory 1'),
      () => fixture.server.say('CONFIG SET maxmemory 0')
    ]
  ] as [string, () => unknown, () => unknown][]) {
    it(`commits on its own disk when ${what}, and tells the others afterwards`, async () => {
      await one.facts.commit(stored(fileOf('telnyx:1')));
      await fault();
      const since = performance.now();
      await one.facts.commit(stored(fileOf('telnyx:2')));
      should(await one.knows('telnyx:2')).be.true();
      should(performance.now() - since).be.below(8000);
      await end();
      for (const id of ['telnyx:1', 'telnyx:2']) await until(id, () => other.knows(id));
    });
  }

  it('tells after a crash what it could not tell before', async () => {
    one.member.relay.cut();
    await until('the end of the connection', () => one.member.connection.isAway);
    await one.facts.commit(stored(fileOf('telnyx:1')));
    await one.restart(await fixture.rejoin('one'));
    await until('the entry', () => other.knows('telnyx:1'));
  });

  it('tells again what another one had not read before Redis was emptied', async () => {
    other.member.relay.cut();
    await until('the end of the connection', () => other.member.connection.isAway);
    await one.facts.commit(stored(...Array.from({ length: 20 }, (_value, at) => fileOf(`telnyx:${at}`))));
    for (let at = 20; at < 40; at += 1) await one.facts.commit(stored(fileOf(`telnyx:${at}`)));
    await fixture.server.flush();
    other.member.relay.mend();
    for (let at = 0; at < 40; at += 1) await until(`telnyx:${at}`, () => other.knows(`telnyx:${at}`));
    should(other.gaps).equal(0);
  });

  it('takes nothing back that is newer here when it is told again', async () => {
    const reference = recordingAt('https://media.example.com/1.mp3');
    const failed = {
      ...{ node: 'node', identity: 'telnyx:1', at: Date.now(), code: 'GAVE_UP', message: '', attempts: 1 },
      details: reference.details
    };
    await one.facts.commit({ ...NO_EFFECTS, givenUp: [failed] });
    await one.facts.commit(stored(fileOf('telnyx:2')));
    await other.facts.settled();
    await other.facts.commit({
      ...stored(fileOf('telnyx:2', { transcription: 'Hello.', transcribed_at: '2026-03-04T09:02:00.000Z' })),
      cleared: [{ node: 'node', identity: 'telnyx:1' }]
    });
    await one.facts.settled();
    await fixture.server.flush();
    await until('the news', async () => (await fixture.server.say('XLEN {test}:facts')).trim() === ':3');
    await Promise.all([one.facts.settled(), other.facts.settled()]);
    for (const { facts } of [one, other]) {
      should((await facts.givenUp.newest({ skip: 0, most: 9 })).total).equal(0);
      should((await facts.find('telnyx:2'))[0]?.recording.transcription).equal('Hello.');
    }
  });

  it('tells of a deleted file in an entry that earlier versions pass over, and of the rest in one that they read', async () => {
    const key = [keyDigest('telnyx:1'), keyDigest('/a'), 'mp3'] as const;
    const tombstone = {
      ...{ stored_at: '2026-03-04T09:00:00.000Z', deleted_at: '2026-06-04T09:00:00.000Z', bytes: 7, seq: 3 },
      ...{ reason: 'erased' as const, policy: null }
    };
    await one.facts.commit(stored(fileOf('telnyx:1')));
    await one.facts.commit({ ...stored(fileOf('telnyx:2')), removed: [{ key: [...key], tombstone }] });
    should(await other.knows('telnyx:1')).be.false();
    should(await other.knows('telnyx:2')).be.true();
    should(new Tombstones(other.state.database).get([...key])).eql(tombstone);
    should(await other.facts.at('/a').deleted('telnyx:1')).eql([{ isHere: true, tombstone }]);
    should(await other.facts.at('/b').deleted('telnyx:1')).eql([{ isHere: false, tombstone }]);
    should(await other.facts.at('/a').deleted('telnyx:2')).eql([]);
    const entries = await one.member.connection.command((client) => client.xrange('{test}:facts', '-', '+'));
    const told = entries.map(([, fields]) => JSON.parse(fields[5] ?? '') as { v: number; effects: object });
    should(told.map(({ v, effects }) => [v, 'removed' in effects])).eql([
      [1, false],
      [2, true],
      [1, false]
    ]);
    // In another order, as after Redis was emptied.
    await Promise.all([one.facts.close(), other.facts.close()]);
    await fixture.server.flush();
    const late = new Archive(await fixture.join('late'));
    try {
      const [first, second, third] = entries.map(([, fields]) => fields[5] ?? '');
      for (const [at, text] of [second, first, third].entries())
        await one.member.connection.command((client) =>
          client.xadd('{test}:facts', '*', 'i', 'third', 's', at + 1, 't', text ?? '')
        );
      await until('what was told', () => late.knows('telnyx:2'));
      should(await late.knows('telnyx:1')).be.false();
    } finally {
      await late.remove();
    }
  });

  it('goes on after a restart where it was, and reads nothing twice', async () => {
    await one.facts.commit(stored(fileOf('telnyx:1')));
    should(await other.knows('telnyx:1')).be.true();
    await other.restart(await fixture.rejoin('other'));
    await one.facts.commit(stored(fileOf('telnyx:2')));
    should(await other.knows('telnyx:2')).be.true();
    should(other.gaps).equal(0);
  });

  it('keeps Redis within bounds, and says when an instance was away for too long', async () => {
    await Promise.all([one.remove(), other.remove()]);
    [one, other] = [one, other].map(
      ({ member }) => new Archive(member, { kept: 100, refill: { unanswered: 300 } })
    ) as [Archive, Archive];
    await one.facts.commit(stored(fileOf('telnyx:first')));
    should(await other.knows('telnyx:first')).be.true();
    await other.facts.close();
    const text = 'x'.repeat(1_000_000);
    await one.facts.commit(stored(fileOf('telnyx:long', { transcription: text })));
    const files = Array.from({ length: 600 }, (_value, at) => fileOf(`telnyx:${at}`));
    await Promise.all(files.map((file) => one.facts.commit(stored(file))));
    Number((await fixture.server.say('XLEN {test}:facts')).trim().slice(1)).should.be.within(100, 300);
    (await fixture.server.memory()).should.be.below(5_000_000);
    should((await one.facts.find('telnyx:long'))[0]?.recording.transcription).equal(text);
    await one.facts.close();
    await other.restart(await fixture.rejoin('other'));
    await until('the gap', () => other.gaps > 0);
    should(await other.knows('telnyx:599')).be.true();
    should(await other.knows('telnyx:1')).be.false();
  });

  it('takes nothing that its database could not hold, and goes on behind it', async () => {
    const told = (
      change: (entry: { file: IndexedFile; more: Record<string, unknown> }) => unknown
    ): string => {
      const entry = { file: fileOf('telnyx:bad'), more: {} };
      change(entry);
      const effects = { ...stored(entry.file), ...entry.more };
      return JSON.stringify({ v: 1, effects, removed: [] });
    };
    const deep = JSON.parse(`${'{"a":'.repeat(4000)}1${'}'.repeat(4000)}`) as never;
    const failed = { identity: 'telnyx:bad', at: 1, code: 'GAVE_UP', message: '', attempts: 1, details: {} };
    const texts = [
      told(({ file }) => Object.assign(file, { wantedFormat: 'x'.repeat(5000) })),
      told(({ file }) => Object.assign(file.recording, { more: deep })),
      told(({ more }) => Object.assign(more, { cleared: [{ node: 'x'.repeat(5000), identity: '' }] })),
      told(({ more }) => Object.assign(more, { givenUp: [{ ...failed, node: 'x'.repeat(5000) }] })),
      JSON.stringify({ v: 1, effects: NO_EFFECTS, removed: [{ node: 'n', id: 'x'.repeat(5000) }] })
    ];
    for (const [at, text] of texts.entries())
      await one.member.connection.command((client) =>
        client.xadd('{test}:facts', '*', 'i', 'evil', 's', at + 1, 't', text)
      );
    await one.facts.commit(stored(fileOf('telnyx:1')));
    should(await other.knows('telnyx:1')).be.true();
    should(await other.knows('telnyx:bad')).be.false();
  });

  it('takes nothing that would have a file outside of its archive written, read or deleted', async () => {
    const elsewhere = '/home/owner/flows.json';
    const forged = [
      { path: elsewhere },
      { path: '/a/../home/owner/flows.json' },
      { sidecar: elsewhere },
      { transcription_file: elsewhere }
    ];
    for (const [at, more] of forged.entries()) {
      const effects = stored(fileOf(`telnyx:forged-${at}`, more));
      const text = JSON.stringify({ v: 1, effects, removed: [] });
      await one.member.connection.command((client) =>
        client.xadd('{test}:facts', '*', 'i', 'evil', 's', at + 1, 't', text)
      );
    }
    await one.facts.commit(stored(fileOf('telnyx:1', { sidecar: '/a/telnyx:1.mp3.json' })));
    should(await other.knows('telnyx:1')).be.true();
    for (const at of forged.keys()) should(await other.knows(`telnyx:forged-${at}`)).be.false(String(at));
  });

  it('takes nothing that it does not understand, and goes on behind it', async () => {
    for (const bad of [
      'nonsense',
      '{"v":1}',
      '{"v":2}',
      '[]',
      'null',
      '{"v":1,"effects":{"stored":[{}]},"removed":[]}'
    ])
      await fixture.server.say(`XADD {test}:facts * i evil s ${Date.now()} t "${bad.replace(/"/g, '\\"')}"`);
    await fixture.server.say('XADD {test}:facts * some other fields and more here');
    await one.facts.commit(stored(fileOf('telnyx:1')));
    should(await other.knows('telnyx:1')).be.true();
    should((await other.facts.givenUp.newest({ skip: 0, most: 9 })).total).equal(0);
  });

  describe('with a key', () => {
    const KEY = randomBytes(32).toString('base64');
    const sealed: Archive[] = [];

    afterEach(async () => {
      for (const archive of sealed.splice(0)) await archive.remove();
    });

    async function withKey(name: string, key: string): Promise<Archive> {
      const archive = new Archive(await fixture.join(name), { key });
      sealed.push(archive);
      return archive;
    }

    it('is read by those who have it, and by nobody else', async () => {
      const [writer, reader, stranger] = [
        await withKey('writer', KEY),
        await withKey('reader', KEY),
        await withKey('stranger', randomBytes(32).toString('base64'))
      ];
      await writer.facts.commit(stored(fileOf('telnyx:1', { transcription: 'geheim' })));
      should(await reader.knows('telnyx:1')).be.true();
      should(await stranger.knows('telnyx:1')).be.false();
      const inRedis = await writer.member.connection.command((client) =>
        client.xrange('{test}:facts', '-', '+')
      );
      should(JSON.stringify(inRedis)).not.containEql('geheim').and.not.containEql('telnyx:1');
    });

    it('takes nothing that was not sealed with it, moved, or given to another instance', async () => {
      const [writer, reader] = [await withKey('writer', KEY), await withKey('reader', KEY)];
      const { connection, instance } = writer.member;
      const put = async (from: string, sequence: number, text: string): Promise<unknown> =>
        connection.command((client) => client.xadd('{test}:facts', '*', 'i', from, 's', sequence, 't', text));
      const open = JSON.stringify({ v: 1, effects: stored(fileOf('telnyx:forged')), removed: [] });
      await put(instance.id, Number.MAX_SAFE_INTEGER, open);
      await put('evil', 1, open);
      await writer.facts.commit(stored(fileOf('telnyx:1')));
      const all = await connection.command((client) => client.xrange('{test}:facts', '-', '+'));
      const [, fields = []] = all.at(-1) ?? [];
      await put(instance.id, Number.MAX_SAFE_INTEGER - 1, fields[5] ?? '');
      await put('evil', Number(fields[3]), fields[5] ?? '');
      should(await reader.knows('telnyx:1')).be.true();
      should(await reader.knows('telnyx:forged')).be.false();
      // The numbers that were made up for it do not silence it.
      await writer.facts.commit(stored(fileOf('telnyx:2')));
      should(await reader.knows('telnyx:2')).be.true();
    });
  });
});
