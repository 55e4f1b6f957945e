import should from 'should';
import type { EditorPage } from '../support/editor-page';
import { account, recorder, tab, webhookIn } from '../support/flows';
import type { NodeRedProcess } from '../support/node-red-process';
import { READER_AUTH, SidebarPage } from '../support/sidebar';
import { useEditor } from '../support/use-editor';

describe('the sidebar', function () {
  this.timeout(180_000);
  let nodeRed: NodeRedProcess;
  let editor: EditorPage;
  let sidebar: SidebarPage;

  useEditor(
    { flow: [tab(), account(), webhookIn({ x: 200, y: 100 }), ...recorder()], settingsCode: READER_AUTH },
    (opened) => {
      ({ nodeRed, editor } = opened);
      sidebar = new SidebarPage(editor, nodeRed);
    }
  );

  const labels = (): Promise<string[]> => sidebar.at('[role=tab]').allTextContents();
  const open = (): Promise<string[]> =>
    editor.page.evaluate(
      "[...document.querySelectorAll('.telnyx-sidebar-panel > *')].map((each) => each.className)"
    );

  it('builds nothing before it is shown', async () => {
    should(await open()).deepEqual([]);
    should(await labels()).deepEqual(['Now', 'Archive', 'Deliveries']);
  });

  it('opens a tab when it is shown, and closes it when something else is', async () => {
    await sidebar.open('now');
    should(await open()).deepEqual(['telnyx-sidebar-now']);
    await sidebar.leave();
    should(await open()).deepEqual([]);
    await sidebar.open('archive');
    should(await open()).deepEqual(['telnyx-sidebar-archive']);
  });

  it('is used with the keyboard', async () => {
    await sidebar.open('now');
    const chosen = sidebar.at('[role=tab][aria-selected=true]');
    await chosen.focus();
    for (const [key, label] of [
      ['ArrowRight', 'Archive'],
      ['End', 'Deliveries'],
      ['ArrowRight', 'Now'],
      ['ArrowLeft', 'Deliveries'],
      ['Home', 'Now']
    ] as const) {
      await editor.page.keyboard.press(key);
      should(await chosen.innerText()).equal(label);
      should(await editor.page.evaluate('document.activeElement.textContent')).equal(label);
    }
    should(await sidebar.at('[role=tab][tabindex="0"]').count()).equal(1);
  });

  it('shows the tab of last time', async () => {
    await sidebar.open('deliveries');
    await sidebar.reload();
    await editor.page.evaluate("RED.actions.invoke('telnyx-sidebar:show')");
    await sidebar.at('.telnyx-sidebar-deliveries').waitFor();
  });

  it('has no error in the console', () => {
    should(editor.errors).deepEqual([]);
  });
});
