import { runInNewContext } from 'node:vm';
import should from 'should';
import { findNote, keptMessage, noteOf, type Job, type NoteSubject } from '../../../../src/archive/queue/job';
import { JobRepository } from '../../../../src/archive/queue/job-repository';
import { jobFor, StateFixture } from '../state-fixture';

const jobWith = (files: Job['files'] = {}): Job => ({
  id: 'job',
  acceptedAt: 0,
  message: {},
  items: [],
  files
});

describe('notes of a job', () => {
  const identity = 'telnyx:rec-1';

  it('are the same each time, even when the job comes from disk', () => {
    const job = jobWith();
    const subject: NoteSubject = { about: 'file', identity, format: 'mp3' };
    noteOf(job, subject).attempts = 3;
    const read = JSON.parse(JSON.stringify(job)) as Job;
    should(noteOf(read, subject).attempts).equal(3);
    should(findNote(read, { ...subject, format: null })).be.undefined();
    should(Object.keys(read.files)).have.length(1);
  });

  it('never collide, whatever an id contains', () => {
    const job = jobWith();
    const subjects: NoteSubject[] = [];
    for (const id of ['a', 'a\n', 'a\n*', 'a\nmp3', 'a\nmp3\ntext', '["file","a","mp3"]', '__proto__'])
      for (const format of [null, 'mp3', 'text'])
        subjects.push(
          { about: 'file', identity: id, format },
          { about: 'text', identity: id, format },
          ...(format === null ? [{ about: 'recording', identity: id } as const] : [])
        );
    const notes = subjects.map((subject) => noteOf(job, subject));
    should(new Set(notes).size).equal(subjects.length);
    should(Object.keys(job.files)).have.length(subjects.length);
  });

  it('of an earlier version are read, and written in the new format', async () => {
    const state = new StateFixture();
    try {
      const jobs = new JobRepository(state.database, state.now, state.now);
      const job = jobs.job({}, [jobFor('rec-1')]);
      job.files = {
        [`${identity}\n*`]: { attempts: 1, failures: 1 },
        [`${identity}\nmp3`]: { attempts: 2, failures: 2 },
        [`${identity}\n`]: { attempts: 3, failures: 3 },
        [`${identity}\nmp3\ntext`]: { attempts: 4, failures: 4 }
      };
      await jobs.add('node', job);
      await state.reopen();
      const read = new JobRepository(state.database, state.now, state.now).next('node', new Set())!.job;
      const attempts = (): number[] =>
        [
          { about: 'recording', identity } as const,
          { about: 'file', identity, format: 'mp3' } as const,
          { about: 'file', identity, format: null } as const,
          { about: 'text', identity, format: 'mp3' } as const
        ].map((subject) => noteOf(read, subject).attempts);
      should(attempts()).deepEqual([1, 2, 3, 4]);
      should(Object.keys(read.files).sort()).deepEqual([
        `["file","${identity}","mp3"]`,
        `["file","${identity}",null]`,
        `["recording","${identity}"]`,
        `["text","${identity}","mp3"]`
      ]);
      should(attempts()).deepEqual([1, 2, 3, 4]);
    } finally {
      await state.remove();
    }
  });
});

describe('message snapshot', () => {
  it('keeps what a flow needs, but neither connections nor anything that is not data', () => {
    class Connection {
      readonly open = true;
    }
    const message = {
      _msgid: 'm',
      topic: 't',
      payload: { list: [1, null, undefined, true], date: new Date(5), small: Buffer.from('abc') },
      event: { body: { deep: { text: 'x' } } },
      req: { headers: {} },
      res: { _res: new Connection() },
      connection: new Connection(),
      callback: () => 1,
      nothing: undefined
    };
    keptMessage(message).should.eql({
      _msgid: 'm',
      topic: 't',
      payload: { list: [1, null, null, true], date: new Date(5), small: Buffer.from('abc') },
      event: { body: { deep: { text: 'x' } } }
    });
  });

  it('is the same after a round trip to disk', async () => {
    const state = new StateFixture();
    const kept = keptMessage({ payload: { date: new Date(5), bytes: Buffer.from('abc'), list: [1.5, 'é'] } });
    const messages = state.database.collection('messages');
    await messages.put('m', kept);
    should(messages.get('m')).eql(kept);
    await state.remove();
  });

  it('accepts messages made in a Function node', () => {
    const message = runInNewContext('({ payload: { a: [1] }, when: 3 })') as Record<string, unknown>;
    should(JSON.stringify(keptMessage(message))).equal('{"payload":{"a":[1]},"when":3}');
  });

  it('drops properties that are too large as a whole, and the body of an event first', () => {
    const text = 'x'.repeat(200 * 1024);
    const kept = keptMessage({
      payload: { text },
      rawBody: Buffer.alloc(70_000),
      event: { id: 'e', body: { text: text + text } },
      other: text,
      last: 'small'
    });
    kept.should.have.property('event').eql({ id: 'e' });
    kept.should.have.property('payload').eql({ text });
    kept.should.have.property('last', 'small');
    kept.should.not.have.properties('rawBody', 'other');
  });

  it('survives cycles and endless depth', () => {
    const circle: Record<string, unknown> = { name: 'c' };
    circle['self'] = circle;
    keptMessage({ circle }).should.eql({ circle: { name: 'c' } });
    let deep: unknown = 'end';
    for (let level = 0; level < 10_000; level += 1) deep = { deep };
    should(JSON.stringify(keptMessage({ deep })).length).be.below(1000);
  });

  it('does not let a message change a prototype', () => {
    const message = JSON.parse(
      '{"__proto__": {"bad": 1}, "payload": {"__proto__": {"bad": 1}, "ok": 1}}'
    ) as {
      payload: object;
    };
    const kept = keptMessage(message);
    should((kept as { bad?: unknown }).bad).be.undefined();
    kept.should.eql({ payload: { ok: 1 } });
    should((kept['payload'] as { bad?: unknown }).bad).be.undefined();
  });

  it('counts empty values, too', () => {
    for (const item of [[], {}, null]) {
      const payload = Array.from({ length: 300_000 }, () => item);
      keptMessage({ topic: 'a', payload }).should.eql({ topic: 'a' });
    }
  });

  it('terminates for lists that share one list at every level', () => {
    let shared: unknown[] = [];
    for (let level = 0; level < 40; level += 1) shared = [shared, shared];
    keptMessage({ topic: 'a', payload: shared }).should.eql({ topic: 'a' });
  });

  it('keeps a payload that fits although its event does not', () => {
    const payload = { url: 'https://example.com/a.mp3' };
    const body = { filler: 'x'.repeat(300_000), data: { payload } };
    keptMessage({ event: { id: '1', body }, payload }).should.eql({ event: { id: '1' }, payload });
    const almost = { filler: 'x'.repeat(262_000), data: { payload } };
    keptMessage({ event: { id: '1', body: almost }, payload }).should.eql({ event: { id: '1' }, payload });
  });
});
