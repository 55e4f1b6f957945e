import { encode } from '../png/encode';
import { type Album, NOW, type Scene, Studio } from '../studio';

const EXAMPLE = 'Try it without an account';
const PACKAGE = '@red-telephony/node-red-telnyx';

/** Somebody without an account, from the import of an example to the first stored file. */
export const NEWCOMER: Scene = {
  pictures: ['import-example.png', 'send-sample.png', 'stored.png'],
  take: async (browser, album) => {
    const studio = await Studio.open(browser);
    try {
      await importExample(studio, album);
      await studio.setClock(NOW);
      await sendSample(studio, album);
      await lookAtMessage(studio, album);
    } finally {
      await studio.close();
    }
  }
};

async function importExample(studio: Studio, album: Album): Promise<void> {
  const { page, editor } = studio;
  await page.locator('#red-ui-header-button-sidemenu').click();
  await page.locator('#menu-item-import').click();
  const dialog = page.locator('#red-ui-clipboard-dialog');
  for (const text of ['Examples', PACKAGE, '1 Start here', EXAMPLE])
    await dialog.getByText(text, { exact: true }).first().click();
  album(
    'import-example.png',
    encode(await studio.look(page.locator('.ui-dialog:has(#red-ui-clipboard-dialog)')))
  );
  await page.locator('#red-ui-clipboard-dialog-cancel').click();
  await editor.importExample(EXAMPLE);
  await editor.deploy();
}

async function sendSample(studio: Studio, album: Album): Promise<void> {
  const { page, editor } = studio;
  await page.evaluate("RED.sidebar.show('debug')");
  await page.locator('#red-ui-sidebar-debug-clear').click();
  await studio.editWide(await editor.idOf('Made-up calls'), 860);
  await page.getByRole('button', { name: 'Send a sample' }).click();
  const panel = page.locator('.telnyx-sample');
  await panel.locator('[role=option]').first().waitFor();
  await panel.getByRole('button', { name: 'Send' }).click();
  await panel.getByRole('status').getByText('went to the flow').waitFor();
  await panel.scrollIntoViewIfNeeded();
  album('send-sample.png', await studio.dialog());
  await studio.cancel();
}

async function lookAtMessage(studio: Studio, album: Album): Promise<void> {
  const { page } = studio;
  const window = { width: 1200, height: 640 };
  await page.setViewportSize(window);
  await studio.hidePalette();
  await page.evaluate("RED.sidebar.show('debug')");
  // The click on a tab may have moved its row.
  await page.evaluate(
    "document.querySelectorAll('.red-ui-tabs, .red-ui-tabs *').forEach((each) => (each.scrollTop = 0))"
  );
  const message = page.locator('.red-ui-debug-msg', { hasText: 'stored file' }).last();
  await message.locator('.red-ui-debug-msg-object-header').first().click();
  // The details are a long list: its end says where the file is, and what it holds.
  await message.getByText('sha256').first().scrollIntoViewIfNeeded();
  album('stored.png', encode(await studio.look({ x: 0, y: 0, ...window })));
}
