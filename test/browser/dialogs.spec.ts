import type { Locator } from 'playwright-core';
import should from 'should';
import type { EditorPage } from '../support/editor-page';
import { config, node, recorder, tab, webhookIn } from '../support/flows';
import type { FlowNode, NodeRedProcess } from '../support/node-red-process';
import { TRUSTED } from '../support/sign';
import { useEditor } from '../support/use-editor';

const API_URL = 'https://api.telnyx.com/v2';
const SECRET = 'KEYmade-up-and-secret';

const FLOW: FlowNode[] = [
  tab(),
  config('account', 'telnyx-account', { publicKeys: TRUSTED.publicKey, apiUrl: API_URL }),
  config('with-secret', 'telnyx-account', {
    ...{ publicKeys: '', apiUrl: API_URL, credentials: { apiKey: SECRET } }
  }),
  config('keyless', 'telnyx-account', { publicKeys: '', apiUrl: API_URL }),
  config('daily-keyless', 'daily-account', { apiUrl: 'https://api.daily.co/v1' }),
  webhookIn({ x: 160, y: 60 }),
  webhookIn({ id: 'keyless-webhook', account: 'keyless', path: '/keyless', x: 160, y: 120 }),
  webhookIn({ id: 'no-account', account: '', path: '/no-account', x: 160, y: 180 }),
  node('no-bucket', 'telnyx-recording-download', {
    ...{ account: '', dailyAccount: '', destination: 'bucket', bucket: '', folder: '', filename: '' },
    ...{ maxSize: '5242880', x: 400, y: 60 }
  }),
  node('list', 'telnyx-recording-list', {
    ...{ provider: 'telnyx', account: '', dailyAccount: '', wires: [[], []], x: 400, y: 120 }
  }),
  node('daily-list', 'telnyx-recording-list', {
    ...{ provider: 'daily', account: '', dailyAccount: '', wires: [[], []], x: 400, y: 180 }
  }),
  node('deliveries', 'telnyx-delivery-list', {
    ...{ source: 'telnyx', account: '', wires: [[], []], x: 400, y: 240 }
  }),
  node('from-log', 'telnyx-delivery-list', {
    ...{ source: 'log', account: '', wires: [[], []], x: 400, y: 300 }
  }),
  ...recorder().map((each, at) => ({ ...each, x: 640, y: 420 + 60 * at }))
];

