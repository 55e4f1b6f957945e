import type { Locator } from 'playwright-core';
import should from 'should';
import { type Delivery, holdEvent, jsonDelivery } from '../support/deliveries';
import { EditorPage } from '../support/editor-page';
import { account, recorder, tab, webhookIn } from '../support/flows';
import { type FlowNode, NodeRedProcess } from '../support/node-red-process';
import { requireProgram } from '../support/real-parts';
import { READER_AUTH, SidebarPage } from '../support/sidebar';
import { TRUSTED } from '../support/sign';
import { until } from '../support/until';

/** More than are replayed in the moment that a test needs to stop it. */
const MANY = 150;

/** A user who looks for what a flow got, and has it sent again. */
describe('the tab Deliveries of the sidebar', function () {
  this.timeout(240_000);
  let nodeRed: NodeRedProcess;
  let editor: EditorPage;
  let sidebar: SidebarPage;

  const flow = (): FlowNode[] => [
    tab(),
    account({ publicKeys: TRUSTED.publicKey }),
    webhookIn({ name: 'Calls', x: 200, y: 100 }),
    { ...webhookIn({ name: 'Gone', x: 200, y: 200, path: '/gone' }), id: 'gone' },
    ...recorder().map((each, at) => ({ ...each, x: 640, y: 420 + 60 * at }))
  ];

  before('a browser, and Node-RED with the built package', async function () {
    const browser = requireProgram(this, '/usr/bin/chromium');
    nodeRed = await NodeRedProcess.start({ flow: flow(), settingsCode: READER_AUTH });
    editor = await EditorPage.open(nodeRed, browser);
    editor.page.setDefaultTimeout(60_000);
    sidebar = new SidebarPage(editor, nodeRed);
  });

  after(async () => {
    // They are missing when there is no browser.
    await (editor as EditorPage | undefined)?.close();
    await (nodeRed as NodeRedProcess | undefined)?.stop();
  });

  const post = async ({ body, headers }: Delivery, path = '/telnyx'): Promise<void> => {
    const response = await fetch(nodeRed.url + path, {
      method: 'POST',
      body: Uint8Array.from(body),
      headers
    });
    await response.arrayBuffer();
    should(response.status).equal(200);
  };
  const saved = (id: string): Delivery =>
    jsonDelivery(
      JSON.stringify({
        data: {
          record_type: 'event',
          event_type: 'call.recording.saved',
          id: `event of ${id}`,
          occurred_at: new Date().toISOString(),
          payload: {
            recording_id: id,
            from: '+15550100199',
            to: '+15550100101',
            recording_urls: { wav: 'https://media.example.com/rec.wav?X-Amz-Signature=geheim' }
          }
        }
      })
    );
  const rows = (): Locator => sidebar.at('.telnyx-sidebar-rows > li');
  const row = (text: string): Locator => rows().filter({ hasText: text });
  const count = (wanted: number): Promise<true> =>
    until(`${wanted} rows`, async () => ((await rows().count()) === wanted ? true : undefined), {
      deadline: 30_000
    });
  const search = (label: string, text: string): Promise<void> =>
    sidebar.at(`.telnyx-sidebar-field:has-text("${label}") input`).fill(text);
  const box = (text: string): Locator => row(text).locator('input[type=checkbox]');
  const ending = (text: string): Promise<void> =>
    sidebar.at(`.telnyx-sidebar-replay:has-text("${text}")`).waitFor({ timeout: 60_000 });
  const replayed = async (): Promise<string[]> =>
    (await nodeRed.messages(0)).flatMap(({ event }) =>
      event?.['replayed'] === true ? [String(event['id'])] : []
    );

  it('says what to do while there is nothing', async () => {
    await sidebar.open('deliveries');
    await sidebar
      .at('[role=status]:has-text("What webhook nodes accept from now on appears here")')
      .waitFor();
    await sidebar.shoot('deliveries-empty');
  });

  it('shows deliveries as they come, the latest at the top', async () => {
    await post(saved('rec-1'));
    await row('call.recording.saved').waitFor();
    should(await row('call.recording.saved').innerText())
      .match(/\+15550100199 → \+15550100101/)
      .and.match(/\/telnyx/);
    await post(jsonDelivery(holdEvent('hold-1')));
    await post(jsonDelivery(holdEvent('hold-2')), '/gone');
    await count(3);
    should(await rows().first().innerText()).match(/call\.hold.*\/gone/s);
    await sidebar.shoot('deliveries-list');
  });

  it('finds by number, type and path', async () => {
    await search('Number', '+1 (555) 010-0199');
    await count(1);
    await search('Number', '');
    await search('Event types', 'call.hold');
    await count(2);
    await search('Number', '/gone');
    await count(1);
    await search('Number', 'nothing of the kind');
    await count(0);
    await sidebar.at('[role=status]:has-text("Nothing found")').waitFor();
    await search('Number', '');
    await search('Event types', '');
    await count(3);
  });

  it('shows the message and its proof with the keyboard, without what signs links', async () => {
    await row('call.recording.saved').locator('button').focus();
    await editor.page.keyboard.press('Enter');
    const view = sidebar.at('.telnyx-sidebar-delivery');
    await view.locator('pre').first().waitFor();
    const text = await view.innerText();
    should(text)
      .match(/Ed25519/)
      .and.match(/Key 1 of the account/)
      .and.match(/[0-9a-f]{64}/)
      .and.match(/event of rec-1/)
      .and.match(/telnyx-timestamp/);
    should(await view.locator('pre').first().innerText()).match(
      /"wav": "https:\/\/media\.example\.com\/rec\.wav\?…"/
    );
    should(await editor.page.content()).not.match(/geheim/);
    await view.locator('summary:has-text("msg.event")').click();
    should(await view.locator('pre:visible').nth(1).innerText()).match(
      /"event_type": "call.recording.saved"/
    );
    await sidebar.shoot('deliveries-details');
    await view.locator('.telnyx-sidebar-node:has-text("Calls")').click();
    await view.locator('button').first().focus();
    await editor.page.keyboard.press('Escape');
    should(await view.count()).equal(0);
    should(await editor.page.evaluate('document.activeElement.className')).equal('telnyx-sidebar-row');
  });

  it('replays what is chosen after a question, and shows how it ends', async () => {
    const button = sidebar.at('.telnyx-sidebar-bar button:has-text("Replay")').first();
    should(await button.isDisabled()).be.true();
    await box('call.recording.saved').check();
    await sidebar.at('[role=status]:has-text("1 chosen")').waitFor();
    await button.click();
    const asking = sidebar.at('[role=alertdialog]');
    should(await asking.innerText()).match(/Send the chosen deliveries \(1\) to the flow again/);
    await sidebar.shoot('deliveries-question');
    await asking.locator('button:has-text("Cancel")').click();
    should(await asking.isVisible()).be.false();
    await button.click();
    await asking.locator('button:has-text("Replay")').click();
    await ending('Replay complete: 1 of 1 sent.');
    should(await replayed()).deepEqual(['event of rec-1']);
    await until('the note', () => /replays 1 delivery, received from/.test(nodeRed.log) || undefined);
    await count(3);
    await sidebar.at('button:has-text("Choose none")').click();
  });

  it('chooses all that match, and replays them in order, one replay at a time', async () => {
    for (let number = 0; number < MANY; number += 1) await post(jsonDelivery(holdEvent(`many-${number}`)));
    await search('Number', 'many-');
    await row('call.recording.saved').waitFor({ state: 'detached' });
    await until('many rows', async () => ((await rows().count()) >= 50 ? true : undefined));
    await sidebar.at('button:has-text("Choose all that match")').click();
    await sidebar.at(`[role=status]:has-text("${MANY} chosen")`).waitFor();
    await sidebar.at('.telnyx-sidebar-bar button:has-text("Replay")').first().click();
    await sidebar.at('[role=alertdialog] button:has-text("Replay")').click();
    // Both answers are those of the runtime: the second one comes while the first replay runs.
    await sidebar.at('.telnyx-sidebar-bar button:has-text("Replay")').first().click();
    await sidebar.at('[role=alertdialog] button:has-text("Replay")').click();
    await sidebar
      .at('[role=alert]:has-text("running already"), .telnyx-sidebar-replay:has-text("complete")')
      .waitFor();
    await ending('Replay complete');
    const got = (await replayed()).filter((id) => id.startsWith('many-'));
    should(got.slice(0, MANY)).deepEqual(Array.from({ length: MANY }, (_value, at) => `many-${at}`));
    await search('Number', '');
  });

  it('tells what belongs to a deleted node', async () => {
    await nodeRed.deploy(flow().filter(({ id }) => id !== 'gone'));
    await sidebar.reload();
    await sidebar.open('deliveries');
    await search('Number', 'hold-2');
    await row('node does not run').waitFor();
    should(await box('call.hold').isDisabled()).be.true();
    await row('call.hold').locator('button').click();
    const view = sidebar.at('.telnyx-sidebar-delivery');
    await view.locator('.telnyx-sidebar-node:has-text("deleted node")').waitFor();
    should(await view.locator('button:has-text("Replay")').count()).equal(0);
    should(await view.innerText()).match(/use a delivery list node/);
    await sidebar.at('button:has-text("Back")').click();
    await search('Number', '');
  });

  it('fits a phone', async () => {
    await sidebar.resize(400);
    await until('rows', async () => ((await rows().count()) > 3 ? true : undefined));
    await sidebar.shoot('deliveries-400');
    await sidebar.resize(220);
    await sidebar.shoot('deliveries-narrow');
    const widths = await editor.page.evaluate<number[]>(
      "(({ scrollWidth, clientWidth }) => [scrollWidth, clientWidth])(document.querySelector('.telnyx-sidebar-panel'))"
    );
    should(widths[0]).be.belowOrEqual(widths[1]!);
    await sidebar.resize(350);
  });

  it('has nothing to change for a user who may only read', async () => {
    await sidebar.becomeReader();
    await sidebar.open('deliveries');
    await until('rows', async () => ((await rows().count()) > 3 ? true : undefined));
    should(await sidebar.at('input[type=checkbox]').count()).equal(0);
    should(await sidebar.at('button:has-text("Replay"):visible').count()).equal(0);
    await rows().first().locator('button').click();
    await sidebar.at('.telnyx-sidebar-delivery pre').first().waitFor();
    should(await sidebar.at('.telnyx-sidebar-delivery button:has-text("Replay")').count()).equal(0);
    await sidebar.shoot('deliveries-reader');
  });

  it('asks for nothing once it is closed', async () => {
    await sidebar.leave();
    const asked: string[] = [];
    editor.page.on('request', (request) => asked.push(request.url()));
    await post(jsonDelivery(holdEvent('unseen')));
    await nodeRed.messages(1);
    should(asked.filter((url) => url.includes('telnyx-sidebar/deliveries'))).deepEqual([]);
  });

  it('has no error in the console', () => {
    // That of the second replay is the answer to a button.
    should(editor.errors.filter((error) => !/status of 400/.test(error))).deepEqual([]);
  });
});
