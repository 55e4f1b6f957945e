import { EditorPage } from './editor-page';
import { type NodeRedOptions, NodeRedProcess } from './node-red-process';
import { requireNodeRed5, requireProgram } from './real-parts';

/** A real Node-RED with the built package, and its editor in a browser. */
export interface OpenedEditor {
  nodeRed: NodeRedProcess;
  editor: EditorPage;
}

/** The Node-RED of this repository, or the current one. */
export type NodeRedMajor = 4 | 5;

/**
 * Opens both before the first test of a suite and closes them after its last one. Skips the suite without a
 * browser, or without the Node-RED that is wanted.
 *
 * @param use receives both once they are open
 */
export function useEditor(
  options: NodeRedOptions & { major?: NodeRedMajor },
  use: (opened: OpenedEditor) => void
): void {
  let nodeRed: NodeRedProcess | undefined;
  let editor: EditorPage | undefined;

  before('a browser and Node-RED with the built package', async function () {
    const browser = requireProgram(this, '/usr/bin/chromium');
    const installation = options.major === 5 ? { installation: requireNodeRed5(this) } : {};
    nodeRed = await NodeRedProcess.start({ ...options, ...installation });
    editor = await EditorPage.open(nodeRed, browser);
    use({ nodeRed, editor });
  });

  after(async () => {
    await editor?.close();
    await nodeRed?.stop();
  });
}
