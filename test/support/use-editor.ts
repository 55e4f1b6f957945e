import { EditorPage } from './editor-page';
import { type NodeRedOptions, NodeRedProcess } from './node-red-process';
import { requireProgram } from './real-parts';

/** A real Node-RED with the built package, and its editor in a browser. */
export interface OpenedEditor {
  nodeRed: NodeRedProcess;
  editor: EditorPage;
}

/**
 * Opens both before the first test of a suite and closes them after its last one. Skips the suite without a
 * browser.
 *
 * @param use receives both once they are open
 */
export function useEditor(options: NodeRedOptions, use: (opened: OpenedEditor) => void): void {
  let nodeRed: NodeRedProcess | undefined;
  let editor: EditorPage | undefined;

  before('a browser and Node-RED with the built package', async function () {
    const browser = requireProgram(this, '/usr/bin/chromium');
    nodeRed = await NodeRedProcess.start(options);
    editor = await EditorPage.open(nodeRed, browser);
    use({ nodeRed, editor });
  });

  after(async () => {
    await editor?.close();
    await nodeRed?.stop();
  });
}
