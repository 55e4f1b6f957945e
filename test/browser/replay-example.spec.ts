import path from 'node:path';
import should from 'should';
import { TelnyxStandIn } from '../../src/simulator/stand-in';
import { EditorPage } from '../support/editor-page';
import { account, tab, webhookIn } from '../support/flows';
import { SETTABLE_CLOCK, setClock } from '../support/node-clock';
import { NodeRedProcess } from '../support/node-red-process';
import { requireProgram } from '../support/real-parts';

const EXAMPLE = "Replay yesterday's deliveries";
const DAY = 86_400_000;

/** What Telnyx sends on each day, counted from today. */
const SENT: readonly (readonly [day: number, ...events: string[]])[] = [
  [-2, 'call.hangup'],
  [-1, 'message.received', 'call.answered'],
  [0, 'call.initiated']
];

/** A person whose flow was broken yesterday. */
describe('replaying yesterday from the editor', function () {
  this.timeout(180_000);
  let standIn: TelnyxStandIn;
  let nodeRed: NodeRedProcess;
  let editor: EditorPage;

  before('a browser, and a Node-RED that has accepted deliveries for three days', async function () {
    const browser = requireProgram(this, '/usr/bin/chromium');
    let shift = 0;
    standIn = new TelnyxStandIn({ clock: () => Date.now() + shift });
    await standIn.start();
    nodeRed = await NodeRedProcess.start({
      flow: [tab(), account({ publicKeys: standIn.publicKey }), webhookIn({ wires: [[]] })],
      nodeArgs: SETTABLE_CLOCK
    });
    const address = new URL(nodeRed.nodePath('/telnyx'), nodeRed.url).href;
    for (const [day, ...events] of SENT) {
      shift = day * DAY;
      await setClock(nodeRed, shift);
      for (const event of events)
        should(await standIn.deliver(standIn.sample(event), address)).have.property('accepted', true);
    }
    editor = await EditorPage.open(nodeRed, browser);
    editor.page.setDefaultTimeout(60_000);
  });

  after(async () => {
    // They are missing when there is no browser.
    await (editor as EditorPage | undefined)?.close();
    await (nodeRed as NodeRedProcess | undefined)?.stop();
    await (standIn as TelnyxStandIn | undefined)?.stop();
  });

  afterEach(async function () {
    const folder = process.env['SCREENSHOTS'];
    if (folder === undefined) return;
    const name = `${this.currentTest?.title.replaceAll(/\W/g, '-') ?? 'test'}.png`;
    await editor.page.screenshot({ path: path.join(folder, name) });
  });

  it('shows its deliveries in the Debug sidebar, once the example is imported, deployed and clicked', async () => {
    const { page } = editor;
    await editor.importExample(EXAMPLE);
    await editor.deploy();
    await page.evaluate("RED.sidebar.show('debug')");
    const button = editor.node(await editor.idOf('yesterday')).locator('.red-ui-flow-node-button-button');
    await button.click();
    const messages = page.locator('.red-ui-debug-msg');
    await messages.filter({ hasText: '2 deliveries sent once more.' }).waitFor();
    const texts = await messages.allTextContents();
    const events = texts.filter((text) => text.includes('other event'));
    should(events).have.length(2);
    // In the order in which they occurred.
    should(events[0]).containEql('"message.received"');
    should(events[1]).containEql('"call.answered"');
    should(texts).have.length(3);
  });

  it('says so under the delivery list', async () => {
    const label = editor.node(await editor.idOf('Yesterday')).locator('.red-ui-flow-node-status-label');
    await label.filter({ hasText: '2 listed · 2 sent · complete' }).waitFor();
  });

  it('causes no error in the browser', () => {
    should(editor.errors).eql([]);
  });
});
