import path from 'node:path';
import type { Locator } from 'playwright-core';
import should from 'should';
import { TelnyxStandIn } from '../../src/simulator/stand-in';
import type { EditorPage } from '../support/editor-page';
import { config, node, recorder, tab, webhookIn } from '../support/flows';
import type { FlowNode, NodeRedProcess } from '../support/node-red-process';
import { DARK } from '../support/sidebar';
import { signed, TRUSTED } from '../support/sign';
import { exchange } from '../support/http-client';
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
  config('bucket', 'telnyx-bucket', { endpoint: '', region: 'us-east-1', bucket: 'archive', sse: '' }),
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

  let telnyx: TelnyxStandIn;
  before('a stand-in for the API', async () => {
    telnyx = new TelnyxStandIn();
    await telnyx.start();
  });
  after(() => telnyx.stop());

  /** Set to a folder to look at the dialogs. */
  async function shoot(name: string): Promise<void> {
    const folder = process.env['SCREENSHOTS'];
    if (folder === undefined) return;
    await editor.page.screenshot({ path: path.join(folder, `dialog-${name}.png`) });
    const style = await editor.page.addStyleTag({ content: DARK });
    await editor.page.screenshot({ path: path.join(folder, `dialog-${name}-dark.png`) });
    await style.evaluate((each) => (each as unknown as { remove(): void }).remove());
  }

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

  it('the webhook URL can be copied, and tunnels to this computer are at hand', async () => {
    await editor.edit('webhook');
    await at('#telnyx-webhook-in-last').getByText('No delivery since').waitFor();
    await at('#telnyx-webhook-in-tunnels > summary').click();
    const lines = await at('#telnyx-webhook-in-tunnels code').allTextContents();
    const { port } = new URL(nodeRed.url);
    should(lines).eql([
      `cloudflared tunnel --url http://127.0.0.1:${port}`,
      `ngrok http ${port}`,
      `tailscale funnel --set-path=/telnyx http://127.0.0.1:${port}/telnyx`
    ]);
    await shoot('webhook');
    await at('#telnyx-webhook-in-url-copy').click();
    await editor.page.getByText('Copied', { exact: true }).first().waitFor();
    await at('#node-input-publicUrl').fill('https://hooks.example.com');
    await at('#telnyx-webhook-in-tunnels').waitFor({ state: 'hidden' });
    await at('#node-input-path').fill('/keyless');
    await at('#telnyx-webhook-in-conflict').waitFor();
    await cancel();
    await editor.page.evaluate("RED.nodes.node('account').publicUrl = 'https://hooks.example.com/base'");
    await editor.edit('webhook');
    should(await at('#telnyx-webhook-in-url').innerText()).equal('https://hooks.example.com/base/telnyx');
    await cancel();
    const body = JSON.stringify({ data: { event_type: 'call.hangup', id: 'e1', payload: {} } });
    const { status } = await exchange(nodeRed.port, {
      path: '/telnyx',
      body: Buffer.from(body),
      headers: { 'content-type': 'application/json', ...signed(body) }
    });
    should(status).equal(200);
    await editor.edit('webhook');
    await at('#telnyx-webhook-in-last')
      .getByText(/Last delivery \d+ s ago/)
      .waitFor();
    await cancel();
  });

  it('an API key is tested, typed or deployed', async () => {
    await editor.page.evaluate("RED.editor.editConfig('', 'telnyx-account', 'with-secret')");
    await at('#node-config-input-apiUrl').evaluate(
      (each, url) => ((each as unknown as { value: string }).value = url),
      telnyx.apiUrl
    );
    const findings = at('#telnyx-account-findings li');
    await at('#telnyx-account-test').click();
    await findings.getByText(/does not accept the key/).waitFor();
    // The route takes one test a second, and nothing tells when it takes the next one.
    await editor.page.waitForTimeout(1100);
    await at('#node-config-input-apiKey').fill(telnyx.apiKey);
    await at('#telnyx-account-test').click();
    await findings.getByText(/accepts the API key/).waitFor();
    await findings.getByText(/may list recordings/).waitFor();
    await shoot('account');
    should(nodeRed.log).not.containEql(telnyx.apiKey);
    await cancel('node-config');
  });

  it('a folder is tested, and file names are put together from tokens', async () => {
    await editor.edit('no-bucket');
    await at('#node-input-destination').selectOption('folder');
    await at('#node-input-folder').fill('archive');
    await at('#telnyx-recording-download-test').click();
    const findings = at('#telnyx-recording-download-findings li');
    await findings.getByText(`${nodeRed.userDir}/archive`).waitFor();
    await findings.getByText('Hard links work').waitFor();
    await at('#telnyx-recording-download-names').selectOption('call');
    should(await at('#node-input-filename').inputValue()).match(/call_session_id/);
    await at('#node-input-filename').fill('');
    for (const name of ['from', 'ext'])
      await at('#telnyx-recording-download-tokens').getByRole('button', { name, exact: true }).click();
    should(await at('#node-input-filename').inputValue()).equal('{{from}}{{ext}}');
    await editor.page.keyboard.press('Enter');
    should(await at('#telnyx-recording-download-preview').innerText()).match(/^archive\/\+1\d+mp3$/);
    await shoot('download');
    await cancel();
  });

  it('a preset fills in what a store needs', async () => {
    await editor.page.evaluate("RED.editor.editConfig('', 'telnyx-bucket', 'bucket')");
    await at('#telnyx-bucket-preset').selectOption('r2');
    should(await at('#node-config-input-endpoint').inputValue()).match(/r2\.cloudflarestorage\.com$/);
    should(await at('#node-config-input-region').inputValue()).equal('auto');
    await at('#telnyx-bucket-preset').selectOption('minio');
    should(await at('#node-config-input-forcePathStyle').isChecked()).be.true();
    await shoot('bucket');
    await cancel('node-config');
  });

  it('a list is run from its dialog', async () => {
    await editor.edit('from-log');
    await at('#telnyx-delivery-list-run').click();
    await at('#telnyx-delivery-list-run-status').getByText('complete').waitFor();
    await shoot('list');
    await cancel();
    const unknown = await nodeRed.admin('telnyx-recording-list/run', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ id: 'webhook' })
    });
    should(unknown.status).equal(400);
    should(await unknown.text()).match(/not deployed/);
  });

  it('cause no error in the console', () => should(editor.errors).eql([]));
});
