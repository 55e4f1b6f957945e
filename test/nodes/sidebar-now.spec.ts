import should from 'should';
import { FailedRecordings } from '../../src/archive/queue/failed-recordings';
import type { NodeRedApi } from '../../nodes/lib/node-red';
import { changeGivenUp, givenUpPage } from '../../nodes/sidebar/given-up';
import { NowFeed } from '../../nodes/sidebar/now-feed';
import { type NowFrame, WATCHED_MS, nameOf } from '../../nodes/sidebar/now-request';
import { nowFrame, nowSnapshot } from '../../nodes/sidebar/now-snapshot';
import telnyxAccount from '../../nodes/telnyx-account';
import recordingDownload from '../../nodes/telnyx-recording-download';
import telnyxWebhookIn from '../../nodes/telnyx-webhook-in';
import { account, node, tab, webhookIn } from '../support/flows';
import { loadedNode, nodeHelper } from '../support/node-helper';
import { until } from '../support/until';
import { DownloadStage } from './download-stage';

describe('what the tab "Now" gets from the runtime', () => {
  let stage: DownloadStage;
  let RED: NodeRedApi;

  const flow = (...nodes: object[]): object[] => [
    tab(),
    account({ apiUrl: `${stage.media.url}/v2` }),
    ...nodes
  ];
  const download = (more: object = {}): object =>
    node('download', 'telnyx-recording-download', {
      account: 'account',
      folder: stage.folder,
      network: 'any',
      retries: '0',
      ...more
    });
  const catching = [node('catch', 'catch', { scope: null, wires: [['caught']] }), node('caught', 'helper')];

  async function load(...nodes: object[]): Promise<void> {
    nodeHelper.settings({ userDir: stage.userDir });
    const observe = (given: NodeRedApi): void => {
      RED = given;
    };
    await nodeHelper.load(
      [observe, telnyxAccount, telnyxWebhookIn, recordingDownload],
      flow(...nodes, ...catching)
    );
  }

  beforeEach(async () => {
    stage = await DownloadStage.create();
  });
  afterEach(() => stage.remove());

  const page = () => givenUpPage(RED, { skip: 0, most: 50 });
  const giveUp = async (name: string): Promise<void> => {
    const caught = stage.next('caught');
    loadedNode('download').receive(stage.saved(name));
    await caught;
    await until('the entry', async () =>
      (await page()).rows.some(({ recordingId }) => recordingId === name) ? true : undefined
    );
  };

  it('is nothing before anything happened', async () => {
    await load();
    should(await nowSnapshot(RED)).containDeep({
      deliveries: [],
      files: [],
      pausing: [],
      waiting: 0,
      givenUp: { total: 0, rows: [] },
      webhooks: []
    });
  });

  it('is what was given up, without links and numbers', async () => {
    stage.answer = (_request, response) => void response.writeHead(404).end();
    await load(download());
    await giveUp('rec-1');
    const { givenUp, quarters } = await nowSnapshot(RED);
    should(givenUp.total).equal(1);
    should(givenUp.rows[0]).have.properties({
      node: 'download',
      recordingId: 'rec-1',
      eventType: 'call.recording.saved',
      canRetry: true
    });
    should(JSON.stringify(givenUp)).not.match(/geheim/);
    should(quarters.at(-1)?.failed).be.aboveOrEqual(1);
  });

  it('tries again, and lists what fails again', async () => {
    stage.answer = (_request, response) => void response.writeHead(404).end();
    await load(download());
    await giveUp('rec-1');
    const [row] = (await page()).rows;
    const caught = stage.next('caught');
    should(await changeGivenUp(RED, 'retry', [nameOf(row!)])).deepEqual({ done: 1, error: null });
    should((await caught)[0]).have.property('recording_id', 'rec-1');
    const again = await until('the new entry', async () => {
      const [one] = (await page()).rows;
      return one !== undefined && one.at > row!.at ? one : undefined;
    });
    should(again.id).equal(row!.id);
  });

  it('takes off the list what is discarded, and ignores what is not on it', async () => {
    stage.answer = (_request, response) => void response.writeHead(404).end();
    await load(download());
    await giveUp('rec-1');
    await giveUp('rec-2');
    const { rows } = await page();
    should(rows.map(({ recordingId }) => recordingId)).deepEqual(['rec-2', 'rec-1']);
    const names = ['', ' ', 'download', 'download x', 'other x', nameOf(rows[0]!), nameOf(rows[0]!)];
    should(await changeGivenUp(RED, 'discard', names)).deepEqual({ done: 1, error: null });
    should((await page()).rows.map(({ recordingId }) => recordingId)).deepEqual(['rec-1']);
  });

  it('reads the list once for all who look at any part of it', async () => {
    stage.answer = (_request, response) => void response.writeHead(404).end();
    await load(download());
    await giveUp('rec-1');
    const read = Reflect.get<FailedRecordings, 'newestFirst'>(FailedRecordings.prototype, 'newestFirst');
    let reads = 0;
    FailedRecordings.prototype.newestFirst = function () {
      reads += 1;
      return read.call(this);
    };
    try {
      await changeGivenUp(RED, 'discard', []);
      const pages = Array.from({ length: 100 }, (_value, skip) => givenUpPage(RED, { skip, most: 50 }));
      const found = await Promise.all(pages);
      should([...new Set(found.map(({ total }) => total))]).deepEqual([1]);
      should(found.filter(({ rows }) => rows.length > 0)).have.length(1);
      should(reads).be.within(1, 2);
    } finally {
      FailedRecordings.prototype.newestFirst = read;
    }
  });

  it('says what to do when the download node is gone, and keeps the entry', async () => {
    stage.answer = (_request, response) => void response.writeHead(404).end();
    await load(download());
    await giveUp('rec-1');
    await nodeHelper.setFlows(flow(...catching), 'full');
    const [row] = (await page()).rows;
    should(row?.canRetry).be.false();
    const { done, error } = await changeGivenUp(RED, 'retry', [nameOf(row!)]);
    should(done).equal(0);
    should(error).match(/deleted or disabled/);
    should((await page()).total).equal(1);
  });

  it('is each webhook node, and why it cannot accept anything', async () => {
    await load(webhookIn());
    const { webhooks } = await nowSnapshot(RED);
    should(webhooks).have.length(1);
    // When it last got something outlives its deploys, and tests before this one.
    should(webhooks[0]).have.properties({
      node: 'webhook',
      received: 0,
      refused: 0,
      problem: 'NO_PUBLIC_KEY',
      trouble: null,
      health: null,
      isWatched: false
    });
  });

  it('is the files on their way, in frames that hold numbers only', async () => {
    let release = (): void => undefined;
    stage.answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': stage.bytes.length });
      response.write(stage.bytes.subarray(0, 40_000));
      release = () => void response.end(stage.bytes.subarray(40_000));
    };
    await load(download());
    const before = nowFrame(RED, 0).stamp;
    loadedNode('download').receive(stage.saved('rec-1'));
    const frame = await until('the first bytes', () => {
      const one = nowFrame(RED, 0);
      return (one.files[0]?.[1] ?? 0) > 0 ? one : undefined;
    });
    should(frame.files[0]?.[1]).be.within(1, 40_000);
    should(frame.files[0]?.slice(2)).deepEqual([stage.bytes.length, 1]);
    should(frame.stamp).not.equal(before);
    should(JSON.stringify(frame)).not.match(/rec-1|geheim/);
    const { files } = await nowSnapshot(RED);
    should(files).have.length(1);
    should(files[0]).have.properties({ key: frame.files[0]?.[0], recordingId: 'rec-1', isActive: true });
    release();
    await until('the end', () => (nowFrame(RED, 0).files.length === 0 ? true : undefined));
  });
});

