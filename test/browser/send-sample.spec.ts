import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Locator } from 'playwright-core';
import should from 'should';
import { EditorPage } from '../support/editor-page';
import { NodeRedProcess } from '../support/node-red-process';
import { SidebarPage } from '../support/sidebar';
import { requireProgram } from '../support/real-parts';
import { stopAtFailure } from '../support/steps';
import { until } from '../support/until';

const EXAMPLE = 'Try it without an account';
const WEBHOOK = 'Made-up calls';
/** From the first click in an empty editor until the recording is heard. */
const MOST_SECONDS = 90;
/** They leave a person more than two seconds for each, while the machine is quick. */
const MOST_CLICKS = 20;

/** An empty user directory, and a person who only clicks. */
describe('a sample sent from the dialog', function () {
  this.timeout(300_000);
  stopAtFailure();
  let nodeRed: NodeRedProcess;
  let editor: EditorPage;
  let sidebar: SidebarPage;
  let begun: number;

  before('a browser, and a Node-RED with the package installed', async function () {
    const browser = requireProgram(this, '/usr/bin/chromium');
    nodeRed = await NodeRedProcess.start();
    begun = performance.now();
    editor = await EditorPage.open(nodeRed, browser, { empty: true });
    editor.page.setDefaultTimeout(60_000);
    sidebar = new SidebarPage(editor, nodeRed);
  });

  after(async () => {
    // Both are missing when there is no browser.
    await (editor as EditorPage | undefined)?.close();
    await (nodeRed as NodeRedProcess | undefined)?.stop();
  });

  afterEach(async function () {
    const folder = process.env['SCREENSHOTS'];
    if (folder === undefined) return;
    const name = `sample-${this.currentTest?.title.replaceAll(/\W/g, '-') ?? 'test'}.png`;
    await editor.page.screenshot({ path: path.join(folder, name) });
  });

  const panel = (): Locator => editor.page.locator('.telnyx-sample');
  const search = (): Locator => panel().getByRole('combobox');
  const result = (): Locator => panel().getByRole('status');
  const chosen = (): Promise<string | null> =>
    panel().locator('[role=option][aria-selected=true]').getAttribute('data-event');

  async function open(name: string): Promise<void> {
    await editor.edit(await editor.idOf(name));
    const button = editor.page.getByRole('button', { name: 'Send a sample' });
    should(await button.getAttribute('aria-expanded')).equal('false');
    await button.click();
    should(await button.getAttribute('aria-expanded')).equal('true');
    await panel().locator('[role=option]').first().waitFor();
  }

  /** Whether a person sees it without scrolling. */
  const isInSight = (locator: Locator): Promise<boolean> =>
    locator.evaluate((element) => {
      const { left, top, width, height } = element.getBoundingClientRect();
      return element.contains(document.elementFromPoint(left + width / 2, top + height / 2));
    });

  /** Every click of this page, counted as a person would make it. */
  const clicks = (): Promise<number> => editor.page.evaluate<number>('window.clicks');

  it('is stored and heard within 90 seconds, without account, key and terminal', async () => {
    await editor.page.evaluate(
      "window.clicks = 0; addEventListener('pointerdown', () => { window.clicks += 1; }, true)"
    );
    await editor.importExample(EXAMPLE);
    await editor.node(await editor.idOf(WEBHOOK)).waitFor();
    await editor.deploy();
    await open(WEBHOOK);
    should(await chosen()).equal('call.recording.saved');
    // On a small screen the button may be the last thing to be seen.
    const send = panel().getByRole('button', { name: 'Send' });
    await send.evaluate((button) => button.scrollIntoView({ block: 'end' }));
    await send.click();
    const told = result().getByText('call.recording.saved went to the flow');
    await told.waitFor();
    should(await isInSight(told)).be.true();
    await editor.page.locator('#node-dialog-cancel').click();
    await editor.page.locator('.red-ui-tray').waitFor({ state: 'detached' });
    await editor.status('Store made-up recordings', /^1 stored$/);
    // Where the row of icons has no room for it, a person opens the menu beside them.
    const icon = editor.page.locator('#red-ui-tab-telnyx-sidebar-link-button');
    if (await icon.isVisible()) await icon.click();
    else await editor.page.evaluate("window.clicks += 2; RED.actions.invoke('telnyx-sidebar:show')");
    await sidebar.at('#telnyx-sidebar-tab-archive').click();
    await sidebar.at('.telnyx-sidebar-row').click();
    await sidebar.at('audio[src]').waitFor();
    await sidebar.at('audio').click({ position: { x: 26, y: 26 } });
    const heard = (): Promise<number> =>
      editor.page.evaluate("document.querySelector('.telnyx-sidebar audio').currentTime");
    await until('sound', async () => (await heard()) > 0.5 || undefined);
    const seconds = Math.round((performance.now() - begun) / 1000);
    console.log(`      (${await clicks()} clicks, ${seconds} s from opening the editor to the sound)`);
    should(seconds).be.below(MOST_SECONDS);
    should(await clicks()).be.belowOrEqual(MOST_CLICKS);
  });

  it('is a file with a sidecar that says so', () => {
    const folder = path.join(nodeRed.userDir, 'telnyx-trial');
    const files = readdirSync(folder, { recursive: true }).map(String);
    const [stored, ...others] = files.filter((name) => name.endsWith('.wav'));
    should(others).be.empty();
    const file = path.join(folder, stored ?? '');
    const sidecar = JSON.parse(readFileSync(`${file}.json`, 'utf8')) as Record<string, unknown>;
    should(sidecar['sha256']).equal(createHash('sha256').update(readFileSync(file)).digest('hex'));
    should(sidecar['sample']).be.true();
    should(path.basename(file)).containEql('sample-');
  });

  it('needs no account, so that nothing is marked as incomplete', async () => {
    const invalid = await editor.page.evaluate<unknown[]>(`(() => {
      const found = [];
      const judge = (node) => { if (node.valid === false) found.push([node.type, node.validationErrors]); };
      RED.nodes.eachNode(judge);
      RED.nodes.eachConfig(judge);
      return found;
    })()`);
    should(invalid).be.empty();
  });

  it('is no real recording for the example of a file name', async () => {
    await editor.edit(await editor.idOf('Store made-up recordings'));
    const from = editor.page.locator('#telnyx-recording-download-preview-from');
    await from.getByText('Made up, because no real recording is stored yet.').waitFor();
    const preview = editor.page.locator('#telnyx-recording-download-preview');
    should(await preview.textContent()).startWith('telnyx-trial/2026/03/04/');
    await editor.page.locator('#node-dialog-cancel').click();
    await editor.page.locator('.red-ui-tray').waitFor({ state: 'detached' });
  });

  it('finds any event with the keyboard alone', async () => {
    await open(WEBHOOK);
    await search().fill('no such event');
    await panel().getByText('No event has this in its name.').waitFor();
    should(await panel().getByRole('button', { name: 'Send' }).isDisabled()).be.true();
    await search().fill('recording');
    should(await chosen()).equal('call.recording.saved');
    await search().press('ArrowDown');
    should(await chosen()).equal('conference.recording.saved');
    should(await search().getAttribute('aria-activedescendant')).match(/conference\.recording\.saved$/);
    await search().press('ArrowUp');
    await search().fill('fax received');
    should(await chosen()).equal('fax.received');
    await search().press('Enter');
    await result().getByText('fax.received went to the flow').waitFor();
    const families = await panel().getByRole('group').allInnerTexts();
    should(families).have.length(1);
  });

  it('leaves the status honest, and fits into a narrow dialog', async () => {
    const width = await panel().evaluate((element) => element.scrollWidth - element.clientWidth);
    should(width).be.belowOrEqual(0);
    await editor.page.locator('#node-dialog-cancel').click();
    await editor.page.locator('.red-ui-tray').waitFor({ state: 'detached' });
    const label = editor.node(await editor.idOf(WEBHOOK)).locator('.red-ui-flow-node-status-label');
    should(await label.textContent()).equal('no public key');
    should(await editor.property(await editor.idOf(WEBHOOK), 'changed')).not.be.true();
  });

  it('goes through a webhook node from the sidebar, too', async () => {
    await sidebar.open('now');
    await sidebar.at('.telnyx-sidebar-sample summary').click();
    const node = sidebar.at('.telnyx-sidebar-sample > select');
    should(await node.locator('option').allInnerTexts()).eql([WEBHOOK]);
    await panel().getByText('call.recording.saved', { exact: true }).waitFor();
    await search().fill('call hangup');
    await search().press('Enter');
    await result().getByText('call.hangup went to the flow').waitFor();
    const width = await panel().evaluate((element) => element.scrollWidth - element.clientWidth);
    should(width).be.belowOrEqual(0);
  });

  it('needs a deploy first, and says so', async () => {
    await editor.importExample('Sample events');
    await open('Events');
    const inDialog = editor.page.locator('.red-ui-tray .telnyx-sample');
    await inDialog.getByRole('button', { name: 'Send' }).click();
    await inDialog.getByRole('status').getByText('Deploy first').waitFor();
    await editor.page.locator('#node-dialog-cancel').click();
    await editor.page.locator('.red-ui-tray').waitFor({ state: 'detached' });
  });

  it('causes no error in the browser', () => {
    // "Deploy first" is an answer of the runtime with 400, which the browser reports.
    should(editor.errors.filter((text) => !text.includes('status of 400'))).eql([]);
  });
});
