import { existsSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import should from 'should';
import { DAILY_HMAC, dailyAccount, dailyDelivery, dailyWebhookIn } from '../support/daily';
import { DAILY_API_KEY, json } from '../support/daily-server';
import { catchAll, config, node, recorder, tab } from '../support/flows';
import { type LocalServer, localServer } from '../support/media';
import type { RecordedMessage } from '../support/node-red-process';
import { until } from '../support/until';
import { WebhookInstance } from '../support/webhook-instance';
import { mp4Media } from '../../src/simulator/media/media-mp4';

type Answer = (response: ServerResponse, request: IncomingMessage) => void;

const MP4 = mp4Media({ title: 'made-up meeting', seconds: 60, channels: 2 }).bytes();
const vtt = (id: string) => `WEBVTT\n\n00:00.000 --> 00:01.000\n<v Guest>${id} ${'words '.repeat(500)}\n`;
const EVENTS = JSON.stringify({ recording: { type: 'cloud-recording' }, events: [{ ts: 1.5, type: 'x' }] });
/** The order and the escapes show whether a link is used byte for byte. */
const SIGNED = 'X-Amz-Date=20990101T000000Z&X-Amz-Expires=3600&X-Amz-Signature=secret&odd=%7e+%2B&a=1';

const file =
  (text: string | Buffer): Answer =>
  (response) => {
    response.writeHead(200, {
      'content-type': 'binary/octet-stream',
      'content-length': Buffer.byteLength(text)
    });
    response.end(text);
  };
const xml =
  (status: number, code: string, message = ''): Answer =>
  (response) =>
    response
      .writeHead(status, { 'content-type': 'application/xml' })
      .end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`);
const half =
  (text: string): Answer =>
  (response) => {
    response.writeHead(200, { 'content-length': text.length });
    response.write(text.slice(0, text.length / 2), () => response.destroy());
  };
const api =
  (status: number, value: object, headers: object = {}): Answer =>
  (response) =>
    json(response, status, value, headers);

/** Daily's API, the storage for its links, and the bucket `tracks`: what is set for each address, the last stays. */
class Daily {
  readonly seen: { line: string; authorization: string | undefined }[] = [];
  readonly #answers = new Map<string, Answer[]>();
  server!: LocalServer;

  async start(): Promise<void> {
    this.server = await localServer((request, response) => {
      const [address = ''] = (request.url ?? '').split('?');
      const line = `${request.method} ${request.url}`;
      this.seen.push({ line, authorization: request.headers.authorization });
      const answers = this.#answers.get(`${request.method} ${address}`) ?? [];
      const answer = answers.length > 1 ? answers.shift() : answers[0];
      if (answer === undefined) json(response, 404, { error: 'not-found' });
      else answer(response, request);
    });
  }

  on(line: string, ...answers: Answer[]): void {
    this.#answers.set(line, answers);
  }

  link(name: string): string {
    return `${this.server.url}/media/${name}?${SIGNED}`;
  }

  lines(part: string): string[] {
    return this.seen.map(({ line }) => line).filter((line) => line.includes(part));
  }
}

describe("Daily's texts", function () {
  this.timeout(90_000);
  let instance: WebhookInstance;
  const daily = new Daily();

  before(async () => {
    await daily.start();
    const download = (id: string, properties: object) =>
      node(id, 'telnyx-recording-download', {
        account: '',
        dailyAccount: 'daily',
        dailyBucket: 'own-bucket',
        destination: 'folder',
        folder: 'archive',
        filename: '{{recording_id}}.{{ext}}',
        sidecar: true,
        retries: '3',
        network: 'any',
        wires: [['seen']],
        ...properties
      });
    instance = await WebhookInstance.start({
      flow: [
        tab(),
        dailyAccount({
          apiUrl: `${daily.server.url}/v1`,
          credentials: { hmac: DAILY_HMAC, apiKey: DAILY_API_KEY }
        }),
        config('own-bucket', 'telnyx-bucket', {
          endpoint: daily.server.url,
          region: '',
          bucket: 'tracks',
          prefix: '',
          forcePathStyle: true,
          sse: '',
          kmsKeyId: '',
          credentials: { accessKeyId: 'AKIAMADEUP', secretAccessKey: 'made-up-secret' }
        }),
        dailyWebhookIn({ wires: [['archive']] }),
        download('archive', {}),
        dailyWebhookIn({ id: 'deleting', path: '/deleting', wires: [['deleter']] }),
        download('deleter', { folder: 'deleted', deleteAtSource: true }),
        node('start', 'inject', { props: [], wires: [['list']] }),
        node('list', 'telnyx-recording-list', {
          provider: 'daily',
          dailyAccount: 'daily',
          what: 'transcripts',
          from: '',
          to: '',
          filter: '',
          only: 'missing',
          outputs: 2,
          wires: [['archive'], ['seen']]
        }),
        ...recorder(),
        ...catchAll()
      ]
    });
  });
  after(async () => {
    await instance.stop();
    await daily.server.close();
  });

  let count = 0;
  /** @param age seconds since the event */
  async function deliver(type: string, payload: object, to = '/daily', age = 0): Promise<void> {
    const id = `event ${(count += 1)}`;
    const body = JSON.stringify({ version: '1.1.0', type, id, payload, event_ts: Date.now() / 1000 - age });
    should((await instance.deliver(dailyDelivery(body), to)).status).equal(200);
  }
  const transcript = (id: string, more: object = {}, to?: string) =>
    deliver('transcript.ready-to-download', { id, status: 't_finished', room_name: 'standup', ...more }, to);
  const recording = (id: string, to?: string, age = 0) =>
    deliver(
      'recording.ready-to-download',
      {
        type: 'cloud',
        recording_id: id,
        room_name: 'standup',
        status: 'finished',
        duration: 60,
        start_ts: 1_790_000_123
      },
      to,
      age
    );
  const job = (id: string, output: object, to?: string) =>
    deliver('batch-processor.job-finished', { id, preset: 'summarize', status: 'finished', output }, to);

  const messages = (id: string, log?: string): RecordedMessage[] =>
    instance.nodeRed
      .recorded(log)
      .filter(({ recording: of, event }) =>
        log === undefined ? of?.['recording_id'] === id : JSON.stringify(event).includes(`"${id}"`)
      );
  /** Waits for so many messages: those of one job are written one after another, beside its error. */
  const several = async (id: string, count: number): Promise<RecordedMessage[]> => {
    await until(`${count} messages`, () => messages(id).length >= count, { deadline: 60_000 });
    return messages(id);
  };
  const stored = (id: string, track: string | null = 'transcript') =>
    until('the message', () => messages(id).find(({ recording: of }) => of?.['track'] === track), {
      deadline: 60_000
    });
  const failed = (id: string) =>
    until('the error', () => messages(id, 'errors.jsonl')[0], { deadline: 60_000 });
  const inArchive = (...names: string[]) => path.join(instance.nodeRed.userDir, ...names);

  describe('a transcript is stored', () => {
    const cases: Record<string, { api?: Answer[]; media?: Answer[] }> = {
      'all-well': {},
      late: { media: [xml(404, 'NoSuchKey')] },
      empty: { media: [file('')] },
      half: { media: [half(vtt('half'))] },
      'too-many-requests': { api: [api(429, { error: 'rate-limit-error' }, { 'retry-after': '1' })] },
      'api-down': { api: [api(500, { error: 'server-error' })] },
      'link-dead': { media: [xml(403, 'AccessDenied', 'Request has expired')] }
    };
    before(async () => {
      for (const [id, { api: answers = [], media = [] }] of Object.entries(cases)) {
        const given = api(200, { transcriptId: id, link: daily.link(id) });
        daily.on(`GET /v1/transcript/${id}/access-link`, ...answers, given);
        daily.on(`GET /media/${id}`, ...media, file(vtt(id)));
        await transcript(id, { mtg_session_id: `session of ${id}` });
      }
    });

    for (const [id, { media = [] }] of Object.entries(cases)) {
      it(id, async () => {
        const { recording: of, payload } = await stored(id);
        should(payload).equal(inArchive('archive', `${id}.transcript.vtt`));
        should(readFileSync(String(payload), 'utf8')).equal(vtt(id));
        const told = { format: 'vtt', room_name: 'standup', mtg_session_id: `session of ${id}` };
        const sidecar = JSON.parse(readFileSync(`${String(payload)}.json`, 'utf8')) as object;
        for (const one of [of, sidecar]) {
          should(one).containDeep(told);
          should(JSON.stringify(one)).not.match(/secret|X-Amz|made-up-daily-api-key/);
        }
        // A fresh link for each attempt.
        should(daily.lines(`/${id}/access-link`).length).be.aboveOrEqual(1 + media.length);
      });
    }

    it('through links that are used byte for byte, without the key', () => {
      for (const { line, authorization } of daily.seen.filter((one) => one.line.startsWith('GET /media/'))) {
        should(line).endWith(`?${SIGNED}`);
        should(authorization).equal(undefined);
      }
    });

    it('from the own bucket, when a text stands for the link', async () => {
      daily.on(
        'GET /v1/transcript/elsewhere/access-link',
        api(200, { link: 'Error: bucket not accessible' })
      );
      daily.on('GET /tracks/made-up/t.vtt', file(vtt('elsewhere')));
      await transcript('elsewhere', { out_params: { s3: { key: 'made-up/t.vtt' } } });
      should(readFileSync(String((await stored('elsewhere')).payload), 'utf8')).equal(vtt('elsewhere'));
    });
  });

  describe('a transcript is not stored, and Catch nodes receive the reason', () => {
    const link = (id: string): Answer => api(200, { link: daily.link(id) });
    const cases: Record<string, { api: (id: string) => Answer; media?: Answer; code: string; text: RegExp }> =
      {
        unknown: { api: () => api(404, { error: 'not-found' }), code: 'API_NOT_FOUND', text: /404/ },
        revoked: {
          api: () => api(401, { error: 'authentication-error' }),
          code: 'API_UNAUTHORIZED',
          text: /API key/
        },
        'text-for-link': {
          api: () => api(200, { link: 'Error: none' }),
          code: 'LINK_REFUSED',
          text: /Error: none/
        },
        'html-page': {
          api: link,
          media: file('<!DOCTYPE html><html>Sign in'),
          code: 'NOT_MEDIA',
          text: /HTML page/
        },
        'xml-page': { api: link, media: xml(200, 'NoSuchKey'), code: 'NOT_MEDIA', text: /XML page/ },
        'not-vtt': { api: link, media: file('Hello.'), code: 'NOT_MEDIA', text: /the format "vtt"/ },
        'always-empty': { api: link, media: file(''), code: 'GAVE_UP', text: /empty/ }
      };
    for (const [id, { api: answer, media, code, text }] of Object.entries(cases)) {
      it(`${id}: ${code}`, async () => {
        daily.on(`GET /v1/transcript/${id}/access-link`, answer(id));
        if (media !== undefined) daily.on(`GET /media/${id}`, media);
        await transcript(id);
        const { error } = await failed(id);
        should(error?.code).equal(code);
        should(error?.message)
          .match(text)
          .and.not.match(/X-Amz|made-up-daily-api-key/);
        should(existsSync(inArchive('archive', `${id}.transcript.vtt`))).be.false();
      });
    }
  });

  describe('a batch job', () => {
    const outputs = (id: string) => ({
      transcription: [
        { format: 'vtt', link: daily.link(`${id}.vtt`) },
        { format: 'json', link: daily.link(`${id}.json`) }
      ],
      summary: { format: 'txt', link: daily.link(`${id}.txt`) },
      soap: { format: 'json', link: daily.link(`${id}.soap`) }
    });
    const serve = (id: string): void => {
      daily.on(`GET /v1/batch-processor/${id}/access-link`, api(200, { id, ...outputs(id) }));
      daily.on(`GET /media/${id}.vtt`, file(vtt(id)));
      daily.on(`GET /media/${id}.json`, file('{"words":[]}'));
      daily.on(`GET /media/${id}.txt`, file('It was brief.'));
      daily.on(`GET /media/${id}.soap`, file('{"subjective":"x"}'));
    };

    it('becomes a file for every link that the API gives, and is deleted when all are stored', async () => {
      serve('job-1');
      daily.on('DELETE /v1/batch-processor/job-1', api(200, { id: 'job-1', status: 'finished' }));
      await job('job-1', {}, '/deleting');
      await stored('job-1', 'summary');
      const names = (await several('job-1', 4)).map(({ payload }) => path.basename(String(payload)));
      should(names.sort()).eql([
        'job-1.soap.json',
        'job-1.summary.txt',
        'job-1.transcript.json',
        'job-1.transcript.vtt'
      ]);
      for (const { recording: of, payload } of messages('job-1')) {
        should(of?.['deleted_at_source']).be.a.String();
        should(existsSync(`${String(payload)}.json`)).be.true();
      }
      should(daily.lines('DELETE /v1/batch-processor/job-1')).have.length(1);
    });

    it('is not deleted when one of its files is an error, which Catch nodes see', async () => {
      serve('job-2');
      daily.on('GET /media/job-2.txt', xml(200, 'AccessDenied'));
      await job('job-2', {}, '/deleting');
      should((await failed('job-2')).error).have.property('code', 'NOT_MEDIA');
      should(await several('job-2', 3)).have.length(3);
      should(daily.lines('DELETE /v1/batch-processor/job-2')).be.empty();
    });

    it('is waited for while it is not finished or the API is busy', async () => {
      serve('job-3');
      daily.on(
        'GET /v1/batch-processor/job-3/access-link',
        api(400, { error: 'invalid-request-error', info: 'job is not finished' }),
        api(429, { error: 'rate-limit-error' }, { 'retry-after': '1' }),
        api(200, { id: 'job-3', ...outputs('job-3') })
      );
      await job('job-3', { summary: { format: 'txt' } });
      await stored('job-3', 'summary');
      should(await several('job-3', 4)).have.length(4);
    });

    it('that the API does not know is an error', async () => {
      await job('job-4', {});
      should((await failed('job-4')).error).have.property('code', 'API_NOT_FOUND');
    });
  });

  describe('side files of a recording', () => {
    const serve = (id: string, links: Answer[], wanted: unknown): void => {
      daily.on(`GET /v1/recordings/${id}`, api(200, { id, start_ts: 1_790_000_123, data_outputs: wanted }));
      const none = api(200, { download_link: daily.link(id) });
      daily.on(`GET /v1/recordings/${id}/access-link`, none, ...links);
      daily.on(`GET /media/${id}`, file(MP4));
      daily.on(`GET /media/${id}.events`, file(EVENTS));
      daily.on(`GET /media/${id}.chat`, file(vtt(id)));
      daily.on(`DELETE /v1/recordings/${id}`, api(200, { deleted: true, id }));
    };
    const links = (id: string, ...names: string[]): Answer =>
      api(200, {
        download_link: daily.link(id),
        data_outputs: Object.fromEntries(
          names.map((name) => [name, daily.link(`${id}.${name === 'event-json' ? 'events' : 'chat'}`)])
        )
      });

    it('come after it, across a restart, as messages of their own; then it is deleted', async () => {
      const both = ['event-json', 'chat-webvtt'];
      const id = 'with-files';
      serve(id, [links(id), links(id, ...both)], both);
      // Twenty seconds before the hour is over.
      await recording(id, '/deleting', 59 * 60 + 40);
      const first = await stored(id, null);
      should(first.recording).have.properties({ format: 'mp4', deleted_at_source: null });
      await until('the first look', () => daily.lines(`GET /v1/recordings/${id}/access-link`).length >= 2);
      should(messages(id)).have.length(1);
      await instance.nodeRed.kill();
      await instance.nodeRed.start();
      const events = await stored(id, 'events');
      const chat = await stored(id, 'chat');
      should(readFileSync(String(events.payload), 'utf8')).equal(EVENTS);
      should([first, events, chat].map(({ payload }) => path.basename(String(payload)))).eql([
        'with-files.mp4',
        'with-files.events.json',
        'with-files.chat.vtt'
      ]);
      should(events.event?.['id']).equal(first.event?.['id']);
      await until('the deletion', () => daily.lines(`DELETE /v1/recordings/${id}`)[0], { deadline: 80_000 });
      await until('the note of it', () => {
        const sidecar = JSON.parse(readFileSync(`${String(chat.payload)}.json`, 'utf8')) as Record<
          string,
          unknown
        >;
        return sidecar['deleted_at_source'] !== null || undefined;
      });
    });

    it('that are an error page are not stored, and their recording is not deleted', async () => {
      const id = 'with-page';
      serve(id, [links(id, 'event-json')], ['event-json']);
      daily.on(`GET /media/${id}.events`, xml(200, 'AccessDenied'));
      await recording(id, '/deleting');
      const error = await until(
        'the error',
        () => messages(id, 'errors.jsonl').find(({ error: one }) => one?.code === 'NOT_MEDIA'),
        { deadline: 60_000 }
      );
      should(error.error?.message).match(/XML page/);
      should(await several(id, 1)).have.length(1);
      should(daily.lines(`DELETE /v1/recordings/${id}`)).be.empty();
    });
  });

  it('transcripts that no event announced are listed, and stored once', async () => {
    const item = {
      transcriptId: 'listed',
      roomId: 'r',
      mtgSessionId: 's',
      status: 't_finished',
      isVttAvailable: true
    };
    const running = { ...item, transcriptId: 'running', status: 't_in_progress' };
    const without = { ...item, transcriptId: 'without', isVttAvailable: false };
    daily.on('GET /v1/transcript', (response, { url = '' }) =>
      json(response, 200, { data: url.includes('starting_after') ? [] : [item, running, without] })
    );
    daily.on('GET /v1/transcript/without', api(200, without));
    daily.on('GET /v1/transcript/listed', api(200, item));
    daily.on('GET /v1/transcript/listed/access-link', api(200, { download_link: daily.link('listed') }));
    daily.on('GET /media/listed', file(vtt('listed')));
    const summary = (time: number) =>
      until(
        'the summary',
        () => instance.nodeRed.recorded().filter(({ topic }) => topic === 'recording.list')[time],
        { deadline: 60_000 }
      );
    await (await instance.nodeRed.admin('inject/start', { method: 'POST' })).arrayBuffer();
    should((await summary(0)).payload).containDeep({
      transcripts: { listed: 3, stored: 0, deleted: 0, missing: 1, not_ready: 1, without_file: 1 }
    });
    const { payload, recording: of } = await stored('listed');
    should(readFileSync(String(payload), 'utf8')).equal(vtt('listed'));
    should(of).have.property('mtg_session_id', 's');
    await (await instance.nodeRed.admin('inject/start', { method: 'POST' })).arrayBuffer();
    should((await summary(1)).payload).containDeep({ transcripts: { listed: 3, stored: 1, missing: 0 } });
  });
});
