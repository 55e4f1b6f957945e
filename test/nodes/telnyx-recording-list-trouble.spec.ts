import { readFile, unlink } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import path from 'node:path';
import should from 'should';
import { dailyMediaOf } from '../../src/simulator/daily/daily-shelf';
import { TelnyxStandIn } from '../../src/simulator/stand-in';
import { type CountingProxy, countingProxy } from '../support/counting-proxy';
import { DAILY_API_KEY, dailyServer, json } from '../support/daily-server';
import { dailyAccount } from '../support/daily';
import { config, node } from '../support/flows';
import { type LocalServer, localServer, wav } from '../support/media';
import { loadedNode, type TestMessage } from '../support/node-helper';
import { until } from '../support/until';
import { ListStage, type Run } from './list-stage';

const webm = (seed: string): Buffer =>
  Buffer.concat([
    Buffer.from('1a45dfa39f4286810142f7810142f2810442f381084282847765626d', 'hex'),
    Buffer.from(seed.repeat(5000))
  ]);

const API_KEY = 'KEY-made-up-for-the-list';

describe('telnyx-recording-list in trouble', () => {
  let stage: ListStage;
  const closing: { close(): Promise<void> }[] = [];

  beforeEach(async () => {
    stage = await ListStage.make();
    process.env['TELNYX_API_KEY'] = API_KEY;
  });

  afterEach(async () => {
    await stage.remove();
    for (const server of closing.splice(0)) await server.close();
    delete process.env['TELNYX_API_KEY'];
  });

  async function standIn(apiLimit = { requests: 1000, seconds: 1 }): Promise<[TelnyxStandIn, CountingProxy]> {
    const telnyx = new TelnyxStandIn({ apiKey: API_KEY, apiLimit });
    await telnyx.start();
    const api = await countingProxy(telnyx.url);
    closing.push(api, { close: () => telnyx.stop() });
    return [telnyx, api];
  }

  async function server(answer: Parameters<typeof localServer>[0]): Promise<LocalServer> {
    const started = await localServer(answer);
    closing.push(started);
    return started;
  }

  const page = (items: object[]): object => ({
    data: items.map((item) => ({ status: 'completed', created_at: '2026-03-04T09:15:02Z', ...item })),
    meta: { page_number: 1, page_size: 250, total_pages: 1, total_results: items.length }
  });

  it('two nodes on one account fetch each recording once, within the limit of the API', async () => {
    const [telnyx, api] = await standIn({ requests: 4, seconds: 1 });
    const recordings = Array.from({ length: 600 }, () => telnyx.addRecording({ seconds: 0.05 }));
    const flow = stage.flow(`${api.url}/v2`);
    const second = { ...flow.find(({ id }) => id === 'list')!, id: 'list-2' };
    await stage.load([...flow, second]);
    const stored = stage.messages('stored');
    const runs = await Promise.all([stage.run(), stage.run({}, 'list-2')]);
    for (const { summary } of runs)
      should(summary).have.properties({ listed: 600, complete: true, errors: [] });
    const ids = (): Set<unknown> => new Set(stored.map(({ recording_id }) => recording_id));
    await until('all recordings', () => (ids().size === 600 ? true : undefined));
    recordings.filter((recording) => telnyx.downloads(recording) !== 1).length.should.equal(0);
    (await stage.names()).filter((name) => name.endsWith('.mp3')).should.have.length(600);
    [...api.statuses.keys()].should.eql([200]);
  }).timeout(60_000);

  describe('with a download node that gets nowhere', () => {
    const COUNT = 240;
    let run: Promise<Run>;
    let sent: TestMessage[];

    beforeEach(async () => {
      const media = await server(() => undefined);
      const items = Array.from({ length: COUNT }, (_value, index) => ({
        id: `rec-${index}`,
        download_urls: { mp3: `${media.url}/rec-${index}.mp3` }
      }));
      const api = await server((_request, response) => json(response, 200, page(items)));
      await stage.load([
        ...stage.flow(`${api.url}/v2`, {}, { wires: [['download', 'sent'], ['summary']] }),
        node('sent', 'helper'),
        node('status', 'status', { scope: ['list'], wires: [['statuses']] }),
        node('statuses', 'helper')
      ]);
      sent = stage.messages('sent');
      const statuses = stage.messages('statuses');
      run = stage.run();
      await until('the run waits', () =>
        statuses.some(({ status }) => /waiting.downloads/.test(JSON.stringify(status))) ? true : undefined
      );
      sent.length.should.be.within(100, 150);
    });

    it('goes on when that node is deleted, and says what was sent', async () => {
      await loadedNode('download').close(true);
      const { summary } = await run;
      should(summary).have.properties({ listed: COUNT, emitted: COUNT, complete: true });
      sent.length.should.equal(COUNT);
    });

    it('is stopped at once by a deploy, and Catch nodes see it', async () => {
      const begun = Date.now();
      const list = loadedNode('list');
      const error = list.error.bind(list);
      let isTold = false;
      list.error = (...told: Parameters<typeof error>) => {
        isTold = true;
        error(...told);
      };
      await list.close(false);
      // The run itself waits for ever.
      (Date.now() - begun).should.be.below(5000);
      // Nothing of the old run continues alongside what is deployed next.
      isTold.should.be.true();
      const ended = await run;
      should([ended.summary, ended.error?.code]).eql([null, 'GAVE_UP']);
      sent.length.should.be.belowOrEqual(150);
    });
  });

  it('writes only into the archive, and requests nothing else, whatever ids an API lists', async () => {
    const media = await server((_request, response) => {
      const bytes = wav();
      response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': bytes.length }).end(bytes);
    });
    const wild = [
      '..',
      '../../outside',
      'a/b',
      '__proto__',
      'x'.repeat(5000),
      'C:\\windows',
      '%2e%2e',
      'a\u0000b'
    ];
    const items = [...wild, 7, null, ''].map((id) => ({
      id,
      download_urls: { wav: `${media.url}/${wild.length}.wav?${String(id).length}` }
    }));
    const api = await server((_request, response) =>
      json(response, 200, page([...items, 'text', null] as object[]))
    );
    await stage.load(stage.flow(`${api.url}/v2`, {}, { download: { sidecar: false } }));
    const stored = stage.messages('stored');
    const caught = stage.messages('caught');
    const { summary, completed } = await stage.run();
    completed.should.be.true();
    should(summary).have.properties({ complete: false, emitted: wild.length + 1 });
    summary!.errors.map(({ code }) => code).should.eql(['LIST_INCOMPLETE']);
    await until('an end of each', () =>
      stored.length + caught.length >= wild.length + 1 ? true : undefined
    );
    for (const { payload } of stored) {
      const inside = path.relative(stage.folder, String(payload));
      inside.should.match(/^(\d{4}|unknown)[\\/][^\\/]+\.wav$/);
    }
    api.requests.filter((url) => !/^\/v2\/recordings([/?]|$)/.test(url) || url.includes('..')).should.eql([]);
    should(({} as Record<string, unknown>)['download_urls']).be.undefined();
  });

  it('reports an API that answers with anything but a list', async () => {
    let answer: unknown = null;
    const api = await server((_request, response) => json(response, 200, answer));
    await stage.load(stage.flow(`${api.url}/v2`));
    for (const rubbish of [null, {}, { data: null }, { data: {} }, [], 'text', { data: 'text' }]) {
      answer = rubbish;
      const { summary, error } = await stage.run();
      should([summary?.['complete'], summary?.['listed'], error?.code]).eql([false, 0, 'LINK_REFUSED']);
    }
    answer = { data: [], meta: 'text' };
    should((await stage.run()).summary).have.properties({ listed: 0, complete: true });
  });

  it('waits for an API whose pages are endless or not JSON, until a deploy ends the wait', async () => {
    for (const answer of [
      (response: ServerResponse) => response.end('<!DOCTYPE html><title>Sign in</title>'),
      (response: ServerResponse) => response.end(Buffer.alloc(10 * 1024 * 1024, ' ')),
      (response: ServerResponse) => response.destroy()
    ]) {
      const api = await server((_request, response) => void answer(response));
      await stage.load(stage.flow(`${api.url}/v2`));
      const run = stage.run();
      await until('a second attempt', () => (api.requests.length > 1 ? true : undefined));
      await loadedNode('list').close(false);
      should((await run).error?.code).equal('GAVE_UP');
      await stage.unload();
    }
  }).timeout(60_000);

  it('has files that were deleted on purpose fetched again when set to all recordings', async () => {
    const [telnyx, api] = await standIn();
    for (let count = 0; count < 12; count += 1) telnyx.addRecording({ seconds: 0.05 });
    await stage.load(stage.flow(`${api.url}/v2`, { only: 'all' }));
    const stored = stage.messages('stored');
    await stage.run();
    await stage.storedAll(stored, 12);
    for (const { payload } of stored) await unlink(String(payload));
    const { summary } = await stage.run({ verify: 'only' });
    should(summary!.verify).eql({ files: 12, intact: 0, changed: 0, missing: 0, unreadable: 12 });
    summary!.errors[0]!.message.should.containEql('12 of the 12 files').and.containEql(
      'send "everything in the list"'
    );
    await stage.run();
    await stage.storedAll(stored, 24);
    (await stage.names()).filter((name) => name.endsWith('.mp3')).should.have.length(12);
    should((await stage.run({ verify: 'only' })).summary!.verify).have.properties({
      intact: 12,
      unreadable: 0
    });
  });

  it("fetches what Daily lists, including tracks in the customer's bucket", async () => {
    const files = new Map([
      [
        'daily-1',
        dailyMediaOf({
          id: 'daily-1',
          type: 'cloud',
          roomName: 'x',
          seconds: 1,
          startedAt: 0,
          maxParticipants: 1
        }).bytes()
      ],
      ['1-cam-audio-9', webm('1')],
      ['1-screen-video-9', webm('2')]
    ]);
    const tracks = [...files.keys()].slice(1).map((s3Key) => ({ s3Key }));
    // As far as the API knows them.
    for (const id of ['daily-2', 'daily-3']) files.set(id, Buffer.alloc(0));
    const start_ts = Math.floor(Date.now() / 1000) - 3600;
    const daily = await dailyServer(files, [
      {
        id: 'daily-1',
        room_name: 'standup',
        start_ts,
        status: 'finished',
        duration: 61,
        s3key: 'daily-1',
        tracks: []
      },
      {
        id: 'daily-2',
        room_name: 'standup',
        start_ts,
        status: 'finished',
        duration: 61,
        s3key: 'daily-2',
        tracks
      },
      { id: 'daily-3', room_name: 'standup', start_ts, status: 'in-progress', tracks: [] }
    ]);
    closing.push(daily);
    await stage.load(
      [
        ...stage.flow(
          'http://127.0.0.1:9/v2',
          { provider: 'daily', account: '', dailyAccount: 'daily', from: '2h' },
          {
            download: {
              account: '',
              dailyAccount: 'daily',
              dailyBucket: 'own-bucket',
              filename: '{{recording_id}}_{{track}}.{{ext}}'
            }
          }
        ),
        dailyAccount({ apiUrl: `${daily.url}/v1` }),
        config('own-bucket', 'telnyx-bucket', { endpoint: daily.url, bucket: 'tracks', forcePathStyle: true })
      ],
      {
        daily: { apiKey: DAILY_API_KEY },
        'own-bucket': { accessKeyId: 'AKIAMADEUP', secretAccessKey: 'made-up-secret' }
      }
    );
    const stored = stage.messages('stored');
    const { summary } = await stage.run();
    should(summary).have.properties({ listed: 3, missing: 2, not_ready: 1, emitted: 2, complete: true });
    await stage.storedAll(stored, 3);
    for (const { payload, recording } of stored) {
      const { track, provider } = recording as Record<string, string | null>;
      should([provider, await readFile(String(payload))]).eql(['daily', files.get(track ?? 'daily-1')]);
    }
    const pages = daily.seen.map(({ line }) => line).filter((line) => line.startsWith('GET /v1/recordings?'));
    should(pages).eql([
      'GET /v1/recordings?limit=100',
      'GET /v1/recordings?limit=100&starting_after=daily-3'
    ]);
    const again = await stage.run();
    should(again.summary).have.properties({ listed: 3, stored: 2, missing: 0, emitted: 0 });
  });
});
