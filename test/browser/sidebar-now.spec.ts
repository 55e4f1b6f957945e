import type { ServerResponse } from 'node:http';
import type { Locator } from 'playwright-core';
import should from 'should';
import { TelnyxStandIn } from '../../src/simulator/stand-in';
import { type Delivery, holdEvent, jsonDelivery } from '../support/deliveries';
import { EditorPage } from '../support/editor-page';
import { account, node, recorder, tab, webhookIn } from '../support/flows';
import { type LocalServer, localServer, wav } from '../support/media';
import { NodeRedProcess } from '../support/node-red-process';
import { requireProgram } from '../support/real-parts';
import { READER_AUTH, SidebarPage, tokenOf } from '../support/sidebar';
import { STRANGER, TRUSTED } from '../support/sign';
import { until } from '../support/until';

/** 1 MB. */
const BYTES = wav({ seconds: 62, seed: 7 });
const HALF = BYTES.length / 2;
const TAB2 = 'tab0000000000002';

function download(id: string, properties: object): ReturnType<typeof node> {
  return node(id, 'telnyx-recording-download', {
    name: id,
    account: 'account',
    dailyAccount: '',
    destination: 'folder',
    folder: 'archive',
    filename: '{{recording_id}}.{{ext}}',
    format: 'any',
    network: 'any',
    ...{ x: 500, wires: [['seen']], ...properties }
  });
}

