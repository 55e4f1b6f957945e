import type { ServerResponse } from 'node:http';
import type { Locator } from 'playwright-core';
import should from 'should';
import type { EditorPage } from '../support/editor-page';
import { account, config, node, recorder, tab, webhookIn } from '../support/flows';
import { type LocalServer, localServer } from '../support/media';
import type { FlowNode } from '../support/node-red-settings';
import type { NodeRedProcess } from '../support/node-red-process';
import { READER_AUTH, SidebarPage } from '../support/sidebar';
import { useEditor } from '../support/use-editor';

const webhook = (id: string, path: string, z: string, more: object = {}): FlowNode => ({
  ...webhookIn({ name: id, path, z, x: 200, wires: [[]], ...more }),
  id
});
const subflow = (id: string): FlowNode => ({ id, type: 'subflow', name: id, info: '', in: [], out: [] });
const listNode = (id: string, more: object = {}): FlowNode =>
  node(id, 'telnyx-recording-list', {
    ...{
      name: id,
      provider: 'telnyx',
      account: 'account',
      dailyAccount: '',
      from: '7d',
      to: '',
      only: 'all'
    },
    ...{ wires: [[], []], x: 400, ...more }
  });

/** What the API does not answer until the test ends. */
const held: ServerResponse[] = [];

describe('a dialog says why something is refused', function () {
  this.timeout(120_000);
  const here = tab().id;
  let api: LocalServer;
  let nodeRed: NodeRedProcess;
  let editor: EditorPage;
  const flow: FlowNode[] = [
    tab(),
    { ...tab(), id: 'elsewhere', label: 'Elsewhere' },
    { ...tab(), id: 'off', label: 'Switched off', disabled: true },
    ...['used', 'unused', 'twice'].map(subflow),
    account({ apiUrl: 'http://127.0.0.1:9/v2', credentials: { apiKey: 'KEY-of-the-test' } }),
    config('incomplete', 'telnyx-account', { apiUrl: 'nonsense' }),
    webhook('calls', '/calls', here, { y: 60 }),
    webhook('rival', '/CALLS/', 'elsewhere'),
    webhook('night', '/night', here, { y: 120 }),
    webhook('night-off', '/night', 'off'),
    webhook('sub', '/sub', here, { y: 180 }),
    webhook('in-used', '/sub', 'used'),
    node('instance', 'subflow:used', { name: 'The instance', z: 'elsewhere', x: 300, y: 200 }),
    webhook('lonely', '/lonely', here, { y: 240 }),
    webhook('in-unused', '/lonely', 'unused'),
    webhook('in-twice', '/twice', 'twice'),
    node('twice-1', 'subflow:twice', { name: 'First', z: 'elsewhere', x: 300, y: 260 }),
    node('twice-2', 'subflow:twice', { name: 'Second', z: 'elsewhere', x: 300, y: 320 }),
    listNode('list', { y: 60 }),
    listNode('broken', { account: '', y: 120 }),
    listNode('off-list', { d: true, y: 180 }),
    ...recorder().map((each, at) => ({ ...each, x: 640, y: 420 + 60 * at }))
  ];

  before('an API that takes its time', async () => {
    api = await localServer((_request, response) => void held.push(response));
    const first = flow.find(({ id }) => id === 'account');
    Object.assign(first ?? {}, { apiUrl: `${api.url}/v2` });
  });
  after(async () => {
    for (const response of held) response.destroy();
    await api.close();
  });
  useEditor({ flow, settingsCode: READER_AUTH }, (opened) => ({ nodeRed, editor } = opened));

  const at = (selector: string): Locator => editor.page.locator(selector);
  const open = (id: string): Promise<unknown> =>
    editor.page.evaluate(`RED.editor.edit(RED.nodes.node('${id}'))`);
  async function cancel(): Promise<void> {
    await at('#node-dialog-cancel').click();
    await at('.red-ui-tray').waitFor({ state: 'detached' });
  }

  for (const [id, name, target, where] of [
    ['calls', 'rival', 'rival', 'elsewhere'],
    ['sub', 'in-used', 'in-used', 'used'],
    ['in-twice', 'Second', 'twice-2', 'elsewhere']
  ] as const)
    it(`the path of ${id} is taken: it names ${name}, and goes there`, async () => {
      const errors = JSON.stringify(await editor.property(id, 'validationErrors'));
      should(errors).containEql(name);
      await open(id);
      const go = at('#telnyx-webhook-in-conflict');
      should(await go.innerText()).containEql(name);
      await go.click();
      await editor.page.waitForFunction(`RED.workspaces.active() === '${where}'`);
      should(await editor.property(target, 'z')).equal(where);
      await cancel();
    });

  for (const id of ['night', 'lonely', 'night-off', 'in-unused'])
    it(`the path of ${id} is free: the other one does not run`, async () => {
      should(JSON.stringify((await editor.property(id, 'validationErrors')) ?? [])).not.match(/path/i);
      await open(id);
      await at('#node-input-path').waitFor();
      should(await at('#telnyx-webhook-in-conflict').count()).equal(0);
      await cancel();
    });

  const run = (): Locator => at('#telnyx-recording-list-run');
  const said = (text: string): Promise<void> =>
    at('#telnyx-recording-list-run-status').getByText(text).waitFor();

  it('a list is not run twice at once', async () => {
    await open('list');
    await run().click();
    await editor.page.waitForFunction("/\\w/.test(RED.nodes.node('list').status?.text ?? '')");
    await run().click();
    await said('running already');
    await cancel();
  });

  it('a list that is disabled, cannot work, or is not deployed, is not run', async () => {
    for (const [id, why] of [
      ['off-list', 'not deployed, or is disabled'],
      ['broken', 'BAD_SETTING']
    ] as const) {
      await open(id);
      await run().click();
      await said(why);
      await cancel();
    }
    await editor.page.evaluate(
      `RED.view.importNodes([${JSON.stringify({ ...listNode('new-list'), y: 300 })}], { addFlow: false, touchImport: true })`
    );
    const id = await editor.idOf('new-list');
    await open(id);
    await run().click();
    await said('not deployed');
    await cancel();
  });

  it('a user who may only read is not offered to run a list', async () => {
    await editor.page.evaluate('RED.nodes.dirty(false)');
    await new SidebarPage(editor, nodeRed).becomeReader();
    await open('list');
    await at('#node-input-name').waitFor();
    should(await run().isVisible()).be.false();
    await cancel();
  });

  it('has no error in the console', () => {
    should(editor.errors.filter((text) => !/status of 400/.test(text))).eql([]);
  });
});
