import should from 'should';
import type { CodedError } from '../../../../src/errors/coded-error';
import { linkedOutputs, findBatchOutputs } from '../../../../src/providers/daily/batch-outputs';
import { deleteAtDaily } from '../../../../src/providers/daily/delete-at-source';
import { createDailyLinkResolver } from '../../../../src/providers/daily/link-resolver';
import { findSideFiles, sideFilesUntil } from '../../../../src/providers/daily/side-files';
import { batchOutput, sideFile } from '../../../../src/recording/extract/from-daily-text';
import { findRecordings } from '../../../../src/recording/find-recordings';
import type { RecordingReference } from '../../../../src/recording/recording-reference';
import { dailyReference, DailyServer, recordingObject } from './daily-fixture';

const never = new AbortController().signal;
const LINK = 'https://files.example.com/t.vtt?Expires=1&Signature=odd%7e+%2B';
const TRANSCRIPT = 'GET /v1/transcript/tr-1';
const JOB = 'GET /v1/batch-processor/job-1/access-link';
const RECORDING = 'GET /v1/recordings/rec-1';
const bucket = { link: (key: string) => Promise.resolve(`https://bucket.example.com/${key}?signed`) };

const event = (event_type: string | null, payload: object): RecordingReference =>
  findRecordings({ event: { provider: 'daily', event_type, id: 'e' }, payload })[0]!;
const transcript = (type: string | null = 'transcript.ready-to-download') =>
  event(type, { id: 'tr-1', status: 't_finished', out_params: { s3: { key: 'made-up/t.vtt' } } });
const job = (output: object = {}) =>
  event('batch-processor.job-finished', { id: 'job-1', preset: 'transcript', status: 'finished', output });

async function faultOf(work: Promise<unknown>): Promise<CodedError> {
  try {
    await work;
  } catch (error) {
    return error as CodedError;
  }
  throw new Error('It worked');
}