describe('the tab "Now" of the sidebar', function () {
  this.timeout(240_000);
  let telnyx: TelnyxStandIn;
  let media: LocalServer;
  let nodeRed: NodeRedProcess;
  let editor: EditorPage;
  let sidebar: SidebarPage;
  const slow: ServerResponse[] = [];

  before('a browser, a source, and Node-RED with the built package', async function () {
    const browser = requireProgram(this, '/usr/bin/chromium');
    telnyx = new TelnyxStandIn();
    await telnyx.start();
    media = await localServer((request, response) => {
      const { url = '' } = request;
      if (url.startsWith('/busy')) response.writeHead(503).end();
      else if (!url.startsWith('/slow')) response.writeHead(404).end();
      else {
        response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': BYTES.length });
        response.write(BYTES.subarray(0, HALF));
        slow.push(response);
      }
    });
    nodeRed = await NodeRedProcess.start({
      flow: [
        tab(),
        { ...tab(), id: TAB2, label: 'Elsewhere' },
        account({
          publicKeys: TRUSTED.publicKey,
          apiUrl: telnyx.apiUrl,
          credentials: { apiKey: telnyx.apiKey }
        }),
        webhookIn({ name: 'Calls', x: 200, y: 100, wires: [['archive']] }),
        {
          ...webhookIn({ name: 'Night calls', x: 200, y: 200, path: '/night', wires: [['patient']] }),
          id: 'night'
        },
        download('archive', { y: 100, retries: 0 }),
        download('patient', { y: 200, retries: 8 }),
        ...recorder().map((each, at) => ({ ...each, x: 640, y: 420 + 60 * at }))
      ],
      settingsCode: READER_AUTH
    });
    editor = await EditorPage.open(nodeRed, browser);
    sidebar = new SidebarPage(editor, nodeRed);
  });

  after(async () => {
    await (editor as EditorPage | undefined)?.close();
    await (nodeRed as NodeRedProcess | undefined)?.stop();
    await (telnyx as TelnyxStandIn | undefined)?.stop();
    await (media as LocalServer | undefined)?.close();
  });

  const post = async ({ body, headers }: Delivery, path = '/telnyx'): Promise<number> => {
    const response = await fetch(nodeRed.url + path, {
      method: 'POST',
      body: Uint8Array.from(body),
      headers
    });
    await response.arrayBuffer();
    return response.status;
  };
  const saved = (id: string, file: string): Delivery =>
    jsonDelivery(
      JSON.stringify({
        data: {
          record_type: 'event',
          event_type: 'call.recording.saved',
          id: `event of ${id}`,
          occurred_at: new Date().toISOString(),
          payload: {
            recording_id: id,
            channels: 'dual',
            from: '+12025550123',
            recording_urls: { wav: `${media.url}/${file}.wav?signature=secret` }
          }
        }
      })
    );
  const row = (text: string): Locator => sidebar.at('[role=listitem]').filter({ hasText: text });
  const total = (name: string): Promise<string> => sidebar.at(`[data-name="${name}"] strong`).innerText();
  const has = (name: string, value: string): Promise<true> =>
    until(`${value} ${name}`, async () => ((await total(name)) === value ? true : undefined), {
      deadline: 30_000
    });

  it('shows deliveries as they come, and why one is refused', async () => {
    await sidebar.open('now');
    await sidebar.at('.telnyx-sidebar-note').filter({ hasText: 'Nothing has arrived' }).waitFor();
    await sidebar.shoot('now-empty');
    const delivery = jsonDelivery(holdEvent('first'));
    should(await post(delivery)).equal(200);
    await row('call.hold').filter({ hasText: 'Ed25519' }).waitFor();
    should(await post(delivery)).equal(200);
    await row('call.hold').filter({ hasText: 'duplicate' }).waitFor();
    for (const id of ['forged', 'also forged'])
      should(await post(jsonDelivery(holdEvent(id), { key: STRANGER }), '/night')).equal(401);
    const refused = row('SIGNATURE_MISMATCH');
    await refused.filter({ hasText: '2 times' }).waitFor();
    should(await refused.count()).equal(1);
    should(await refused.innerText())
      .match(/wrong key/)
      .and.match(/Night calls/);
    await has('refused', '2');
    should([await total('accepted'), await total('duplicates')]).deepEqual(['1', '1']);
    should(await row('Calls').first().innerText()).match(/last delivery/);
  });

  it('shows how far a download is', async () => {
    await post(saved('rec-slow', 'slow'));
    const file = sidebar.at('[role=listitem]:has(progress)').filter({ hasText: 'rec-slow' });
    await file.filter({ hasText: '50%' }).waitFor();
    should(
      await file.locator('progress').evaluate((bar) => (bar as unknown as { value: number }).value)
    ).be.within(0.45, 0.55);
    should(await file.innerText()).match(/of 992 kB/);
    let sent = HALF;
    const drip = setInterval(() => {
      for (const response of slow) response.write(BYTES.subarray(sent, sent + 10_000));
      sent += 10_000;
    }, 100);
    try {
      await file.filter({ hasText: /\d (kB|B)\/s · .* left/ }).waitFor();
      await sidebar.shoot('now-download');
    } finally {
      clearInterval(drip);
    }
    for (const response of slow.splice(0)) response.end(BYTES.subarray(sent));
    await file.waitFor({ state: 'detached' });
    await has('stored', '1');
    should(await total('bytes')).equal('992 kB');
  });

  it('shows why a job waits, and until when', async () => {
    await post(saved('rec-busy', 'busy'), '/night');
    const waiting = row('rec-busy').filter({ hasText: 'next attempt in' });
    await waiting.waitFor();
    should(await waiting.innerText())
      .match(/retry \d\/8/)
      .and.match(/source/);
  });

  it('tries again what was given up, once it can be had', async () => {
    await post(saved('rec-gone', 'gone'));
    const lost = row('rec-gone').filter({ hasText: 'Retry' });
    await lost.waitFor();
    await has('failed', '1');
    await sidebar.shoot('now-busy');
    telnyx.addRecording({ id: 'rec-gone', formats: ['wav'] });
    await lost.getByRole('button', { name: 'Retry' }).click();
    await has('stored', '2');
    await lost.waitFor({ state: 'detached' });
    const messages = await nodeRed.messages(2);
    should(messages.map(({ recording }) => recording?.['recording_id'])).containEql('rec-gone');
  });

  it('discards what was given up, after a second click', async () => {
    await post(saved('rec-lost', 'lost'));
    const lost = row('rec-lost').filter({ hasText: 'GAVE_UP' });
    await lost.getByRole('button', { name: 'Discard' }).click();
    await lost.getByText('Sure?').click();
    await lost.waitFor({ state: 'detached' });
    await sidebar.leave();
    await sidebar.open('now');
    await row('call.hold').first().waitFor();
    should(await row('Discard').count()).equal(0);
  });

  it('goes to the node of a row', async () => {
    await editor.page.evaluate(`RED.workspaces.show('${TAB2}')`);
    await row('call.hold').first().getByRole('button').click();
    should(await editor.page.evaluate('RED.workspaces.active()')).equal(tab().id);
  });

  it('neither asks nor listens while it is closed', async () => {
    await sidebar.leave();
    const asked: string[] = [];
    const listen = (request: { url(): string }): number => asked.push(request.url());
    editor.page.on('request', listen);
    await post(jsonDelivery(holdEvent()));
    await editor.page.evaluate('new Promise((resolve) => $.getJSON("settings", resolve))');
    editor.page.off('request', listen);
    should(asked.filter((url) => url.includes('telnyx-sidebar'))).deepEqual([]);
    should(await editor.page.evaluate("document.querySelectorAll('.telnyx-sidebar-list').length")).equal(0);
  });

  it('keeps the list short, however many deliveries come', async () => {
    await sidebar.open('now');
    for (let at = 0; at < 8; at += 1)
      await Promise.all(Array.from({ length: 50 }, () => post(jsonDelivery(holdEvent()))));
    await has('accepted', '406');
    should(await row('call.hold').count()).be.belowOrEqual(200);
    await sidebar.at('button').filter({ hasText: 'Older ones' }).waitFor();
  });

  it('fits into the width of a phone', async () => {
    await sidebar.resize(300);
    const tooWide = `[...document.querySelectorAll('.telnyx-sidebar, .telnyx-sidebar *')]
      .filter((each) => each.getBoundingClientRect().right > document.querySelector('.telnyx-sidebar').getBoundingClientRect().right + 1)
      .map((each) => each.className)`;
    should(await editor.page.evaluate(tooWide)).deepEqual([]);
    await sidebar.shoot('now-narrow');
  });

  it('leaves out the buttons of what a user may not do', async () => {
    await post(saved('rec-left', 'left'));
    await row('rec-left').filter({ hasText: 'Retry' }).waitFor();
    const token = await tokenOf(nodeRed, 'reader');
    for (const what of ['retry', 'discard']) {
      const response = await nodeRed.admin(`telnyx-sidebar/given-up/${what}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}` },
        body: JSON.stringify({ recordings: ['archive x'] })
      });
      should(response.status).equal(401);
    }
    await sidebar.becomeReader();
    await sidebar.open('now');
    await row('rec-left').waitFor();
    should(
      await sidebar
        .at('.telnyx-sidebar-section button')
        .filter({ hasText: /Retry|Discard/ })
        .count()
    ).equal(0);
    await sidebar.shoot('now-reader');
  });

  it('asks again after Node-RED was restarted, and knows the counts of before', async () => {
    const before = await total('accepted');
    await nodeRed.restart();
    await until(
      'the end of all rows',
      async () => ((await row('call.hold').count()) === 0 ? true : undefined),
      {
        deadline: 60_000
      }
    );
    should(await total('accepted')).equal(before);
    should(nodeRed.log).not.match(/signature=secret/);
  });

  it('has no error in the console', () => {
    // While Node-RED restarts, nothing can be reached.
    should(editor.errors.filter((text) => !/ERR_CONNECTION|WebSocket|Failed to load/.test(text))).deepEqual(
      []
    );
  });
});
