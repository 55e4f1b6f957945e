import { tryFolder } from '../../../src/store/folder/folder-trial';
import { folderOf } from '../../download/download-settings';
import { deployedNode, serveDialogAction } from '../../admin/dialog-route';
import type { NodeRedApi, RedNode } from '../../lib/node-red';
import { FOLDER_TEST_PATH, type TestFinding } from './test-finding';

/** Between two tests. */
const PAUSE_MS = 500;

/** Serves the button that tests the folder of a download node, deployed or not. */
export function serveFolderTest(RED: NodeRedApi): void {
  serveDialogAction<{ findings: TestFinding[] }>(RED, {
    path: FOLDER_TEST_PATH,
    pauseMs: PAUSE_MS,
    failed: 'The test itself failed.',
    run: async (values) => {
      const node = deployedNode(RED, 'telnyx-recording-download', values.text('id'));
      const folder = folderOf(RED, node ?? ({} as RedNode), values.text('folder'));
      return { findings: await tryFolder(folder) };
    }
  });
}
