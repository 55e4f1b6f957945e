import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { Locator } from 'playwright-core';
import should from 'should';
import { DailySecret } from '../../src/simulator/daily/daily-secret';
import { DailyStandIn } from '../../src/simulator/daily/daily-stand-in';
import { TelnyxStandIn } from '../../src/simulator/stand-in';
import { dailyAccount, dailyWebhookIn } from '../support/daily';
import { EditorPage } from '../support/editor-page';
import { account, recorder, tab, webhookIn } from '../support/flows';
import { NodeRedProcess } from '../support/node-red-process';
import { requireProgram } from '../support/real-parts';
import { until } from '../support/until';

const OLD = 'https://old.example.com/hook';
const OWN = 'https://hooks.example.com/telnyx';
/** Set to a folder to look at the dialogs. */
const SHOTS = process.env['SCREENSHOTS'];

/** Colours of a dark theme. */
const DARK = `:root { --red-ui-primary-background: #222; --red-ui-secondary-background: #2b2b2b;
  --red-ui-tertiary-background: #333; --red-ui-primary-text-color: #ddd; --red-ui-secondary-text-color: #bbb;
  --red-ui-header-text-color: #eee; --red-ui-form-text-color: #ddd; --red-ui-form-input-background: #1b1b1b;
  --red-ui-form-button-background: #444; --red-ui-form-tips-background: #3a3520; --red-ui-workspace-button-background: #444;
  --red-ui-workspace-button-color: #ddd; --red-ui-form-tips-color: #eee; --red-ui-text-color-code: #f99; }`;

