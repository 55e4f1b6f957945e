import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Locator } from 'playwright-core';
import should from 'should';
import { type BreakableNetwork, breakableNetwork } from '../support/breakable-network';
import { type Delivery, jsonDelivery } from '../support/deliveries';
import { EditorPage } from '../support/editor-page';
import { longestStall, watchedEventLoop } from '../support/event-loop';
import { account, node, recorder, tab, webhookIn } from '../support/flows';
import { type LocalServer, localServer } from '../support/media';
import { NodeRedProcess } from '../support/node-red-process';
import { requireProgram } from '../support/real-parts';
import { SidebarPage } from '../support/sidebar';
import { TRUSTED } from '../support/sign';
import { until } from '../support/until';

const USUAL = 150;
/** Deliveries, and as many recordings: one half is given up, the other waits. */
const COUNT = Number(process.env['TEST_LIVE_ROWS'] ?? USUAL);
const IS_FULL = COUNT > USUAL;
/** Entries that the list of what was given up keeps. */
const MOST_GIVEN_UP = 10_000;
/** Milliseconds, also for a busy machine: how long the deliveries take is told, not judged. */
const DEADLINE = IS_FULL ? 1_200_000 : 120_000;
/** More than the sidebar has, whatever happens. */
const MOST_ELEMENTS = 6000;

/** What a page counts while the sidebar is open. */
interface Watched {
  /** Milliseconds. */
  longest: number;
  frames: number;
  mostRows: number;
}

function download(id: string, properties: object): ReturnType<typeof node> {
  return node(id, 'telnyx-recording-download', {
    ...{ name: id, account: 'account', dailyAccount: '', destination: 'folder', folder: 'archive' },
    ...{ filename: '{{recording_id}}.{{ext}}', format: 'any', network: 'any', x: 500, wires: [['seen']] },
    ...properties
  });
}