describe('what all dialogs have in common', function () {
  this.timeout(120_000);
  let nodeRed: NodeRedProcess;
  let editor: EditorPage;

  useEditor(
    { flow: FLOW, env: { SET_FOR_THE_TEST: 'a-value-that-stays-here' } },
    (opened) => ({ nodeRed, editor } = opened)
  );

  const at = (selector: string): Locator => editor.page.locator(selector);
  const errorsOf = async (id: string): Promise<string> =>
    JSON.stringify((await editor.property(id, 'validationErrors')) ?? []);

  async function cancel(kind: 'node' | 'node-config' = 'node'): Promise<void> {
    await at(`#${kind}-dialog-cancel`).click();
    await at(`#${kind}-dialog-cancel`).waitFor({ state: 'detached' });
  }

  it('a value that is missing shows the triangle, with a reason', async () => {
    for (const [id, reason] of [
      ['keyless', /Enter an API key, or a public key/],
      ['daily-keyless', /Enter the secret of the webhook, or an API key/],
      ['keyless-webhook', /account is not complete: Enter an API key/],
      ['no-account', /Choose an account/],
      ['no-bucket', /Choose a bucket/],
      ['list', /Choose a Telnyx account/],
      ['daily-list', /Choose a Daily account/],
      ['deliveries', /Choose a Telnyx account/]
    ] as const) {
      await editor.page.waitForFunction(`RED.nodes.node('${id}').valid === false`);
      should(await errorsOf(id)).match(reason);
    }
    for (const id of ['account', 'with-secret', 'webhook', 'from-log'])
      should(await errorsOf(id)).equal('[]');
  });

  it('an account without a key is complete as soon as one is typed', async () => {
    await editor.page.evaluate("RED.editor.editConfig('', 'telnyx-account', 'keyless')");
    await at('#node-config-input-apiKey').fill(SECRET);
    await at('#node-config-dialog-ok').click();
    await at('#node-config-dialog-ok').waitFor({ state: 'detached' });
    should(await errorsOf('keyless')).equal('[]');
    should(await errorsOf('keyless-webhook')).equal('[]');
    // Node-RED asks whether incomplete nodes may be deployed.
    await at('#red-ui-header-button-deploy:not(.disabled)').click();
    const asked = editor.page.waitForResponse((response) => response.url().includes('known-keys'));
    await at('.red-ui-notification').getByRole('button', { name: 'Confirm deploy' }).click();
    await asked;
    await editor.page.waitForFunction("RED.nodes.node('keyless').credentials === undefined");
    should(await errorsOf('keyless')).equal('[]');
    await editor.page.evaluate("RED.editor.validateNode(RED.nodes.node('with-secret'))");
    should(await errorsOf('with-secret')).equal('[]');
  });

  it('environment variables show whether they are set, and nothing else of them', async () => {
    await editor.page.evaluate("RED.editor.editConfig('', 'telnyx-account', 'account')");
    const note = (name: string): Locator =>
      editor.page.locator('.form-row', { has: at(`#node-config-input-${name}`) }).locator('.telnyx-variable');
    await note('apiKey').getByText('TELNYX_API_KEY is not set on the server.').waitFor();
    await at('#node-config-input-publicKeys').fill('${SET_FOR_THE_TEST}');
    await at('#node-config-input-publicKeys').blur();
    await note('publicKeys').getByText('SET_FOR_THE_TEST is set on the server.').waitFor();
    await cancel('node-config');
    const answer = await nodeRed.admin(
      'telnyx-account/known-keys?names=SET_FOR_THE_TEST,PATH,constructor,a-b'
    );
    const text = await answer.text();
    should(text)
      .match(/"SET_FOR_THE_TEST":true/)
      .and.match(/"constructor":false/)
      .and.not.match(/a-value-that|a-b|made-up/);
    const foreign = await nodeRed.admin('telnyx-account/known-keys', {
      headers: { 'Sec-Fetch-Site': 'cross-site' }
    });
    should(foreign.status).equal(403);
  });

  it('the only account is chosen in a new node, and in no other', async () => {
    const added = await editor.page.evaluate<Record<string, unknown>>(
      `(() => {
        const node = { id: RED.nodes.id(), z: RED.workspaces.active(), type: 'daily-webhook-in' };
        node._def = RED.nodes.getType(node.type);
        for (const [name, { value }] of Object.entries(node._def.defaults)) node[name] = value;
        node._def.onadd.call(node);
        const telnyx = { ...node, id: RED.nodes.id(), type: 'telnyx-webhook-in', account: '' };
        telnyx._def = RED.nodes.getType(telnyx.type);
        telnyx._def.onadd.call(telnyx);
        const present = RED.nodes.node('no-account');
        present._def.onadd.call(present);
        return { daily: node.account, telnyx: telnyx.account, present: present.account };
      })()`
    );
    should(added).eql({ daily: 'daily-keyless', telnyx: '', present: '' });
  });

  it('"Advanced" is opened with the keyboard, stays as it was left, and opens for an error', async () => {
    const isOpen = (): Promise<boolean> =>
      at('#telnyx-webhook-in-advanced').evaluate((each) => (each as unknown as { open: boolean }).open);
    await editor.edit('webhook');
    should(await isOpen()).be.false();
    await at('#telnyx-webhook-in-advanced > summary').focus();
    await editor.page.keyboard.press('Enter');
    should(await isOpen()).be.true();
    await cancel();
    await editor.edit('webhook');
    should(await isOpen()).be.true();
    await at('#telnyx-webhook-in-advanced > summary').click();
    await cancel();
    await editor.page.evaluate("RED.nodes.node('webhook').tolerance = 'none'");
    await editor.edit('webhook');
    await editor.page.waitForFunction("document.getElementById('telnyx-webhook-in-advanced').open");
    await cancel();
    await editor.page.evaluate("RED.nodes.node('webhook').tolerance = '300'");
    await editor.edit('webhook');
    should(await isOpen()).be.false();
    await cancel();
  });

  it('sizes are shown in MiB and kept in bytes', async () => {
    await editor.edit('no-bucket');
    await editor.openAdvanced();
    const shown = at('#node-input-maxSize-mib');
    should(await shown.inputValue()).equal('5');
    should(await at('label[for="node-input-maxSize-mib"]').count()).equal(1);
    await shown.fill('a lot');
    should(await shown.getAttribute('title')).match(/size in MiB/);
    await shown.fill('1.5');
    should(await shown.getAttribute('class')).not.match(/input-error/);
    await editor.done();
    should(await editor.property('no-bucket', 'maxSize')).equal(String(1.5 * 1024 * 1024));
    await editor.edit('no-bucket');
    await editor.done();
    should(await editor.property('no-bucket', 'maxSize')).equal(String(1.5 * 1024 * 1024));
  });

  it('cause no error in the console', () => should(editor.errors).eql([]));
});