describe("Daily's texts", () => {
  let daily: DailyServer;
  beforeEach(async () => {
    daily = await DailyServer.start();
  });
  afterEach(() => daily.stop());

  const links = (reference: RecordingReference, options: object = {}) =>
    createDailyLinkResolver({ api: daily.api, bucket: null, ...options })(reference, 'missing', never);
  const fleeting = (url: string) => [{ format: null, url, sha256: null, size: null, isFleeting: true }];

  describe('a transcript', () => {
    it('has its link in either field, used as it is', async () => {
      for (const field of ['link', 'download_link'])
        daily.server.json(`${TRANSCRIPT}/access-link`, { transcriptId: 'tr-1', [field]: LINK });
      for (let time = 0; time < 2; time += 1) should(await links(transcript())).eql(fleeting(LINK));
      should(daily.server.lines).eql(Array(2).fill(`${TRANSCRIPT}/access-link`));
    });

    it('that no event announced is waited for until it is finished', async () => {
      daily.server
        .json(TRANSCRIPT, { status: 't_in_progress' })
        .json(TRANSCRIPT, { status: 't_finished', isVttAvailable: false })
        .json(TRANSCRIPT, { status: 't_error' })
        .json(TRANSCRIPT, { status: 't_finished', isVttAvailable: true })
        .json(`${TRANSCRIPT}/access-link`, { link: LINK });
      for (const retryable of [true, true, false])
        should(await faultOf(links(transcript(null)))).have.property('retryable', retryable);
      should(await links(transcript(null))).eql(fleeting(LINK));
    });

    it('with a text for a link comes from the own bucket, or is an error that quotes it', async () => {
      daily.server.json(`${TRANSCRIPT}/access-link`, { link: 'Error: see https://x.example.com/?secret' });
      const fault = await faultOf(links(transcript()));
      should(fault).have.properties({ code: 'LINK_REFUSED', retryable: false });
      should(fault.message).match(/"Error: see \(link\)"/);
      should(await links(transcript(), { bucket })).eql(
        fleeting('https://bucket.example.com/made-up/t.vtt?signed')
      );
      should(await links(transcript(), { api: null, bucket })).have.length(1);
    });

    it('needs a key', async () => {
      should((await faultOf(links(transcript(), { api: null }))).code).equal('NO_RECORDING');
    });
  });

  describe('the files of a job', () => {
    it('are every value that holds a link, as object or in a list', () => {
      should(
        linkedOutputs({
          id: 'job-1',
          input: { uri: 'https://example.com/a.mp4', link: 'https://example.com/a.mp4' },
          transcription: [
            { format: 'TXT', link: 'a' },
            { format: 'vtt', link: 'b' },
            { format: 'vtt', link: 'c' }
          ],
          summary: { format: 'txt', link: 'd' },
          soap: { json: { link: 'e' } },
          output: { concept: [{ download_link: 'f' }] },
          other: 'https://example.com/not-a-file',
          nothing: [null, 7, [[]]]
        }).map(({ name, format, link }) => [name, format, link])
      ).eql([
        ['transcription', 'txt', 'a'],
        ['transcription', 'vtt', 'b'],
        ['transcription-2', 'vtt', 'c'],
        ['summary', 'txt', 'd'],
        ['soap', 'json', 'e'],
        ['concept', null, 'f']
      ]);
      const same = ['a', 'a', 'a-2', 'a'].map((type) => ({ type, format: 'txt', link: type }));
      should(linkedOutputs(same).map(({ name }) => name)).eql(['a', 'a-3', 'a-2', 'a-4']);
      should(linkedOutputs({ one: { link: null, download_link: LINK } })).containDeep([{ link: LINK }]);
      let deep: object = { link: 'x' };
      for (let level = 0; level < 1000; level += 1) deep = { a: [deep] };
      should(linkedOutputs(deep)).eql([]);
    });

    const find = (reference: RecordingReference, options: object = {}) =>
      findBatchOutputs({ api: daily.api, bucket: null, ...options }, reference, never);
    const shown = (found: RecordingReference[]) =>
      found.map(({ identity, links: [link] }) => [identity, link?.url]);

    it('are those of the API, and those that only the event lists', async () => {
      daily.server.json(JOB, {
        transcription: [{ format: 'vtt', link: LINK }],
        summary: { format: 'txt', link: 'Error: not there' }
      });
      const found = await find(
        job({ transcription: [{ format: 'vtt', s3Config: { key: 'k' } }, { format: 'srt' }] })
      );
      should(shown(found)).eql([
        ['daily:batch:job-1:transcription:vtt', LINK],
        ['daily:batch:job-1:summary:txt', undefined],
        ['daily:batch:job-1:transcription:srt', undefined]
      ]);
      should(found[0]).have.property('storage_key', 'k');
      should(found.map(({ details, output }) => [details.track, details.format, output?.total])).eql([
        ['transcript', 'vtt', 3],
        ['summary', 'txt', 3],
        ['transcript', 'srt', 3]
      ]);
    });

    it('are asked for again one by one, by name and format', async () => {
      daily.server.json(JOB, {
        transcription: [
          { format: 'txt', link: `${LINK}1` },
          { format: 'vtt', link: LINK }
        ]
      });
      const one = batchOutput(job(), { name: 'transcription', format: 'vtt', key: null }, 2);
      should(await links(one)).eql(fleeting(LINK));
      const lost = batchOutput(job(), { name: 'summary', format: 'txt', key: null }, 2);
      should((await faultOf(links(lost))).message).match(/a link to the file "summary", but Daily gave none/);
    });

    it('are waited for while the API has too many requests or is away', async () => {
      daily.server.status(JOB, 429).status(JOB, 500);
      const listed = job({ summary: { format: 'txt' } });
      for (const code of ['RATE_LIMITED', 'LINK_REFUSED'])
        should(await faultOf(find(listed))).have.properties({ code, retryable: true });
    });

    it('are those of the event when the API knows the job no longer: they may be stored', async () => {
      daily.server.status(JOB, 404);
      should(shown(await find(job({ summary: { format: 'txt' } })))).eql([
        ['daily:batch:job-1:summary:txt', undefined]
      ]);
      should((await faultOf(find(job()))).code).equal('API_NOT_FOUND');
    });

    it('are waited for while the job is not finished, unless they can come from the own bucket', async () => {
      daily.server.json(JOB, { error: 'invalid-request-error', info: 'not finished' }, 400);
      should(await faultOf(find(job()))).have.properties({ code: 'LINK_REFUSED', retryable: true });
      const listed = job({ summary: { format: 'txt', s3Config: { key: 'made-up/s' } } });
      const [one] = await find(listed, { bucket });
      should(await links(one!, { bucket })).eql(fleeting('https://bucket.example.com/made-up/s?signed'));
    });

    it('that are nowhere are an error', async () => {
      daily.server.json(JOB, { id: 'job-1', status: 'finished' });
      should((await faultOf(find(job()))).code).equal('NO_RECORDING');
    });
  });

  describe('side files', () => {
    const recording = dailyReference({ room_name: 'standup' });
    const find = (reference = recording, options: object = {}) =>
      findSideFiles({ api: daily.api, bucket: null, ...options }, reference, never);

    it('are listed by the recording, and fetched by the access link, in any form', async () => {
      daily.server.json(RECORDING, recordingObject({ data_outputs: ['event-json', 'chat-webvtt', 'later'] }));
      daily.server.json(`${RECORDING}/access-link`, {
        download_link: 'https://example.com/r.mp4',
        data_outputs: { 'event-json': LINK, 'chat-webvtt': { link: LINK }, later: 'not yet' }
      });
      const { ready, missing, isComplete } = await find();
      should(
        ready.map(({ identity, details }) => [identity, details.track, details.format, details.room_name])
      ).eql([
        ['daily:side-file:rec-1:event-json', 'events', 'json', 'standup'],
        ['daily:side-file:rec-1:chat-webvtt', 'chat', 'vtt', 'standup']
      ]);
      should([missing, isComplete]).eql([['later'], false]);
      should(await links(ready[0]!)).eql(fleeting(LINK));
      should((await faultOf(links(sideFile(recording, 'later', null)))).message).match(/"not yet"/);
    });

    it('of one name stay apart, whatever their formats', async () => {
      daily.server.json(RECORDING, recordingObject({ data_outputs: ['chat'] }));
      const chat = ['vtt', 'json'].map((format) => ({ format, link: `https://example.com/${format}` }));
      daily.server.json(`${RECORDING}/access-link`, { data_outputs: { chat } });
      const { ready } = await find();
      should(ready.map(({ identity }) => identity)).eql([
        'daily:side-file:rec-1:chat',
        'daily:side-file:rec-1:chat-2'
      ]);
      should(await links(ready[1]!)).eql(fleeting('https://example.com/json'));
    });

    it('are none when the recording says so, and unknown when it says nothing', async () => {
      daily.server.json(`${RECORDING}/access-link`, { download_link: 'https://example.com/r.mp4' });
      for (const listed of [[], {}, null, undefined])
        daily.server.json(RECORDING, recordingObject({ data_outputs: listed }));
      for (const isComplete of [true, true, true, false])
        should(await find()).eql({ ready: [], missing: [], isComplete });
      should(await find(recording, { api: null })).eql({ ready: [], missing: [], isComplete: true });
    });

    it('of a bucket that Daily may not read: the events, by their documented key', async () => {
      daily.server.json(
        RECORDING,
        recordingObject({ data_outputs: { 'event-json': {}, 'chat-webvtt': {} } })
      );
      daily.server.json(`${RECORDING}/access-link`, { error: 'invalid-request-error' }, 400);
      const { ready, missing } = await find(recording, { bucket });
      should(missing).eql(['chat-webvtt']);
      should(await links(ready[0]!, { bucket })).eql(
        fleeting('https://bucket.example.com/made-up/standup/1.event.json?signed')
      );
      should((await find()).ready).eql([]);
    });

    it('may come for an hour after the event, or after the end of a recording that only a list names', () => {
      const NOW = Date.UTC(2026, 2, 4);
      const at = (iso: string) => Date.parse(iso) + 3_600_000;
      const times = { started_at: '2026-03-01T00:00:00.000Z', duration_seconds: 60 };
      const told = dailyReference(times, { announced_at: '2026-03-01T00:05:00.000Z' });
      should(sideFilesUntil(told, NOW)).equal(at('2026-03-01T00:05:00Z'));
      should(sideFilesUntil(dailyReference({ ...times, event_type: null }), NOW)).equal(
        at('2026-03-01T00:01:00Z')
      );
      should(sideFilesUntil(dailyReference({ event_type: null }), NOW)).equal(NOW + 3_600_000);
      should(sideFilesUntil(transcript(), NOW)).equal(null);
      should(sideFilesUntil(dailyReference({ recording_id: null }), NOW)).equal(null);
    });
  });

  describe('deletion', () => {
    const remove = (reference: RecordingReference, stored: unknown[] = [{}]) =>
      deleteAtDaily(daily.api, reference, never, stored);

    it('of a transcript counts when Daily confirms it', async () => {
      const line = 'DELETE /v1/transcript/tr-1';
      daily.server.json(line, { transcriptId: 'tr-1', status: 't_deleted' }).status(line, 404).json(line, {});
      should(await remove(transcript())).eql({ ok: true, already_gone: false });
      should(await remove(transcript())).eql({ ok: true, already_gone: true });
      should((await remove(transcript())).ok).be.false();
    });

    it('of a job takes all of its files, so all of them must be stored', async () => {
      daily.server.json('DELETE /v1/batch-processor/job-1', { id: 'job-1', status: 'finished' });
      const one = batchOutput(job(), { name: 'summary', format: 'txt', key: null }, 2);
      should((await remove(one)).ok).be.false();
      should((await remove({ ...one, output: { ...one.output!, total: undefined! } })).ok).be.false();
      should(daily.server.lines).eql([]);
      should(await remove(one, [{}, {}])).eql({ ok: true, already_gone: false });
    });

    it('of a side file is that of its recording', async () => {
      should((await remove(sideFile(dailyReference(), 'event-json', null))).ok).be.false();
      should(daily.server.lines).eql([]);
    });
  });
});
