import should from 'should';
import { TelnyxStandIn } from '../../src/simulator/stand-in';
import { axeFindings } from '../support/axe';
import { EditorPage } from '../support/editor-page';
import { account, config, node, recorder, tab, webhookIn } from '../support/flows';
import { NodeRedProcess } from '../support/node-red-process';
import { requireProgram } from '../support/real-parts';
import { READER_AUTH, SidebarPage } from '../support/sidebar';
import { until } from '../support/until';

const DAY = 86_400_000;

/** Somebody who wants to know how long a recording is kept, and what happened to it. */
describe('what the tab Archive tells of a recording that is kept', function () {
  this.timeout(180_000);
  let standIn: TelnyxStandIn;
  let nodeRed: NodeRedProcess;
  let editor: EditorPage;
  let sidebar: SidebarPage;

  before('a browser, and a Node-RED that has stored a recording under a policy', async function () {
    const browser = requireProgram(this, '/usr/bin/chromium');
    standIn = new TelnyxStandIn();
    await standIn.start();
    nodeRed = await NodeRedProcess.start({
      settingsCode: READER_AUTH,
      flow: [
        tab(),
        account({ publicKeys: standIn.publicKey, apiUrl: standIn.apiUrl }),
        config('keep', 'telnyx-retention', {
          ...{ name: '', policy: 'Calls of sales', keepUntil: '365', deleteAfter: '730', rules: [] }
        }),
        webhookIn({ x: 200, y: 100, wires: [['archive']] }),
        node('archive', 'telnyx-recording-download', {
          ...{ account: 'account', destination: 'folder', folder: 'archive', retention: 'keep' },
          ...{ filename: '{{recording_id}}.{{ext}}', format: 'any', sidecar: true, network: 'any' },
          ...{ answer: 'never', name: 'the archive', x: 400, y: 100, wires: [['seen']] }
        }),
        ...recorder()
      ]
    });
    const address = new URL(nodeRed.nodePath('/telnyx'), nodeRed.url).href;
    const sent = standIn.sample('call.recording.saved', {
      formats: ['wav'],
      seconds: 1,
      startedAt: Date.now() - DAY
    });
    should(await standIn.deliver(sent, address)).have.property('accepted', true);
    await nodeRed.messages(1);
    editor = await EditorPage.open(nodeRed, browser);
    editor.page.setDefaultTimeout(60_000);
    sidebar = new SidebarPage(editor, nodeRed);
    await sidebar.open('archive');
    await sidebar.at('.telnyx-sidebar-row').waitFor();
  });

  after(async () => {
    // They are missing when there is no browser.
    await (editor as EditorPage | undefined)?.close();
    await (nodeRed as NodeRedProcess | undefined)?.stop();
    await (standIn as TelnyxStandIn | undefined)?.stop();
  });

  const dayOf = (days: number): string =>
    new Date(Date.now() - DAY + days * DAY).toLocaleString('en-US', { dateStyle: 'medium' });
  const expectAccessible = async (): Promise<void> =>
    void should(await axeFindings(editor.page, ['.telnyx-sidebar'])).deepEqual([]);

  it('says in each row until when', async () => {
    const kept = await sidebar.at('.telnyx-sidebar-kept').innerText();
    should(kept).equal(`kept until ${dayOf(365)} · to be deleted after ${dayOf(730)}`);
    await expectAccessible();
    await sidebar.shoot('archive-kept-list');
  });

  it('says which policy, and what the custody log tells, with the keyboard alone', async () => {
    await sidebar.at('.telnyx-sidebar-row').focus();
    await editor.page.keyboard.press('Enter');
    await sidebar.at('dd:has-text("Calls of sales")').waitFor();
    should(await sidebar.at('.telnyx-sidebar-log li').count()).equal(0);
    await sidebar.at('summary').focus();
    await editor.page.keyboard.press('Enter');
    await sidebar.at('.telnyx-sidebar-log li').first().waitFor();
    const lines = await sidebar.at('.telnyx-sidebar-log strong').allInnerTexts();
    // A delivery is entered after its answer, so a quick download may come first.
    should(lines).containEql('Announced by the provider').and.containEql('Stored');
    should(await sidebar.at('.telnyx-sidebar-log').innerText()).containEql('the archive');
    await until('the end', async () =>
      (await sidebar.at('details [role=status]').innerText()) === 'This is all that the log tells.'
        ? true
        : undefined
    );
    await expectAccessible();
    await sidebar.shoot('archive-kept-recording');
    await sidebar.resize(200);
    await expectAccessible();
    await sidebar.shoot('archive-kept-narrow');
    const widths = await editor.page.evaluate<number[]>(
      "(({ scrollWidth, clientWidth }) => [scrollWidth, clientWidth])(document.querySelector('.telnyx-sidebar-panel'))"
    );
    should(widths[0]).be.belowOrEqual(widths[1]!);
    await sidebar.resize(350);
  });

  it('has no error in the console', () => {
    should(editor.errors).deepEqual([]);
  });
});