describe('the tab "Now" under load', function () {
  this.timeout(IS_FULL ? 3_600_000 : 300_000);
  const directory = mkdtempSync(path.join(tmpdir(), 'telnyx-live-'));
  let media: LocalServer;
  let nodeRed: NodeRedProcess;
  let network: BreakableNetwork;
  let editor: EditorPage;
  let other: EditorPage;
  let phone: EditorPage | undefined;
  let sidebar: SidebarPage;
  let second: SidebarPage;
  let asked = 0;
  let sent = 0;

  before('two editors, and a source that has nothing', async function () {
    const browser = requireProgram(this, '/usr/bin/chromium');
    media = await localServer((incoming, response) => {
      response.writeHead(incoming.url?.startsWith('/busy') === true ? 503 : 404).end();
    });
    nodeRed = await NodeRedProcess.start({
      ...watchedEventLoop(directory),
      flow: [
        tab(),
        account({ publicKeys: TRUSTED.publicKey }),
        webhookIn({ name: 'Calls', x: 200, y: 100, wires: [['archive']] }),
        {
          ...webhookIn({ name: 'Night calls', x: 200, y: 200, path: '/night', wires: [['patient']] }),
          id: 'night'
        },
        download('archive', { y: 100, retries: 0 }),
        // The first of hundreds would give up after eight retries within a minute, because the pauses are random.
        download('patient', { y: 200, retries: 20 }),
        ...recorder().map((each, at) => ({ ...each, x: 640, y: 420 + 60 * at }))
      ]
    });
    network = await breakableNetwork(nodeRed);
    editor = await EditorPage.open(network.nodeRed, browser);
    other = await EditorPage.open(nodeRed, browser);
    sidebar = new SidebarPage(editor, nodeRed);
    second = new SidebarPage(other, nodeRed);
    editor.page.on('request', (outgoing) => {
      if (outgoing.url().includes('telnyx-sidebar')) asked += 1;
    });
  });

  after(async () => {
    await phone?.close();
    for (const page of [editor, other] as (EditorPage | undefined)[]) await page?.close();
    await (network as BreakableNetwork | undefined)?.close();
    await (nodeRed as NodeRedProcess | undefined)?.stop();
    await (media as LocalServer | undefined)?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  function saved(id: string, file: string): Delivery {
    const payload = { recording_id: id, recording_urls: { wav: `${media.url}/${file}.wav` } };
    const occurred_at = new Date().toISOString();
    const data = { record_type: 'event', event_type: 'call.recording.saved', id, occurred_at, payload };
    return jsonDelivery(JSON.stringify({ data }));
  }

  function post({ body, headers }: Delivery, where: string, agent?: Agent): Promise<number> {
    return new Promise((resolve, reject) => {
      const options = { port: nodeRed.port, path: where, method: 'POST', headers, ...(agent && { agent }) };
      const outgoing = request(options, (response) => {
        response.resume().once('end', () => resolve(response.statusCode ?? 0));
      });
      outgoing.once('error', reject).end(body);
    });
  }

  /** Sends deliveries of recordings, half of them to each webhook node. */
  async function load(count: number): Promise<void> {
    // Node-RED closes connections that were idle for some seconds.
    const agent = new Agent({ keepAlive: true, maxSockets: 20 });
    let next = sent;
    sent += count;
    const work = async (): Promise<void> => {
      while (next < sent) {
        next += 1;
        const isLost = next % 2 === 0;
        const delivery = saved(`rec-${next}`, isLost ? 'lost' : 'busy');
        should(await post(delivery, isLost ? '/telnyx' : '/night', agent)).equal(200);
      }
    };
    await Promise.all(Array.from({ length: 20 }, work));
    agent.destroy();
  }

  const total = (on: SidebarPage, name: string): Promise<string> =>
    on.at(`[data-name="${name}"] strong`).innerText();
  const has = (on: SidebarPage, name: string, value: number): Promise<true> =>
    until(
      `${value} ${name}`,
      async () => (await total(on, name)) === value.toLocaleString('en-US') || undefined,
      { deadline: DEADLINE }
    );
  const row = (text: string): Locator => sidebar.at('[role=listitem]').filter({ hasText: text });
  /** Private memory of Node-RED. */
  const memoryMb = async (): Promise<number> => {
    const [, kilobytes] =
      /^RssAnon:\s*(\d+) kB/m.exec(await readFile(`/proc/${nodeRed.pid}/status`, 'utf8')) ?? [];
    return Math.round(Number(kilobytes) / 1000);
  };
  const processorMs = async (): Promise<number> => {
    const fields = (await readFile(`/proc/${nodeRed.pid}/stat`, 'utf8')).split(' ');
    return (Number(fields[13]) + Number(fields[14])) * 10;
  };

  /** Begins to watch how responsive a page is, and what reaches it. */
  const watch = (page: EditorPage): Promise<void> =>
    page.page.evaluate(`(() => {
      window.watched = { longest: 0, frames: 0, mostRows: 0 };
      new PerformanceObserver((list) => {
        for (const { duration } of list.getEntries()) watched.longest = Math.max(watched.longest, duration);
      }).observe({ entryTypes: ['longtask'] });
      if (window.isWatched) return;
      window.isWatched = true;
      RED.comms.subscribe('telnyx-sidebar/now', (topic, { deliveries }) => {
        watched.frames += 1;
        watched.mostRows = Math.max(watched.mostRows, deliveries.length);
      });
    })()`);
  const watched = (page: EditorPage): Promise<Watched> => page.page.evaluate<Watched>('window.watched');
  const elements = (page: EditorPage): Promise<number> =>
    page.page.evaluate<number>("document.querySelectorAll('.telnyx-sidebar *').length");
  /** Begins to measure for how long the main thread of a page is busy. @returns tells the milliseconds */
  const busyMsOf = async (page: EditorPage): Promise<() => Promise<number>> => {
    const session = await page.page.context().newCDPSession(page.page);
    await session.send('Performance.enable', { timeDomain: 'threadTicks' });
    const told = async (): Promise<number> => {
      const { metrics } = await session.send('Performance.getMetrics');
      return 1000 * (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? NaN);
    };
    const before = await told();
    return async () => (await told()) - before;
  };
  const heapMb = async (page: EditorPage): Promise<number> => {
    const session = await page.page.context().newCDPSession(page.page);
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    await session.detach();
    return Math.round(usedSize / 1e6);
  };

  it('costs nothing while it is closed', async () => {
    await watch(editor);
    await load(20);
    await longestStall(nodeRed, directory);
    const [begun, processor] = [performance.now(), await processorMs()];
    await load(COUNT);
    const used = (await processorMs()) - processor;
    console.log(
      `      (closed: ${COUNT} deliveries in ${Math.round(performance.now() - begun)} ms, ${used} ms of processor time, ` +
        `longest stall ${Math.round(await longestStall(nodeRed, directory))} ms, ${await memoryMb()} MB)`
    );
    should(asked).equal(0);
    should((await watched(editor)).frames).equal(0);
  });

  it('stays responsive in two editors, and holds up nothing, however much happens', async () => {
    await sidebar.open('now');
    await second.open('now');
    await has(sidebar, 'accepted', COUNT + 20);
    const before = {
      asked,
      heap: await heapMb(editor),
      elements: await elements(editor),
      memory: await memoryMb()
    };
    await longestStall(nodeRed, directory);
    await watch(editor);
    const busyMs = await busyMsOf(editor);
    const [begun, processor] = [performance.now(), await processorMs()];
    await load(COUNT);
    const used = (await processorMs()) - processor;
    const seconds = (performance.now() - begun) / 1000;
    const stall = await longestStall(nodeRed, directory);
    const { longest, frames, mostRows } = await watched(editor);
    const busyShare = Math.round((await busyMs()) / seconds / 10);
    const requests = asked - before.asked;
    for (const each of [sidebar, second]) await has(each, 'accepted', 2 * COUNT + 20);
    await has(sidebar, 'failed', COUNT + 10);
    const after = { heap: await heapMb(editor), elements: await elements(editor), memory: await memoryMb() };
    console.log(
      `      (open twice: ${COUNT} deliveries in ${Math.round(seconds * 1000)} ms, ${used} ms of processor time, longest ` +
        `stall ${Math.round(stall)} ms, ${before.memory} to ${after.memory} MB; browser: busy for ${busyShare} % of the time, ` +
        `longest task ${Math.round(longest)} ms, ${frames} frames, ${requests} requests, ` +
        `${before.heap} to ${after.heap} MB, ${before.elements} to ${after.elements} elements)`
    );
    // Four frames a second, and a request each 1.5 s.
    should(frames).be.belowOrEqual(Math.ceil(seconds * 4) + 4);
    should(requests).be.belowOrEqual(Math.ceil(seconds / 1.5) + 3);
    should(mostRows).be.belowOrEqual(50);
    should(after.elements).be.below(MOST_ELEMENTS);
    should(after.heap - before.heap).be.below(40);
    should(longest).be.below(500);
    should(stall).be.below(500);
  });

  it('shows the beginning of what waits and was given up, and more on demand', async () => {
    const lost = sidebar.at('.telnyx-sidebar-section').filter({ hasText: 'Retry' }).first();
    await until(
      'all that was given up',
      async () => {
        const count = Number((await lost.locator('.telnyx-sidebar-count').innerText()).replace(/\D/g, ''));
        return (count >= Math.min(COUNT + 10, MOST_GIVEN_UP) && count <= COUNT + 10) || undefined;
      },
      { deadline: DEADLINE }
    );
    should(await lost.getByRole('listitem').count()).equal(50);
    await lost.getByRole('button', { name: 'More' }).click();
    await until('more', async () => (await lost.getByRole('listitem').count()) > 50 || undefined);
    should(await row('next attempt').count()).be.belowOrEqual(50);
  });

  it('is right again after the network was cut, without a reload', async () => {
    network.cut();
    await sidebar.at('.telnyx-sidebar-fault').filter({ hasText: /\w/ }).first().waitFor({ timeout: 60_000 });
    await post(saved('while-away', 'lost'), '/telnyx');
    await has(second, 'accepted', 2 * COUNT + 21);
    should(await total(sidebar, 'accepted')).not.equal(await total(second, 'accepted'));
    network.mend();
    await has(sidebar, 'accepted', 2 * COUNT + 21);
    await row('while-away').first().waitFor({ timeout: DEADLINE });
    await until(
      'the end of the fault',
      async () => (await sidebar.at('.telnyx-sidebar-fault').first().innerText()) === '' || undefined
    );
    // And it follows again.
    await post(saved('back-again', 'lost'), '/telnyx');
    await row('back-again').first().waitFor({ timeout: DEADLINE });
  });

  it('is right again after a restart, in both editors', async () => {
    await nodeRed.restart();
    await post(saved('after-restart', 'lost'), '/telnyx');
    for (const each of [sidebar, second]) {
      await each
        .at('[role=listitem]')
        .filter({ hasText: 'after-restart' })
        .first()
        .waitFor({ timeout: DEADLINE });
      await has(each, 'accepted', 2 * COUNT + 23);
      await has(each, 'failed', COUNT + 13);
    }
  });

  it('works on a phone', async () => {
    phone = await EditorPage.open(nodeRed, '/usr/bin/chromium', {
      context: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }
    });
    await phone.page.evaluate("RED.actions.invoke('telnyx-sidebar:show')");
    const small = new SidebarPage(phone, nodeRed);
    await small.at('#telnyx-sidebar-tab-now').tap();
    await small.at('[role=listitem]').filter({ hasText: 'back-again' }).first().waitFor();
    const box = (await phone.page.locator('.telnyx-sidebar').boundingBox())!;
    should(box.x + box.width).be.belowOrEqual(391);
    should(box.width).be.above(170);
    const { scrollWidth, clientWidth } = await phone.page.evaluate<{
      scrollWidth: number;
      clientWidth: number;
    }>(
      "(({ scrollWidth, clientWidth }) => ({ scrollWidth, clientWidth }))(document.querySelector('.telnyx-sidebar-panel'))"
    );
    should(scrollWidth).be.belowOrEqual(clientWidth);
    // A thumb does not hit what is lower.
    const heights = await small
      .at('.telnyx-sidebar-actions button, .telnyx-sidebar-tab')
      .evaluateAll((all) => all.map((each) => (each as unknown as { offsetHeight: number }).offsetHeight));
    for (const height of heights.filter((one) => one > 0)) should(height).be.aboveOrEqual(24);
    await small.shoot('now-phone');
    const discard = small.at('[role=listitem]').filter({ hasText: 'back-again' }).getByText('Discard');
    await discard.tap();
    await small.at('[role=listitem]').filter({ hasText: 'back-again' }).getByText('Sure?').tap();
    await until('one less', async () => (await total(small, 'failed')) !== '' || undefined);
    await discard.waitFor({ state: 'detached' });
  });

  it('knows that a deploy has removed a node', async () => {
    await editor.page.evaluate(
      "(() => { RED.nodes.remove('archive'); RED.nodes.dirty(true); RED.view.redraw(true); })()"
    );
    await editor.deploy();
    for (const each of [sidebar, second]) {
      const gone = each.at('[role=listitem]').filter({ hasText: 'GAVE_UP' }).first();
      await until(
        'a row without its node',
        async () => (await gone.getByText('Retry').isHidden()) || undefined,
        { deadline: 30_000 }
      );
    }
    const gone = row('GAVE_UP').first();
    should(await gone.locator('.telnyx-sidebar-node').isDisabled()).be.true();
    should(await gone.getByText('Discard').isVisible()).be.true();
  });

  it('has no error in the console', () => {
    // While the network is cut, nothing can be reached.
    const errors = [editor, other, phone].flatMap((page) => page?.errors ?? []);
    should(errors.filter((text) => !/ERR_|WebSocket|Failed to load/.test(text))).eql([]);
  });
});
