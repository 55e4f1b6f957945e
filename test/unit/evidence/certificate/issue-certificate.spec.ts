import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import type { OpenReason } from '../../../../src/evidence/certificate/certificate';
import type { Fate, RecordingCounts } from '../../../../src/evidence/certificate/recording-counts';
import { checkCertificate } from '../../../../src/evidence/cli/cli-certificate';
import { readCommand } from '../../../../src/evidence/cli/cli-options';
import { parseLine } from '../../../../src/evidence/custody/custody-line';
import { CodedError } from '../../../../src/errors/coded-error';
import { CertificateFixture, NOVEMBER, type Told, listRun, sourceOf } from './certificate-fixture';

const DAY_MS = 24 * 60 * 60 * 1000;

describe('the certificate of a month', () => {
  let fixture: CertificateFixture;

  beforeEach(async () => {
    fixture = new CertificateFixture();
    await fixture.begin();
  });

  afterEach(() => fixture.log.end());

  async function reasons(...more: Parameters<CertificateFixture['issue']>): Promise<readonly OpenReason[]> {
    const { certificate } = await fixture.issue(...more);
    should(certificate.verdict).equal(certificate.reasons.length === 0 ? 'complete' : 'not-complete');
    should(/^Complete:/.test(certificate.statement)).equal(certificate.verdict === 'complete');
    should(certificate.statement).match(/of what the provider lists/);
    return certificate.reasons;
  }

  it('says complete for an empty month that a complete list covers', async () => {
    await fixture.runs.note(listRun());
    const { certificate } = await fixture.issue();
    should(certificate).have.properties({
      verdict: 'complete',
      reasons: [],
      from: '2026-11-01T00:00:00.000Z',
      to: '2026-12-01T00:00:00.000Z',
      previous: null
    });
    should(certificate.accounts[0]?.days).have.length(30);
    should(certificate.log.files.length).be.aboveOrEqual(30);
    should(certificate.log.files.at(-3)?.checkpoint_sha256).match(/^[0-9a-f]{64}$/);
  });

  it('enters the hash of its bytes into the log before it gives them out', async () => {
    await fixture.runs.note(listRun());
    const { json, sha256, seq, html } = await fixture.issue();
    should(createHash('sha256').update(json).digest('hex')).equal(sha256);
    const lines = fixture.log.lines(fixture.log.files('.jsonl').at(-1) ?? '');
    const line = parseLine(Buffer.from(`${lines.at(-1) ?? ''}\n`));
    should(line).have.properties({ seq, event: 'certified', sha256, actor: 'node:1' });
    should(line?.details).eql({ from: '2026-11-01T00:00:00.000Z', complete: true, unexplained: 0 });
    should(html).containEql(sha256);
  });

  it('is the same bytes for the same facts, whatever the order of the destinations', async () => {
    const certificates = await Promise.all([
      fixture.issue('2026-11', { destinations: ['one', 'two'] }),
      fixture.issue('2026-11', { destinations: ['two', 'one'] })
    ]);
    should(certificates[0].certificate.destinations).eql(['one', 'two']);
    should(certificates[1].certificate.destinations).eql(['one', 'two']);
    const keys = certificates.map(({ json }) => json.toString().match(/^ *"\w+":/gm));
    should(keys[0]).eql(keys[1]);
  });

  it('has the hash of the certificate of the month before', async () => {
    const { sha256 } = await fixture.issue('2026-11');
    const { certificate } = await fixture.issue('2026-12');
    should(certificate.previous).eql({ month: '2026-11', sha256 });
    should(certificate.reasons).containEql('month-not-over');
  });

  it('gives nothing out when the log cannot take the line', async () => {
    const append = (): Promise<never> => Promise.reject(new CodedError('STORE_FAILED', 'full'));
    const { directory } = fixture.log;
    const custody = { append, directory, clock: { doubt: () => null } };
    await should(fixture.issue('2026-11', { custody })).be.rejectedWith({ code: 'STORE_FAILED' });
  });

  it('names the spans that no complete run covers', async () => {
    await fixture.runs.note(listRun({ to: NOVEMBER.from + 3 * DAY_MS, endedAt: NOVEMBER.to }));
    await fixture.runs.note(listRun({ from: NOVEMBER.from + 2 * DAY_MS, to: NOVEMBER.from + 10 * DAY_MS }));
    await fixture.runs.note(listRun({ complete: false, endedAt: NOVEMBER.to + 1 }));
    await fixture.runs.note(listRun({ isWhole: false, endedAt: NOVEMBER.to + 2 }));
    await fixture.runs.note(listRun({ account: 'other', endedAt: NOVEMBER.to + 3 }));
    // It began before the end of the span that it was asked for.
    await fixture.runs.note(
      listRun({
        from: NOVEMBER.from + 11 * DAY_MS,
        startedAt: NOVEMBER.from + 12 * DAY_MS,
        endedAt: NOVEMBER.to + 4
      })
    );
    const { certificate } = await fixture.issue();
    should(certificate.reasons).eql(['not-listed']);
    should(certificate.accounts[0]?.gaps).eql([
      { from: '2026-11-11T00:00:00.000Z', to: '2026-11-12T00:00:00.000Z' },
      { from: '2026-11-13T00:00:00.000Z', to: '2026-12-01T00:00:00.000Z' }
    ]);
    should(certificate.accounts[0]?.runs).eql({ ended: 4, complete: 3 });
  });

  it('counts a recording that several sources know once, as listed', async () => {
    await fixture.runs.note(listRun());
    const midnight = NOVEMBER.from + DAY_MS;
    fixture.list = sourceOf('list', [
      { recording: 'one', at: midnight },
      { recording: 'one', at: midnight + 1 }
    ]);
    fixture.others = [
      sourceOf('deliveries', [
        { recording: 'one', at: midnight - 1 },
        { recording: 'two', at: NOVEMBER.from }
      ]),
      sourceOf('index', [{ recording: 'two', at: NOVEMBER.to - 1 }])
    ];
    fixture.fates.set('one', 'stored').set('two', 'erased');
    const { certificate } = await fixture.issue();
    const [account] = certificate.accounts;
    should(account?.totals).have.properties({ listed: 1, only_elsewhere: 1, stored: 1, erased: 1 });
    should(account?.days[0]).have.properties({ day: '2026-11-01', only_elsewhere: 1, listed: 0 });
    should(account?.days[1]).have.properties({ day: '2026-11-02', only_elsewhere: 0, listed: 1 });
    should(certificate.verdict).equal('complete');
  });

  it('takes the month in UTC, to the millisecond', async () => {
    await fixture.runs.note(listRun());
    fixture.list = sourceOf('list', [
      { recording: 'before', at: NOVEMBER.from - 1 },
      { recording: 'first', at: NOVEMBER.from },
      { recording: 'last', at: NOVEMBER.to - 1 },
      { recording: 'after', at: NOVEMBER.to }
    ]);
    const { certificate } = await fixture.issue();
    should(certificate.accounts[0]?.unexplained).eql([
      { day: '2026-11-01', recording: 'first', source: 'list' },
      { day: '2026-11-30', recording: 'last', source: 'list' }
    ]);
    should(certificate.reasons).eql(['unexplained']);
  });

  it('never says complete when something is open', async () => {
    await fixture.runs.note(listRun());
    should(await reasons()).eql([]);
    const one: Told[] = [{ recording: 'one', at: NOVEMBER.from }];
    fixture.list = sourceOf('list', one);
    should(await reasons()).eql(['unexplained']);
    fixture.list = sourceOf('list', [{ recording: 'one', at: NOVEMBER.from, state: 'not-ready' }]);
    should(await reasons()).eql(['not-ready']);
    fixture.list = sourceOf('list', [{ recording: 'one', at: NOVEMBER.from, state: 'without-file' }]);
    should(await reasons()).eql([]);
    fixture.fates.set('one', 'given-up');
    should(await reasons()).eql(['given-up']);
    fixture.fates.set('one', 'stored');
    should(await reasons()).eql([]);
    fixture.list = sourceOf('list', one, 'RATE_LIMITED');
    should(await reasons()).eql(['source-incomplete']);
    fixture.list = null;
    should(await reasons()).eql(['no-list']);
    should(await reasons('2026-11', { accounts: [] })).eql(['no-list']);
    fixture.list = sourceOf('list', one);
    fixture.doubt = 'jumped';
    should(await reasons()).eql(['clock']);
    fixture.doubt = null;
    const damaged = { files: 3, intact: 2, changed: 1, missing: 0, unreadable: 0 };
    await fixture.runs.note(listRun({ verify: damaged, endedAt: NOVEMBER.to + 9 }));
    should(await reasons()).eql(['files-damaged']);
  });

  it('names what a source could not tell, and goes on with the others', async () => {
    await fixture.runs.note(listRun());
    fixture.list = {
      name: 'list',
      read: async function* (day) {
        await Promise.resolve();
        yield { recordings: [{ recording: day.name, identities: [], state: 'without-file' }], gap: null };
        if (day.name === '2026-11-03') throw new CodedError('API_UNAUTHORIZED', 'no');
        if (day.name === '2026-11-04') throw new TypeError('a fault');
      }
    };
    const { certificate } = await fixture.issue();
    should(certificate.reasons).eql(['source-incomplete']);
    should(certificate.accounts[0]?.totals.listed).equal(30);
    should(certificate.accounts[0]?.incomplete_sources).eql([
      { source: 'list', day: '2026-11-03', reasons: ['API_UNAUTHORIZED'] },
      { source: 'list', day: '2026-11-04', reasons: ['LIST_INCOMPLETE'] }
    ]);
  });

  it('says that the log lacks lines, is damaged or begins later', async () => {
    await fixture.runs.note(listRun());
    await fixture.log.custody?.append({ event: 'gap', actor: 'log', details: { lines: 7 } });
    // In the file of the first of December, which does not count.
    should(await reasons()).eql([]);
    const name = fixture.log.files('.jsonl')[12] ?? '';
    const lines = fixture.log.lines(name);
    fixture.log.write(name, [...lines, ...lines]);
    should(await reasons()).eql(['log-damaged']);
    should(await reasons('2026-09')).eql(['not-listed', 'no-log', 'log-begins-later']);
  });

  it('says that the clock jumped, also where it made lines of another year', async () => {
    await fixture.log.end();
    fixture = new CertificateFixture();
    fixture.log.now = NOVEMBER.from - 3600_000;
    const custody = await fixture.log.open();
    for (const at of [Date.UTC(2026, 10, 5), Date.UTC(1970, 0, 2), Date.UTC(2026, 10, 29)]) {
      fixture.log.now = at;
      await custody.daily();
      if (at < NOVEMBER.from)
        await custody.append({ event: 'clock-jump', actor: 'log', details: { doubt: 'behind' } });
    }
    fixture.log.now = NOVEMBER.to + DAY_MS;
    await custody.daily();
    await fixture.runs.note(listRun());
    should(await reasons()).containEql('clock');
  });

  it('does not begin for a month that has not begun, or is none', async () => {
    for (const month of ['2027-01', '2026-13', '2026-1', '', '2026-11-01', '0000-01'])
      await should(fixture.issue(month)).be.rejectedWith({ code: 'BAD_SETTING' });
  });

  it('keeps its equation in random months, and never says complete without every reason to', async () => {
    let complete = 0;
    for (let seed = 1; seed <= 60; seed += 1) {
      const random = numbers(seed);
      const flaw = Math.floor(random() * 4);
      const fates: Fate[] = ['stored', 'deleted', 'erased', ...(flaw === 1 ? ['unknown' as const] : [])];
      const told = Array.from({ length: 40 }, (_, at) => `recording-${at}`);
      fixture.fates.clear();
      for (const each of told)
        fixture.fates.set(each, fates[Math.floor(random() * fates.length)] ?? 'stored');
      const some = (share: number): Told[] =>
        told
          .filter(() => random() < share)
          .map((recording) => ({ recording, at: NOVEMBER.from + random() * 30 * DAY_MS }));
      const [listed, delivered, indexed] = [some(0.7), some(0.5), some(0.3)];
      fixture.list = sourceOf('list', listed);
      fixture.others = [
        sourceOf('deliveries', delivered, flaw === 2 ? 'STORE_FAILED' : null),
        sourceOf('index', indexed)
      ];
      const account = `account-${seed}`;
      const covers = flaw === 3 ? NOVEMBER.to - 1 : NOVEMBER.to;
      await fixture.runs.note(listRun({ account, to: covers, endedAt: NOVEMBER.to + seed }));
      const { list, others } = fixture;
      const fateOf = ({ recording }: { recording: string }): Promise<Fate> =>
        Promise.resolve(fixture.fates.get(recording) ?? 'unknown');
      const { certificate } = await fixture.issue('2026-11', {
        accounts: [{ provider: 'telnyx', account, list, others, fateOf }]
      });
      const [found] = certificate.accounts;
      should.exist(found);
      if (found === undefined) return;
      for (const counts of [found.totals, ...found.days]) should(sumOf(counts)).equal(0, `seed ${seed}`);
      const all = [...listed, ...delivered, ...indexed].map(({ recording }) => recording);
      should(found.totals.listed + found.totals.only_elsewhere).equal(new Set(all).size);
      should(found.totals.listed).equal(listed.length);
      const isFlawed = flaw > 1 || all.some((each) => fixture.fates.get(each) === 'unknown');
      should(certificate.verdict).equal(isFlawed ? 'not-complete' : 'complete', `seed ${seed}`);
      if (!isFlawed) complete += 1;
    }
    should(complete).be.above(5);
  });

  it('streams a month of 100,000 recordings of one day', async function () {
    this.timeout(60_000);
    await fixture.runs.note(listRun());
    let alive = 0;
    let most = 0;
    fixture.list = {
      name: 'list',
      read: async function* (day) {
        if (day.name !== '2026-11-17') return;
        for (let at = 0; at < 100_000; at += 250) {
          await Promise.resolve();
          alive += 250;
          most = Math.max(most, alive);
          yield {
            recordings: Array.from({ length: 250 }, (_, one) => ({
              ...{ recording: `recording-${at + one}`, identities: [], state: 'ready' as const }
            })),
            gap: null
          };
          alive -= 250;
        }
      }
    };
    const { certificate, json } = await fixture.issue();
    const [account] = certificate.accounts;
    should(account?.totals).have.properties({ listed: 100_000, unexplained: 100_000 });
    should(account?.unexplained).have.length(1000);
    should(most).equal(250);
    should(json.length).be.below(300_000);
  });

  it('shows hostile names as text', async () => {
    const hostile = '<script>alert(1)</script>"\'&\u202e\u0000<img src=x onerror=1>';
    fixture.list = sourceOf(hostile, [{ recording: hostile, at: NOVEMBER.from }], hostile);
    const { html } = await fixture.issue('2026-11', {
      destinations: [hostile],
      software: hostile,
      installation: hostile
    });
    for (const markup of ['<script', '<img', '\u202e', '\u0000']) should(html).not.containEql(markup);
    should(html.split('&lt;script&gt;').length).be.above(5);
    should(html).containEql("default-src 'none'");
  });

  it('stops when the node closes', async () => {
    const stop = new AbortController();
    fixture.list = {
      name: 'list',
      read: async function* () {
        await Promise.resolve();
        stop.abort(new Error('closed'));
        yield { recordings: [], gap: null };
        throw new Error('after it');
      }
    };
    await should(fixture.issue('2026-11', { signal: stop.signal })).be.rejectedWith('closed');
  });

  describe('telnyx-evidence certificate', () => {
    async function check(file: string): Promise<{ code: number; text: string }> {
      const command = readCommand(['certificate', file, '--custody', fixture.log.directory]);
      if (command.name !== 'certificate') throw new Error('not read');
      const lines: string[] = [];
      const output = { print: (line: string) => lines.push(line) };
      const code = await checkCertificate(command, output, new AbortController().signal);
      return { code, text: lines.join('\n') };
    }

    let file: string;

    beforeEach(async () => {
      await fixture.runs.note(listRun());
      file = path.join(fixture.log.state, 'certificate.json');
      writeFileSync(file, (await fixture.issue()).json);
    });

    it('finds the certificate in the log, and whether a checkpoint signs it', async () => {
      const { code, text } = await check(file);
      should(text).match(/has its SHA-256\. No checkpoint signs that line yet/);
      should(text).match(/It says: Complete: of what the provider lists/);
      should(text).match(/Everything is as it was written\.$/);
      should(code).equal(0);
      fixture.log.now += DAY_MS;
      await fixture.log.custody?.daily();
      should((await check(file)).text).match(/A checkpoint signs that line/);
    });

    it('finds that one character was changed', async () => {
      writeFileSync(file, readFileSync(file, 'utf8').replace('"listed": 0', '"listed": 1'));
      const { code, text } = await check(file);
      should(code).equal(1);
      should(text).match(/NOT AS WRITTEN {2}.*certificate\.json: the custody log has no line/);
      should(text).not.match(/Everything is/);
    });

    it('finds that the log was changed', async () => {
      const name = fixture.log.files('.jsonl')[3] ?? '';
      fixture.log.write(name, fixture.log.lines(name).slice(1));
      should(await check(file)).have.property('code', 1);
    });

    it('says what is no certificate, or wrong use', async () => {
      writeFileSync(file, '{"kind":"something"}');
      await should(check(file)).be.rejectedWith(/is no certificate/);
      should(() => readCommand(['certificate', file])).throw(/--custody/);
      should(() => readCommand(['certificate'])).throw(/Name the certificate/);
      should(() => readCommand(['verify', 'archive', '--custody', 'log'])).throw(/--log/);
    });
  });
});

/** 0: the equation holds. */
function sumOf(counts: RecordingCounts): number {
  const { listed, only_elsewhere, stored, deleted, erased, not_ready, without_file, given_up, unexplained } =
    counts;
  return (
    listed + only_elsewhere - (stored + deleted + erased + not_ready + without_file + given_up + unexplained)
  );
}

/** Repeatable random numbers from 0 to 1. */
function numbers(seed: number): () => number {
  let state = seed * 2_654_435_761;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 2_246_822_519) + 0x9e3779b9) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) / 2 ** 32;
  };
}
