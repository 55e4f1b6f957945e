import should from 'should';
import { ALL_DIALOGS, AllDialogs, OUR_NODES } from '../support/all-dialogs';
import type { EditorPage } from '../support/editor-page';
import { useEditor } from '../support/use-editor';

const TRANSLATIONS = ['de', 'es', 'fr', 'ja', 'ko', 'pt-BR', 'zh-CN'];

describe('the dialogs of all nodes', function () {
  this.timeout(120_000);
  let editor: EditorPage;
  let dialogs: AllDialogs;

  useEditor({ flow: ALL_DIALOGS }, (opened) => {
    ({ editor } = opened);
    dialogs = new AllDialogs(editor);
  });

  for (const width of [1280, 900]) {
    for (const each of OUR_NODES) {
      it(`${each.type} fits a window of ${width} pixels, and every field has a name`, async () => {
        await editor.page.setViewportSize({ width, height: 900 });
        should(await dialogs.whileOpen(each, () => dialogs.faults())).deepEqual([]);
      });
    }
  }

  it('belong to nodes whose labels fit into one line of the palette', async () => {
    should(await dialogs.wrappedLabels()).deepEqual([]);
  });

  for (const language of TRANSLATIONS) {
    it(`fit in ${language}, too`, async () => {
      await editor.page.evaluate(`localStorage.setItem('editor-language', '${language}')`);
      await editor.page.reload();
      await editor.page.locator('.red-ui-flow-node-group').first().waitFor();
      await editor.page.locator('#red-ui-loading-progress').waitFor({ state: 'hidden' });
      const faults = [];
      // Most languages need more room than English: a label may take a second line there.
      for (const each of OUR_NODES)
        faults.push(
          ...(await dialogs.whileOpen(each, () => dialogs.faults()))
            .filter((fault) => !fault.startsWith('two lines'))
            .map((fault) => `${each.type} ${fault}`)
        );
      should(faults).deepEqual([]);
      should(await dialogs.wrappedLabels()).deepEqual([]);
      await editor.page.evaluate("localStorage.removeItem('editor-language')");
    });
  }

  it('cause no error in the console', () => {
    should(editor.errors).deepEqual([]);
  });
});
