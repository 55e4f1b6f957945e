import path from 'node:path';
import should from 'should';
import type { EditorPage } from '../support/editor-page';
import { account, config, node, recorder, tab } from '../support/flows';
import type { FlowNode } from '../support/node-red-process';
import { TRUSTED } from '../support/sign';
import { useEditor } from '../support/use-editor';

const FLOW: FlowNode[] = [
  tab(),
  account(),
  config('retention', 'telnyx-retention', { name: 'ours', policy: 'Calls', keepUntil: '365', rules: [] }),
  node('download', 'telnyx-recording-download', {
    ...{ account: 'account', destination: 'folder', filename: '{{recording_id}}', x: 400, y: 100 }
  }),
  ...recorder()
];

describe('telnyx-retention in the editor', function () {
  this.timeout(120_000);
  let editor: EditorPage;

  useEditor({ flow: FLOW, env: { TELNYX_PUBLIC_KEY: TRUSTED.publicKey } }, (opened) => ({ editor } = opened));

  const field = (name: string) => editor.page.locator(`#node-config-input-${name}`);
  const ofRule = (name: string) =>
    editor.page.locator(`#node-config-input-rules-list .telnyx-retention-rule-${name}`);
  const property = (name: string): Promise<unknown> =>
    editor.page.evaluate<unknown>(`RED.nodes.node('retention')[${JSON.stringify(name)}]`);
  const open = async (): Promise<void> => {
    await editor.page.evaluate("RED.editor.editConfig('', 'telnyx-retention', 'retention')");
    await field('policy').waitFor();
  };
  const save = async (): Promise<void> => {
    await editor.page.locator('#node-config-dialog-ok').click();
    await field('policy').waitFor({ state: 'detached' });
  };

  it('is offered by the download node, and may be missing in older flows', async () => {
    should(await editor.page.evaluate<boolean>("RED.nodes.node('download').valid !== false")).be.true();
    await editor.edit('download');
    await editor.openAdvanced();
    await editor.page.locator('#node-input-retention').selectOption({ label: 'ours' });
    await editor.done();
    should(await editor.property('download', 'retention')).equal('retention');
  });

  it('warns of compliance, and shows a saved rule again', async () => {
    await open();
    const tip = editor.page.locator('#telnyx-retention-compliance-tip');
    should(await tip.isVisible()).be.false();
    await field('lockMode').selectOption('compliance');
    should(await tip.isVisible()).be.true();
    await field('deleteAfter').fill('800');
    await editor.page.locator('.red-ui-editableList-addButton:visible').last().click();
    await ofRule('events').fill('call.*');
    await ofRule('direction').selectOption('inbound');
    await ofRule('number').fill('+1555');
    await ofRule('property').fill('customer.tier=gold');
    await ofRule('deleteAfter').fill('90');
    const folder = process.env['SCREENSHOTS'];
    if (folder !== undefined) await editor.page.screenshot({ path: path.join(folder, 'retention.png') });
    await save();
    const when = { events: 'call.*', direction: 'inbound', number: '+1555', property: 'customer.tier=gold' };
    should(await property('rules')).eql([{ when, keepUntil: '', deleteAfter: '90' }]);
    should(await property('lockMode')).equal('compliance');

    await open();
    should(await ofRule('events').inputValue()).equal('call.*');
    should(await ofRule('direction').inputValue()).equal('inbound');
    should(await ofRule('deleteAfter').inputValue()).equal('90');
    await ofRule('keepUntil').fill('91');
    await ofRule('keepUntil').press('Tab');
    should(await ofRule('keepUntil').getAttribute('class')).match(/input-error/);
    await ofRule('keepUntil').fill('');
    await save();
  });
});
