import should from 'should';
import { AllDialogs, OUR_NODES } from '../support/all-dialogs';
import { EditorPage } from '../support/editor-page';
import { LIVELY_FLOW, LivelyTelephone } from '../support/lively-flow';
import { logIn, THREE_USERS } from '../support/logins';
import { NodeRedProcess } from '../support/node-red-process';
import { requireProgram } from '../support/real-parts';
import { SidebarPage } from '../support/sidebar';

/** The ids of the visible buttons of a dialog that make the runtime do something. */
const BUTTONS = `[...document.querySelectorAll('.red-ui-tray form button')]
  .filter((each) => /-(test|run|sample-open|list)$/.test(each.id) && each.getClientRects().length > 0)
  .map(({ id }) => id)`;

const TABS = {
  admin: ['now', 'archive', 'deliveries'],
  reader: ['now', 'archive', 'deliveries'],
  guest: ['now']
} as const;

describe('the editor of users who may not do everything', function () {
  this.timeout(180_000);
  let browser: string;
  let nodeRed: NodeRedProcess;
  let phone: LivelyTelephone | undefined;

  before('a browser, and Node-RED with three users, below other roots', async function () {
    browser = requireProgram(this, '/usr/bin/chromium');
    nodeRed = await NodeRedProcess.start({
      ...{ flow: LIVELY_FLOW, settings: { adminAuth: THREE_USERS } },
      ...{ httpAdminRoot: '/admin', httpNodeRoot: '/api' }
    });
    phone = await LivelyTelephone.call(nodeRed);
  });
  after(async () => {
    await phone?.end();
    await (nodeRed as NodeRedProcess | undefined)?.stop();
  });

  for (const user of ['admin', 'reader', 'guest'] as const) {
    describe(user, () => {
      let editor: EditorPage;
      let sidebar: SidebarPage;
      const refused: string[] = [];

      before(async () => {
        editor = await EditorPage.open(nodeRed, browser, { tokens: await logIn(nodeRed, user) });
        editor.page.on('response', (response) => {
          if (response.status() >= 400) refused.push(`${response.status()} ${response.url()}`);
        });
        sidebar = new SidebarPage(editor, nodeRed);
      });
      after(() => (editor as EditorPage | undefined)?.close());

      it('finds the buttons in the dialogs that belong to the permissions', async () => {
        const dialogs = new AllDialogs(editor);
        const found: string[] = [];
        for (const node of OUR_NODES)
          found.push(...(await dialogs.whileOpen(node, () => editor.page.evaluate<string[]>(BUTTONS))));
        if (user === 'admin') should(found.length).be.above(8);
        else should(found).deepEqual([]);
      });

      it('finds the tabs of the sidebar that belong to the permissions', async () => {
        await sidebar.open('now');
        await sidebar.at('[role=listitem]:has-text("rec-lost")').first().waitFor();
        const tabs = await editor.page.evaluate<string[]>(
          "[...document.querySelectorAll('.telnyx-sidebar-tab')].map(({ id }) => id.split('-').at(-1))"
        );
        should(tabs).deepEqual(TABS[user]);
        const writes =
          (await sidebar.at('[role=listitem] .telnyx-sidebar-actions button').count()) +
          (await sidebar.at('.telnyx-sidebar-sample').count());
        if (user === 'admin') should(writes).be.above(2);
        else should(writes).equal(0);
        if (user === 'guest') return;
        await sidebar.open('archive');
        await sidebar.at('.telnyx-sidebar-row:has(.fa-play, .fa-volume-up)').first().click();
        await sidebar.at('audio[src]').waitFor();
        await sidebar.open('deliveries');
      });

      it('is refused nothing, and has no error in the console', () => {
        should([...refused, ...editor.errors]).deepEqual([]);
      });
    });
  }
});
