import should from 'should';
import { DAILY_HMAC } from '../support/daily';
import { EditorPage } from '../support/editor-page';
import { plainExamples } from '../support/example-flow';
import { lookOf, TIDY } from '../support/flow-look';
import { NodeRedProcess } from '../support/node-red-process';
import { requireProgram } from '../support/real-parts';
import { TRUSTED } from '../support/sign';

describe('example flows in the editor', function () {
  this.timeout(120_000);
  let nodeRed: NodeRedProcess;
  let editor: EditorPage;
  const examples = plainExamples();

  before('a browser and Node-RED with the built package', async function () {
    const browser = requireProgram(this, '/usr/bin/chromium');
    // Accounts without any key are marked as incomplete.
    const env = { TELNYX_PUBLIC_KEY: TRUSTED.publicKey, DAILY_HMAC_SECRET: DAILY_HMAC };
    nodeRed = await NodeRedProcess.start({
      coreNodes: 'all',
      flow: examples.flatMap(({ flow }) => flow),
      env
    });
    editor = await EditorPage.open(nodeRed, browser);
  });

  after(async () => {
    // Both are missing when there is no browser.
    await (editor as EditorPage | undefined)?.close();
    await (nodeRed as NodeRedProcess | undefined)?.stop();
  });

  for (const { name, flow } of examples) {
    it(`"${name}" has no invalid, changed or overlapping nodes, tidy groups, and no wire that runs backwards`, async () => {
      const tab = flow.find(({ type }) => type === 'tab')!.id;
      const look = await lookOf(editor, tab);
      should(look.width).be.above(10);
      should(look).have.properties(TIDY);
    });
  }

  it('cause no error in the browser', () => {
    should(editor.errors).eql([]);
  });
});
