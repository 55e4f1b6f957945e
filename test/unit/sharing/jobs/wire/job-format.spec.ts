import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import should from 'should';
import { type Job, keptMessage } from '../../../../../src/archive/queue/job';
import { JobFormat, type LentJob } from '../../../../../src/sharing/jobs/wire/job-format';
import { fromPlain, toPlain } from '../../../../../src/sharing/jobs/wire/plain-values';
import { Sealer } from '../../../../../src/sharing/sealer';
import type { StoredRecording } from '../../../../../src/store/stored-recording';
import { jobFor } from '../../../archive/state-fixture';

const ID = '0mil2f3k4000001deadbeef';
const KEY = randomBytes(32).toString('base64');
const LINK = 'X-Amz-Signature=geheim';

function lentJob(changes: Partial<Job> = {}): LentJob {
  const job: Job = {
    id: ID,
    acceptedAt: 1_780_000_000_000,
    message: { topic: 'call.recording.saved', when: new Date(5), bytes: Buffer.from('a'), half: '\ud800' },
    items: [jobFor('a')],
    files: { 'telnyx:a\n': { attempts: 2, failures: 1, areDetailsLate: true } },
    retry: { trouble: 'source-silent', attempt: 1, of: 8 },
    ...changes
  };
  return { job, origin: 'instance-a', reports: 3, isResumed: true };
}

/** As it comes back from Redis. */
const sent = (data: unknown): unknown => JSON.parse(JSON.stringify(data));

const open = new JobFormat({ sealer: null });
const sealing = (key = KEY): JobFormat => new JobFormat({ sealer: Sealer.withKey(key) });

