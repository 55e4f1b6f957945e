import should from 'should';
import { ALL_DIALOGS, AllDialogs, OUR_NODES } from '../support/all-dialogs';
import type { EditorPage } from '../support/editor-page';
import { useEditor } from '../support/use-editor';

/** In English; `matrix.spec.ts` looks at them in all languages. */
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

  it('cause no error in the console', () => {
    should(editor.errors).deepEqual([]);
  });
});
