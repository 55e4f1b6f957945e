import should from 'should';
import { StoredRecordings } from '../../../../src/archive/index/stored-index';
import {
  ArchiveSearch,
  type FoundPage,
  type SearchPosition
} from '../../../../src/library/search/archive-search';
import { type ArchiveQuery, readQuery as readNamed } from '../../../../src/library/search/query';
import { storedDetails } from '../../../../src/recording/find-recordings';
import type { StoredRecording } from '../../../../src/store/stored-recording';
import { StateFixture } from '../../archive/state-fixture';

const readQuery = (values: unknown): ArchiveQuery =>
  readNamed((name) => (values as Record<string, unknown> | null | undefined)?.[name]);

const SIGNAL = new AbortController().signal;

function recording(id: string, more: Record<string, unknown> & { provider?: string } = {}): StoredRecording {
  const described = { recording_id: id, format: 'mp3', started_at: '2026-03-03T10:00:00.000Z', ...more };
  return {
    ...storedDetails(described, more.provider ?? 'telnyx'),
    size: 1,
    sha256: '0'.repeat(64),
    stored_at: '2026-03-04T10:00:00.000Z',
    path: `/a/${id}.mp3`,
    ...more
  } as unknown as StoredRecording;
}

describe('archive-search', () => {
  let state: StateFixture;
  let recordings: StoredRecordings;
  let texts: Record<string, string>;

  beforeEach(() => {
    state = new StateFixture();
    recordings = new StoredRecordings(state.database);
    texts = {};
  });
  afterEach(() => state.remove());

  async function enter(...stored: StoredRecording[]): Promise<void> {
    await state.database.commit(
      stored.map((one) =>
        recordings.entering('/a', {
          identity: `telnyx:${one.recording_id}`,
          wantedFormat: null,
          recording: one,
          order: 'o'
        })
      )
    );
  }

  function search(clock: { now?: () => number } = {}): ArchiveSearch {
    return new ArchiveSearch({
      recordings,
      textOf: ({ file }) => Promise.resolve(texts[file.recording.recording_id ?? ''] ?? null),
      ...clock
    });
  }

  /** All pages. */
  async function all(query: Partial<ArchiveQuery>, most = 100): Promise<(string | null)[]> {
    const ids: (string | null)[] = [];
    let after: SearchPosition | null = null;
    do {
      const page: FoundPage = await search().page(readQuery(query), { after, most }, SIGNAL);
      ids.push(...page.found.map(({ file }) => file.recording.recording_id));
      after = page.next;
    } while (after !== null);
    return ids;
  }

  it('lists everything, latest first, page by page', async () => {
    const day = (number: number): string => new Date(Date.UTC(2026, 0, number)).toISOString();
    await enter(
      ...Array.from({ length: 30 }, (_value, at) =>
        recording(`r${(at * 7) % 30}`, { started_at: day((at * 7) % 30) })
      )
    );
    const wanted = Array.from({ length: 30 }, (_value, at) => `r${29 - at}`);
    for (const most of [1, 7, 30, 100]) should(await all({}, most)).eql(wanted);
  });

  it('finds a number by any part of its digits, as people write it', async () => {
    await enter(
      recording('a', { from: '+15550100199', to: '+442071838750' }),
      recording('b', { from: '+4915112345678' })
    );
    for (const what of [
      '+1 (555) 010-0199',
      '15550100199',
      '0100199',
      '555.010.0199',
      '020 7183 8750'.slice(4),
      '001 555 010 0199'
    ])
      should(await all({ what })).eql(['a'], what);
    for (const what of ['0151 1234 5678', '151/12345678', '+49 151 12345678', '49151'])
      should(await all({ what })).eql(['b'], what);
    for (const what of ['999', '+1 555 010 0198', '0199 44']) should(await all({ what })).eql([], what);
  });

  it('finds a number inside a SIP address, and a name', async () => {
    await enter(recording('a', { from: 'sip:+15550100199@sip.example.com', to: 'sip:alice@example.com' }));
    for (const what of ['+1 555 010 0199', 'ALICE@example', 'sip.example.com'])
      should(await all({ what })).eql(['a'], what);
  });

  it('finds every id of a call, whole or in part, whatever the case', async () => {
    const ids = {
      call_session_id: 'SESSION-1',
      call_leg_id: 'leg-1',
      call_control_id: 'v3:Control_1',
      conference_id: 'conf-1'
    };
    await enter(recording('Rec-A', { ...ids, room_name: 'Stand up' }), recording('other'));
    for (const what of [...Object.values(ids), 'rec-a', 'control', 'stand UP'])
      should(await all({ what })).eql(['Rec-A'], what);
  });

  it('filters by date, provider and kind', async () => {
    await enter(
      recording('old', { started_at: '2026-01-01T00:00:00.000Z' }),
      recording('new', { started_at: '2026-03-03T10:00:00.000Z' }),
      recording('daily', { provider: 'daily', format: 'mp4', started_at: '2026-03-03T11:00:00.000Z' }),
      recording('fax', { format: 'pdf', started_at: null })
    );
    const day = (text: string): number => Date.parse(`${text}T00:00:00.000Z`);
    should(await all({ from: day('2026-03-03'), before: day('2026-03-04') })).eql(['daily', 'new']);
    should(await all({ from: day('2026-01-01'), before: day('2026-01-02') })).eql(['old']);
    should(await all({ before: day('2026-01-01') })).eql([]);
    should(await all({ provider: 'daily' })).eql(['daily']);
    should(await all({ kind: 'fax' })).eql(['fax']);
    should(await all({ kind: 'audio', provider: 'telnyx' })).eql(['new', 'old']);
  });

  it('finds a part of a text, in the index or in a file', async () => {
    await enter(
      recording('said', { transcription: 'We will send the INVOICE tomorrow.' }),
      recording('filed', { transcription_file: '/a/filed.txt' }),
      recording('silent')
    );
    texts = { filed: 'The invoice is late.', silent: 'the invoice' };
    should((await all({ text: 'invoice' })).sort()).eql(['filed', 'said']);
    should(await all({ text: 'Invoice is' })).eql(['filed']);
    should(await all({ text: 'refund' })).eql([]);
  });

  it('knows a file once, under its latest details', async () => {
    await enter(recording('a', { started_at: null, from: null }));
    await enter(recording('a', { started_at: '2026-03-01T10:00:00.000Z', from: '+15550100199' }));
    should(await all({})).eql(['a']);
    should(await all({ what: '0100199' })).eql(['a']);
    should([...recordings.entries.latestFirst({ from: null, before: null, limit: 10 })]).have.length(1);
  });

  it('skips what a commit with two changes of one file left', async () => {
    await enter(
      recording('a', { started_at: '2026-03-01T10:00:00.000Z' }),
      recording('a', { started_at: '2026-03-02T10:00:00.000Z' })
    );
    should(await all({})).eql(['a']);
  });

  it('finds what earlier versions stored, once it has been read', async () => {
    const files = state.database.collection<unknown>('stored-recordings');
    await state.database.commit(
      Array.from({ length: 25 }, (_value, at) =>
        files.putting([`d${at}`, 'place', ''], {
          identity: `telnyx:r${at}`,
          wantedFormat: null,
          recording: recording(`r${at}`),
          order: 'o'
        })
      )
    );
    recordings = new StoredRecordings(state.database);
    await enter(recording('new'));
    should(await all({})).eql(['new']);
    let files_ = 0;
    for (let turn = 0; turn < 50; turn += 1) {
      // It continues where it was, even after a restart.
      recordings = new StoredRecordings(state.database);
      const unread = recordings.unread(10);
      if (unread === null) break;
      files_ += unread.files;
      await state.database.commit(unread.changes);
    }
    should(files_).equal(26);
    should(await all({})).have.length(26);
    should(recordings.unread(10)).be.null();
  });

  it('has nothing to read where this version stored the first file', async () => {
    await enter(recording('a'), recording('b'));
    await enter(recording('c'));
    should(recordings.unread(10)).be.null();
  });

  it('lets others have their turn, ends a page when its time is up, and stops when asked', async () => {
    await enter(...Array.from({ length: 600 }, (_value, at) => recording(`r${at}`)));
    let time = 0;
    let turns = 0;
    const controller = new AbortController();
    const slow = new ArchiveSearch({
      recordings,
      textOf: () => Promise.resolve(null),
      now: () => (time += 1),
      breathe: () => Promise.resolve(void (turns += 1))
    });
    const query = readQuery({ what: 'nothing like it' });
    const page = await slow.page(query, { after: null, most: 10 }, controller.signal);
    should(turns).be.above(50);
    should(page.found).be.empty();
    should(page.looked).be.within(100, 599);
    should(page.next).not.be.null();
    controller.abort();
    await should(slow.page(query, { after: page.next, most: 10 }, controller.signal)).be.rejected();
  });

  it('refuses a query from hell', () => {
    for (const body of [
      { what: 'x'.repeat(201) },
      { what: {} },
      { kind: 'html' },
      { from: 'yesterday' },
      { before: 1.5 }
    ])
      should(() => readQuery(body)).throw({ code: 'BAD_SETTING' });
    for (const body of [undefined, null, [], 'text', {}]) should(readQuery(body).what).equal('');
  });

  it('enters whatever a sidecar from hell says', async () => {
    const strange = {
      from: ['+1'],
      to: { number: 5 },
      call_leg_id: 'a\nb\tc',
      room_name: 'x'.repeat(100_000),
      format: 'constructor'
    };
    await enter({
      ...recording('a'),
      ...strange,
      started_at: 'never',
      stored_at: 'never'
    } as unknown as StoredRecording);
    should(await all({ what: 'a b c' })).eql(['a']);
  });
});
