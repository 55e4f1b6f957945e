import { createHash, createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import should from 'should';
import { parseDailyDelivery } from '../../../../src/events/reading/parse-daily';
import { findRecordings } from '../../../../src/recording/find-recordings';
import { DAILY_KINDS } from '../../../../src/simulator/daily/daily-events';
import { DailyStandIn } from '../../../../src/simulator/daily/daily-stand-in';

describe('simulator: Daily', () => {
  let standIn: DailyStandIn;
  beforeEach(async () => {
    standIn = new DailyStandIn();
    await standIn.start();
  });
  afterEach(() => standIn.stop());

  const api = (path: string, init: RequestInit = {}, key: string | null = standIn.apiKey) =>
    fetch(`${standIn.apiUrl}${path}`, {
      ...init,
      headers: key === null ? {} : { authorization: `Bearer ${key}` }
    });
  const json = async (path: string, init?: RequestInit) =>
    (await (await api(path, init)).json()) as Record<string, unknown>;

  describe('events', () => {
    for (const { name } of DAILY_KINDS) {
      it(`the parser knows ${name}`, () => {
        const sample = standIn.sample(name);
        const parsed = parseDailyDelivery({ rawBody: sample.body(1, ''), contentType: sample.contentType });
        if (!parsed.ok) throw new Error(parsed.message);
        const { event } = parsed;
        should(event).containDeep({ event_type: name, known: true, shape: 'daily-envelope' });
        should(event.occurred_at).be.a.String();
        const found = findRecordings({ event: { provider: 'daily' }, payload: event.payload });
        should(found.map(({ details }) => details.recording_id)).deepEqual(
          sample.recording === null ? [] : [sample.recording.id]
        );
      });
    }

    it('lists the available events', () => {
      should(() => standIn.sample('call.hangup')).throw(/There are samples of: recording\.ready/);
    });
  });

  describe('deliveries', () => {
    let receiver: Server;
    let seen: { body: Buffer; headers: IncomingHttpHeaders }[];
    let answers: number[];
    const url = () => `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/daily`;

    beforeEach(async () => {
      seen = [];
      answers = [200];
      receiver = createServer((request, response) => {
        const chunks: Buffer[] = [];
        request.on('data', (chunk: Buffer) => chunks.push(chunk));
        request.on('end', () => {
          seen.push({ body: Buffer.concat(chunks), headers: request.headers });
          response.writeHead(answers.shift() ?? 200).end();
        });
      }).listen(0, '127.0.0.1');
      await once(receiver, 'listening');
    });
    afterEach(async () => {
      receiver.close();
      receiver.closeAllConnections();
      await once(receiver, 'close');
    });

    it('are signed over timestamp, dot and body, in milliseconds', async () => {
      const { accepted } = await standIn.deliver(standIn.sample('meeting.started'), url());
      should(accepted).be.true();
      const [{ body, headers } = { body: Buffer.alloc(0), headers: {} as IncomingHttpHeaders }] = seen;
      const timestamp = String(headers['x-webhook-timestamp']);
      should(Math.abs(Number(timestamp) - Date.now())).be.below(10_000);
      const secret = Buffer.from(standIn.secret.hmac, 'base64');
      const expected = createHmac('sha256', secret).update(`${timestamp}.`).update(body).digest('base64');
      should(headers['x-webhook-signature']).equal(expected);
    });

    it('are repeated with the same id until the response is exactly 200', async () => {
      answers = [503, 204, 200];
      const options = { retryDelaysMs: [1, 1, 1] };
      const report = await standIn.deliver(standIn.sample('meeting.started'), url(), options);
      should(report.attempts.map(({ status }) => status)).deepEqual([503, 204, 200]);
      should(new Set(seen.map(({ body }) => body.toString())).size).equal(1);
    });
  });

  describe('API', () => {
    it('returns a link that serves the recording without the key', async () => {
      const recording = standIn.addRecording();
      const [expected] = standIn.expectedFiles(recording);
      const { download_link, expires } = await json(`/recordings/${recording.id}/access-link`);
      should(expires).be.approximately(Date.now() / 1000 + 3600, 10);
      const response = await fetch(String(download_link));
      should(response.headers.get('content-type')).equal('video/mp4');
      should((await response.arrayBuffer()).byteLength).equal(expected?.size);
      should(standIn.downloads(recording)).equal(1);
      await standIn.downloaded(recording, new AbortController().signal);
    });

    it('describes, lists page by page and deletes recordings', async () => {
      const recordings = Array.from({ length: 5 }, (_, index) =>
        standIn.addRecording({ startedAt: 1_790_000_000_000 - index * 1000, roomName: index < 4 ? 'a' : 'b' })
      );
      const [first] = recordings;
      should(await json(`/recordings/${first?.id}`)).containDeep({
        id: first?.id,
        status: 'finished',
        duration: 3
      });
      const seen: unknown[] = [];
      for (let after = ''; ;) {
        const { data, total_count } = await json(`/recordings?limit=2${after}`);
        should(total_count).equal(5);
        const ids = (data as { id: string }[]).map(({ id }) => id);
        if (ids.length === 0) break;
        seen.push(...ids);
        after = `&starting_after=${ids.at(-1)}`;
      }
      should(seen).deepEqual(recordings.map(({ id }) => id));
      const before = await json(`/recordings?limit=2&ending_before=${recordings[3]?.id}`);
      should((before['data'] as { id: string }[]).map(({ id }) => id)).deepEqual(seen.slice(1, 3));
      should(await json('/recordings?room_name=b')).have.property('total_count', 1);

      const path = `/recordings/${first?.id}`;
      should(await json(path, { method: 'DELETE' })).deepEqual({ deleted: true, id: first?.id });
      should((await api(path, { method: 'DELETE' })).status).equal(404);
      should((await api(`${path}/access-link`)).status).equal(404);
    });

    it('has the side files of a recording once they are there', async () => {
      const later = { dataOutputs: ['event-json', 'chat-webvtt'] as const, sideFilesAt: Date.now() + 60_000 };
      const recording = standIn.addRecording(later);
      const path = `/recordings/${recording.id}`;
      should(await json(path)).containDeep({ data_outputs: ['event-json', 'chat-webvtt'] });
      should((await json(`${path}/access-link`))['data_outputs']).eql({});
      recording.sideFilesAt = 0;
      const links = (await json(`${path}/access-link`))['data_outputs'] as Record<string, string>;
      const [, ...expected] = standIn.expectedFiles(recording);
      for (const [index, name] of ['event-json', 'chat-webvtt'].entries()) {
        const bytes = Buffer.from(await (await fetch(links[name]!)).arrayBuffer());
        should(createHash('sha256').update(bytes).digest('hex')).equal(expected[index]?.sha256);
      }
    });

    it('lists, links to and deletes transcripts and jobs', async () => {
      const [transcript, job] = [standIn.addText('transcript'), standIn.addText('job')];
      const { data } = await json('/transcript');
      should(data).containDeep([{ transcriptId: transcript.id, status: 't_finished', isVttAvailable: true }]);
      should(await json('/batch-processor')).have.property('total_count', 1);
      const { link } = await json(`/transcript/${transcript.id}/access-link`);
      should(await (await fetch(String(link))).text()).startWith('WEBVTT\n');
      should(standIn.downloads(transcript)).equal(1);
      const links = await json(`/batch-processor/${job.id}/access-link`);
      const formats = (links['transcription'] as { format: string }[]).map(({ format }) => format);
      should(formats).eql(['txt', 'srt', 'vtt', 'json']);
      should(standIn.expectedFiles(job)).have.length(5);
      for (const path of [`/transcript/${transcript.id}`, `/batch-processor/${job.id}`]) {
        should((await api(path, { method: 'DELETE' })).status).equal(200);
        should((await api(path)).status).equal(404);
      }
    });

    it('requires the key, and limits requests when told to', async () => {
      should((await api('/recordings', {}, null)).status).equal(400);
      should((await api('/recordings', {}, 'wrong')).status).equal(401);
      should((await api('/recordings?limit=101')).status).equal(400);
      await standIn.stop();
      standIn = new DailyStandIn({ apiLimit: { requests: 1, seconds: 60 } });
      await standIn.start();
      should((await api('/recordings')).status).equal(200);
      const refused = await api('/recordings');
      should([refused.status, await refused.json()]).deepEqual([429, { error: 'rate-limit-error' }]);
    });
  });
});