describe('a job on its way through Redis', () => {
  for (const [name, format] of [
    ['readable', open],
    ['encrypted', sealing()]
  ] as const)
    it(`comes back as it was: ${name}`, () => {
      const lent = lentJob();
      should(format.read(sent(format.write(lent)), ID)).eql({ kind: 'job', lent });
    });

  it('brings the dates of its files with it, and none that nobody can have computed', () => {
    const withDates = (retention: unknown): LentJob => {
      const note = { attempts: 1, failures: 1, retention } as Job['files'][string];
      return lentJob({ files: { 'telnyx:a\n': note } });
    };
    const dates = { policy: null, retain_until: '2026-04-04T10:00:00.000Z', delete_after: null };
    for (const retention of [dates, null]) {
      const lent = withDates(retention);
      should(open.read(sent(open.write(lent)), ID)).eql({ kind: 'job', lent });
    }
    for (const retention of [{ ...dates, delete_after: 'soon' }, { ...dates, policy: 'ours' }, 90])
      should(open.read(sent(open.write(withDates(retention))), ID)).eql({ kind: 'damaged' });
  });

  it('shows no signed link and nothing of its message when it is encrypted', () => {
    const text = JSON.stringify(sealing().write(lentJob()));
    should(text).not.containEql('geheim').and.not.containEql('recording.saved');
    should(JSON.stringify(open.write(lentJob()))).containEql(LINK);
  });

  it('keeps every message that a job may have', () => {
    const value = fc.anything({
      withDate: true,
      withTypedArray: false,
      withNullPrototype: true,
      maxDepth: 6
    });
    fc.assert(
      fc.property(fc.dictionary(fc.string(), value), (content) => {
        const message = keptMessage(content);
        const lent = lentJob({ message });
        const read = open.read(sent(open.write(lent)), ID);
        should(read.kind).equal('job');
        // JSON has no zero below zero.
        const unsigned = (_name: string, one: unknown): unknown => (Object.is(one, -0) ? 0 : one);
        const expected = structuredClone(message);
        const got = read.kind === 'job' ? read.lent.job.message : {};
        should(JSON.stringify(got, unsigned)).equal(JSON.stringify(expected, unsigned));
      })
    );
  });

  it('keeps what JSON cannot spell', () => {
    const values = [NaN, Infinity, -Infinity, Buffer.alloc(0), { $date: 1 }, { $fields: [], b: 2 }];
    should(fromPlain(sent(toPlain(values)))).eql(values);
    should(fromPlain(sent(toPlain(new Date(NaN)))))
      .be.a.Date()
      .and.match((date: Date) => isNaN(date.getTime()));
  });

  it('is told apart from one of another version', () => {
    const [v1, v2, v3] = [1, 2, 3].map((version) => new JobFormat({ sealer: null, version })) as [
      JobFormat,
      JobFormat,
      JobFormat
    ];
    const written = sent(v1.write(lentJob()));
    should(v2.read(written, ID).kind).equal('job');
    should(v3.read(written, ID).kind).equal('other-version');
    should(v1.read(sent(v2.write(lentJob())), ID).kind).equal('other-version');
  });

  it('cannot be read with another key, without one, or in place of another job', () => {
    const written = sent(sealing().write(lentJob()));
    const other = sealing(randomBytes(32).toString('base64'));
    should(other.read(written, ID).kind).equal('other-key');
    should(open.read(written, ID).kind).equal('other-key');
    const swapped = { ...(written as object), id: 'other' };
    should(sealing().read(swapped, 'other').kind).equal('other-key');
    should(sealing().read(sent(open.write(lentJob())), ID).kind).equal('other-key');
    should(sealing().origin(written)).equal('instance-a');
  });

  it('is refused when a byte of it was changed', () => {
    const written = sealing().write(lentJob()) as { sealed: string };
    const bytes = Buffer.from(written.sealed, 'base64');
    for (const at of [0, 12, 28, bytes.length - 1]) {
      const changed = Buffer.from(bytes);
      changed[at]! ^= 1;
      should(sealing().read({ ...written, sealed: changed.toString('base64') }, ID).kind).equal('other-key');
    }
  });

  it('is damaged when any of its fields has another type', () => {
    const whole = open.write(lentJob({ deletion: { recordings: [], failures: 0 } }));
    const job = whole['job'] as Record<string, unknown>;
    for (const name of Object.keys(job)) {
      const broken = { ...whole, job: { ...job, [name]: 7.5 } };
      if (name === 'acceptedAt') continue;
      should(open.read(sent(broken), ID).kind).equal('damaged', name);
    }
    should(open.read(sent(whole), 'another').kind).equal('damaged');
  });

  it('cannot be read by another node with the same key', () => {
    const [own, other] = ['node-a', 'node-b'].map(
      (node) => new JobFormat({ sealer: Sealer.withKey(KEY), node })
    ) as [JobFormat, JobFormat];
    const written = sent(own.write(lentJob()));
    should(own.read(written, ID).kind).equal('job');
    should(other.read(written, ID).kind).equal('other-key');
  });

  describe('that names stored files', () => {
    const place = resolve('/srv/archive');
    const path = join(place, 'a.mp3');
    const elsewhere = resolve('/home/owner/flows.json');
    const result = { size: 1, sha256: 'aa', contentType: 'audio/mpeg' };
    const publishedAt = (location: string): LentJob =>
      lentJob({
        files: {
          a: { attempts: 1, failures: 0, published: { result, location, alreadyStored: false } as never }
        }
      });
    const deletionOf = (file: Partial<StoredRecording>, payload = path): LentJob => {
      const recording = { provider: 'telnyx', size: 1, sha256: 'aa', deleted_at_source: null, path, ...file };
      const { reference } = jobFor('a');
      return lentJob({
        deletion: { recordings: [{ reference, files: [{ recording, payload } as never] }], failures: 0 }
      });
    };
    const read = (lent: LentJob, at = place): string =>
      new JobFormat({ sealer: null, place: at }).read(sent(open.write(lent)), ID).kind;

    it('is done where they can be', () => {
      for (const lent of [publishedAt(path), deletionOf({ sidecar: `${path}.json` })]) {
        should(read(lent)).equal('job');
        for (const other of [resolve('/mnt/archive'), 'message', 's3://calls/ at AWS'])
          should(read(lent, other)).equal('other-place');
        should(open.read(sent(open.write(lent)), ID).kind).equal('other-place');
      }
    });

    it('makes nobody read, write or delete a file outside of the archive', () => {
      for (const lent of [
        publishedAt(elsewhere),
        publishedAt(`${place}/../flows`),
        deletionOf({ path: elsewhere }, elsewhere),
        deletionOf({}, elsewhere),
        deletionOf({ sidecar: elsewhere }),
        deletionOf({ transcription_file: elsewhere })
      ])
        should(read(lent)).equal('other-place');
    });
  });

  it('is read without harm, whatever is in its place', () => {
    const written = JSON.stringify(open.write(lentJob()));
    fc.assert(
      fc.property(fc.nat(written.length - 1), fc.string({ maxLength: 8 }), (at, text) => {
        const changed = written.slice(0, at) + text + written.slice(at + text.length);
        let data: unknown = changed;
        try {
          data = JSON.parse(changed);
        } catch {
          // A text is no job, either.
        }
        open.read(data, ID);
        sealing().read(data, ID);
      })
    );
    fc.assert(
      fc.property(fc.anything(), (data) => {
        should(open.read(data, ID).kind).equal('damaged');
      })
    );
    const nested = JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`) as unknown;
    should(open.read({ ...open.write(lentJob()), job: { message: nested } }, ID).kind).equal('damaged');
    const hostile = written.replace('"topic"', '"__proto__":{"polluted":true},"topic"');
    const read = open.read(JSON.parse(hostile), ID);
    should(
      read.kind === 'job' && Object.getPrototypeOf(read.lent.job.message) === Object.prototype
    ).be.true();
  });
});

describe('the key for jobs in Redis', () => {
  it('has 32 bytes, in base64; the error does not repeat it', () => {
    should(Sealer.withKey('  ')).be.null();
    for (const key of ['geheim', randomBytes(31).toString('base64'), randomBytes(32).toString('hex')])
      should(() => Sealer.withKey(key))
        .throw({ code: 'BAD_SETTING' })
        .and.not.throw({ message: new RegExp(key.slice(0, 6)) });
  });
});

describe('how a run ended', () => {
  const OF = { id: ID, list: 'node' };

  it('comes back as it was, and is an end even when it is damaged', () => {
    const ending = { kind: 'follow-up', isGivenUp: true, pauseMs: 15_000 } as const;
    for (const format of [open, sealing()])
      should(format.readEnding(sent(format.writeEnding(ending, OF)), OF)).eql(ending);
    for (const damaged of [null, 'x', [], { kind: 1, pauseMs: -1 }])
      should(open.readEnding(damaged, OF)).eql({ kind: 'done', isGivenUp: false, pauseMs: 0 });
  });

  it('is no end without the key, for another job, or in another list', () => {
    const ending = { kind: 'done', isGivenUp: false, pauseMs: 0 } as const;
    const sealed = sent(sealing().writeEnding(ending, OF));
    for (const forged of [null, 'x', [], sent(open.writeEnding(ending, OF)), { sealed: 'AAAA' }])
      should(sealing().readEnding(forged, OF)).be.null();
    for (const of of [
      { ...OF, id: 'other' },
      { ...OF, list: 'node.follow-ups' }
    ])
      should(sealing().readEnding(sealed, of)).be.null();
    should(sealing(randomBytes(32).toString('base64')).readEnding(sealed, OF)).be.null();
  });
});