describe('registering webhooks in the editor', function () {
  this.timeout(180_000);
  let telnyx: TelnyxStandIn;
  let daily: DailyStandIn;
  let nodeRed: NodeRedProcess;
  let editor: EditorPage;

  before('stand-ins, a browser, and Node-RED with the built package', async function () {
    const browser = requireProgram(this, '/usr/bin/chromium');
    [telnyx, daily] = [new TelnyxStandIn(), new DailyStandIn()];
    await Promise.all([telnyx.start(), daily.start()]);
    nodeRed = await NodeRedProcess.start({
      flow: [
        tab(),
        account({
          publicKeys: telnyx.publicKey,
          apiUrl: telnyx.apiUrl,
          credentials: { apiKey: telnyx.apiKey }
        }),
        dailyAccount({ apiUrl: daily.apiUrl, credentials: { apiKey: daily.apiKey } }),
        webhookIn({ x: 200, y: 100 }),
        dailyWebhookIn({ x: 200, y: 180 }),
        ...recorder().map((each, at) => ({ ...each, x: 640, y: 420 + 60 * at }))
      ],
      // Somebody who may look at everything and change nothing.
      settingsCode: `module.exports.adminAuth = { type: 'credentials',
        users: (name) => Promise.resolve({ username: name, permissions: name === 'reader' ? 'read' : '*' }),
        authenticate: (name) => Promise.resolve({ username: name, permissions: name === 'reader' ? 'read' : '*' }),
        default: () => Promise.resolve({ anonymous: true, permissions: '*' }) };`
    });
    editor = await EditorPage.open(nodeRed, browser);
  });

  after(async () => {
    await (editor as EditorPage | undefined)?.close();
    await (nodeRed as NodeRedProcess | undefined)?.stop();
    await (telnyx as TelnyxStandIn | undefined)?.stop();
    await (daily as DailyStandIn | undefined)?.stop();
  });

  const at = (selector: string): Locator => editor.page.locator(selector);
  const button = (name: string): Locator => editor.page.getByRole('button', { name });

  async function shoot(name: string): Promise<void> {
    if (SHOTS === undefined) return;
    await editor.page.screenshot({ path: path.join(SHOTS, `${name}.png`) });
    const style = await editor.page.addStyleTag({ content: DARK });
    await editor.page.screenshot({ path: path.join(SHOTS, `${name}-dark.png`) });
    await style.evaluate((each) => (each as unknown as { remove(): void }).remove());
  }

  async function cancel(): Promise<void> {
    await at('#node-dialog-cancel').click();
    await at('.red-ui-tray').waitFor({ state: 'detached' });
  }

  /** Presses a button and waits until everything that it started is done. */
  async function press(what: Locator, type: string): Promise<void> {
    await what.click();
    await at(`#${type}-list:not([disabled])`).waitFor();
  }

  describe('at Telnyx', () => {
    const TYPE = 'telnyx-webhook-in';
    const list = () => press(at(`#${TYPE}-list`), TYPE);
    const row = (name: string): Locator => at(`.${TYPE}-choice`).filter({ hasText: name });

    before(() => {
      const url = { webhook_event_url: OLD, webhook_api_version: '2' };
      telnyx.webhooks.add('call_control_applications', {
        application_name: 'Switchboard',
        ...url,
        webhook_api_version: '1'
      });
      telnyx.webhooks.add('call_control_applications', {
        application_name: 'Set already',
        ...url,
        webhook_event_url: OWN
      });
      telnyx.webhooks.add('texml_applications', {
        friendly_name: 'Menu',
        voice_url: OLD,
        voice_method: 'post'
      });
      telnyx.webhooks.add('messaging_profiles', {
        name: '<b>Texts</b>',
        webhook_url: '',
        webhook_api_version: '2'
      });
      telnyx.webhooks.add('fax_applications', {
        application_name: 'Faxes',
        ...url,
        webhook_event_failover_url: `${OLD}/2`
      });
      telnyx.webhooks.add('ip_connections', { connection_name: 'Trunk', ...url });
      telnyx.webhooks.add('dialogflow_connections', { connection_name: 'Bot', ...url });
    });

    it('lists everything with its present URL, and refuses to set one that nothing reaches', async () => {
      await editor.edit('webhook');
      await list();
      should(await at(`#${TYPE}-url-fault`).innerText()).match(/nothing on the internet reaches/);
      should(await row('Switchboard').innerText()).containEql(OLD);
      should(await row('<b>Texts</b>').innerText()).match(/none/);
      should(await row('Bot').locator('input').isDisabled()).be.true();
      should(await row('Faxes').innerText()).containEql(`${OLD}/2`);
      should(await at(`.${TYPE}-choice`).count()).equal(8);
      should(await at(`#${TYPE}-calls li`).allTextContents()).have.length(5);
      await row('Faxes').locator('input').check();
      await at(`#${TYPE}-choose`).click();
      should(await at(`#${TYPE}-change`).isVisible()).be.false();
      should(await at(`#${TYPE}-confirm`).innerText()).match(/Enter the address of this Node-RED/);
    });

    it('shows old and new, changes only after that, and reads each again', async () => {
      await at('#node-input-publicUrl').fill('https://hooks.example.com');
      should(await at(`#${TYPE}-url`).innerText()).equal(OWN);
      await list();
      should(await row('Set already').innerText()).match(/has it already/);
      for (const name of ['Switchboard', '· instructions', '<b>Texts</b>', 'Faxes', 'Trunk'])
        await row(name).locator('input').check();
      await shoot('telnyx-list');
      await at(`#${TYPE}-choose`).click();
      const confirmation = await at(`#${TYPE}-confirm`).innerText();
      should(confirmation)
        .containEql(`${OLD} → ${OWN}`)
        .and.match(/webhook_api_version: 1 → 2/);
      should(confirmation).match(/by the flow/);
      should(telnyx.webhooks.requests.filter((one) => !one.startsWith('GET'))).be.empty();
      await shoot('telnyx-confirm');
      telnyx.webhooks.faultOf = (method, url) =>
        method === 'PATCH' && url.includes('fax_applications') ? 422 : undefined;
      await press(at(`#${TYPE}-change`), TYPE);
      should(await at(`#${TYPE}-confirm`).innerText()).match(/4 of 5 set, 1 failed/);
      should(await row('Faxes').innerText())
        .match(/answered 422/)
        .and.containEql(OLD);
      should(await row('Switchboard').innerText())
        .match(/has it already/)
        .and.not.containEql(OLD);
      await shoot('telnyx-partly');
      should(telnyx.webhooks.requests.filter((one) => one.startsWith('PATCH'))).have.length(5);
      telnyx.webhooks.faultOf = undefined;
      await list();
      should(await row('Trunk').innerText()).containEql(OWN);
    });

    it('stops at a fault that hits everything, and says what to do', async () => {
      telnyx.webhooks.faultOf = (_method, url) => (url.includes('texml') ? 429 : undefined);
      await list();
      should(await at(`#${TYPE}-found`).innerText())
        .match(/Wait 1 s, then try again/)
        .and.not.match(/Messaging/);
      telnyx.webhooks.faultOf = () => 403;
      await list();
      should(await at(`#${TYPE}-found`).innerText()).match(/does not accept the key/);
      telnyx.webhooks.faultOf = (_method, url) => (url.includes('texml') ? 404 : undefined);
      await list();
      should(await at(`#${TYPE}-found`).innerText())
        .match(/does not know it/)
        .and.match(/Messaging/);
      telnyx.webhooks.faultOf = undefined;
    });

    it('remembers the address, for other nodes too', async () => {
      await editor.done();
      should(await editor.property('webhook', 'publicUrl')).equal('https://hooks.example.com');
      await editor.edit('daily-webhook');
      should(await at('#daily-webhook-in-url').innerText()).equal('https://hooks.example.com/daily');
      await cancel();
      await editor.deploy();
    });

    it('uses a key that is typed but not deployed', async () => {
      await editor.edit('webhook');
      await at('#node-input-btn-account-edit').click();
      await at('#node-config-input-apiKey').fill('KEYwrong');
      await at('#node-config-dialog-ok').click();
      await at('#node-config-input-apiKey').waitFor({ state: 'detached' });
      await list();
      should(await at(`#${TYPE}-found`).innerText()).match(/does not accept the key/);
      await cancel();
      await editor.page.evaluate("RED.nodes.node('account').credentials = undefined");
    });
  });

  describe('at Daily', () => {
    const TYPE = 'daily-webhook-in';
    const list = () => press(at(`#${TYPE}-list`), TYPE);
    const webhooks = (): Locator => at(`.${TYPE}-webhook`);

    it('registers the URL, and puts the secret into the account without showing it', async () => {
      await editor.edit('daily-webhook');
      await at('#node-input-publicUrl').fill(nodeRed.url);
      await list();
      should(await at(`#${TYPE}-found`).innerText()).match(/no webhook yet/);
      await at(`#${TYPE}-create`).click();
      const answers: string[] = [];
      editor.page.on('response', (response) => {
        if (/webhooks|credentials/.test(response.url()))
          void response.text().then((text) => answers.push(text));
      });
      await shoot('daily-confirm');
      should(daily.webhooks.webhooks).be.empty();
      await press(at(`#${TYPE}-change`), TYPE);
      should(await at(`#${TYPE}-confirm`).innerText())
        .match(/Registered/)
        .and.match(/Deploy/);
      await shoot('daily-created');
      const [made] = daily.webhooks.webhooks;
      should(made).have.properties({
        url: `${nodeRed.url}/daily`,
        state: 'ACTIVE',
        retryType: 'exponential'
      });
      should(await webhooks().getAttribute('data-state')).equal('active');
      await editor.done();
      await editor.deploy();
      const { hmac } = made!;
      await until('the answers', () => (answers.length > 0 ? true : undefined));
      should(answers.join('\n')).not.containEql(hmac);
      should(nodeRed.log).not.containEql(hmac);
      for (const file of ['flows.json', 'flows_cred.json'])
        should(readFileSync(path.join(nodeRed.userDir, file), 'utf8')).not.containEql(hmac);
    });

    it('accepts what is signed with that secret, and keeps the API key', async () => {
      const { hmac, url } = daily.webhooks.webhooks[0]!;
      const key = new DailySecret(Buffer.from(hmac, 'base64'));
      const report = await daily.deliver(daily.sample('meeting.started'), url, { key });
      should(report.last.status).equal(200);
      await editor.edit('daily-webhook');
      await at('#node-input-btn-account-edit').click();
      await at('#node-config-input-apiKey').waitFor();
      should(await at('#node-config-input-apiKey').inputValue()).equal('__PWRD__');
      should(await at('#node-config-input-hmac').inputValue()).equal('__PWRD__');
      await at('#node-config-dialog-cancel').click();
      await at('#node-config-input-apiKey').waitFor({ state: 'detached' });
      await cancel();
    });

    it('shows a FAILED webhook, and activates it again', async () => {
      const [webhook] = daily.webhooks.webhooks;
      Object.assign(webhook!, { state: 'FAILED', failedCount: 3 });
      daily.webhooks.add('https://elsewhere.example.com/daily', { state: 'FAILED' });
      await editor.edit('daily-webhook');
      await list();
      should(await webhooks().first().innerText()).match(/FAILED.*3 failures/);
      should(await webhooks().nth(1).innerText()).match(/another address/);
      should(await webhooks().nth(1).locator('button').count()).equal(0);
      await shoot('daily-failed');
      await press(webhooks().first().locator('.activate'), TYPE);
      should(await at(`#${TYPE}-confirm`).innerText()).match(/Active again/);
      should(webhook!.state).equal('ACTIVE');
      should(await webhooks().first().getAttribute('data-state')).equal('active');
      await cancel();
    });

    it('adds the secret of a webhook that was registered elsewhere to those of the account', async () => {
      const [webhook] = daily.webhooks.webhooks;
      const before = webhook!.hmac;
      webhook!.hmac = Buffer.from('another secret').toString('base64');
      await editor.edit('daily-webhook');
      await list();
      await press(webhooks().first().locator('.store'), TYPE);
      should(await at(`#${TYPE}-confirm`).innerText()).match(/has the secret/);
      should(await webhooks().first().locator('.store').count()).equal(0);
      await editor.done();
      await editor.deploy();
      for (const hmac of [before, webhook!.hmac]) {
        const key = new DailySecret(Buffer.from(hmac, 'base64'));
        const report = await daily.deliver(daily.sample('participant.joined'), webhook!.url, { key });
        should(report.last.status).equal(200);
      }
    });
  });

  // Mocha runs the tests of a suite before the suites in it.
  describe('afterwards', () => {
    it('has no error in the console', () => {
      // Answers with 400 and more are outcomes, which the dialog shows.
      should(editor.errors.filter((text) => !/Failed to load resource/.test(text))).deepEqual([]);
    });

    it('is not there for a user who may only look', async () => {
      const response = await nodeRed.admin('auth/token', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          ...{
            client_id: 'node-red-editor',
            grant_type: 'password',
            scope: 'read',
            username: 'reader',
            password: 'x'
          }
        })
      });
      const tokens = (await response.json()) as { access_token: string };
      const headers = { authorization: `Bearer ${tokens.access_token}`, 'content-type': 'application/json' };
      for (const type of ['telnyx', 'daily']) {
        const asked = await fetch(`${nodeRed.url}/${type}-webhook-in/webhooks`, {
          method: 'POST',
          headers,
          body: '{}'
        });
        should(asked.status).equal(401);
      }
      await editor.page.evaluate(
        `localStorage.setItem('auth-tokens', JSON.stringify(${JSON.stringify(tokens)}))`
      );
      await editor.page.reload();
      await at('.red-ui-flow-node-group').first().waitFor();
      await at('#red-ui-loading-progress').waitFor({ state: 'hidden' });
      for (const [id, type] of [
        ['webhook', 'telnyx-webhook-in'],
        ['daily-webhook', 'daily-webhook-in']
      ] as const) {
        await editor.edit(id);
        should(
          await at(`#${type}-register`).locator('button, input, textarea').filter({ visible: true }).count()
        ).equal(0);
        should(await at(`#${type}-register`).innerText()).match(/not permitted/);
        if (type === 'telnyx-webhook-in') await shoot('read-only');
        await button('Cancel').first().click();
        await at('.red-ui-tray').waitFor({ state: 'detached' });
      }
    });
  });
});
