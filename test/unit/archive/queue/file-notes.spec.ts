import should from 'should';
import { findNote, noteOf, type NoteSubject } from '../../../../src/archive/queue/file-notes';
import type { Job } from '../../../../src/archive/queue/job';
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

  it('are the same ones each time, also when the job comes from disk', () => {
    const job = jobWith();
    const subject: NoteSubject = { about: 'file', identity, format: 'mp3' };
    noteOf(job, subject).attempts = 3;
    const read = JSON.parse(JSON.stringify(job)) as Job;
    should(noteOf(read, subject).attempts).equal(3);
    should(findNote(read, { ...subject, format: null })).be.undefined();
    should(Object.keys(read.files)).have.length(1);
  });

  it('never belong to two things, whatever an id holds', () => {
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

  it('of an earlier version are read, and written in the new way', async () => {
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