describe('the feed of the tab "Now"', () => {
  let time: number;
  let frame: NowFrame;
  let asked: number[];
  let published: [topic: string, seq: number][];
  let feed: NowFeed;

  beforeEach(() => {
    time = 0;
    frame = { seq: 5, deliveries: [], files: [], stamp: 'a' };
    asked = [];
    published = [];
    const comms = { publish: (topic: string, data: NowFrame) => published.push([topic, data.seq]) };
    const frameOf = (since: number): NowFrame => {
      asked.push(since);
      return frame;
    };
    feed = new NowFeed({ comms } as unknown as NodeRedApi, frameOf, () => time);
  });
  afterEach(async () => {
    time = Infinity;
    await until('its end', () => (feed.isRunning ? undefined : true));
  });

  const frames = (count: number) => until('frames', () => (asked.length >= count ? true : undefined));

  it('does nothing before somebody looks, and publishes only what changed', async () => {
    should(feed.isRunning).be.false();
    feed.watch(3);
    feed.watch(4);
    await frames(3);
    should(asked.slice(0, 2)).deepEqual([3, 5]);
    should(published).deepEqual([['telnyx-sidebar/now', 5]]);
    frame = { ...frame, seq: 6, stamp: 'b' };
    await until('the change', () => (published.length === 2 ? true : undefined));
  });

  it('ends when nobody has looked for a while, and begins again', async () => {
    feed.watch(1);
    await frames(1);
    time = WATCHED_MS;
    feed.watch(2);
    time = 2 * WATCHED_MS;
    await frames(asked.length + 1);
    should(feed.isRunning).be.true();
    time += 1;
    await until('its end', () => (feed.isRunning ? undefined : true));
    const { length } = asked;
    feed.watch(7);
    await frames(length + 1);
    should(asked[length]).equal(7);
  });
});
