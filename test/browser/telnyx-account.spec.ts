import { createHmac } from 'node:crypto';
import type { Locator } from 'playwright-core';
import should from 'should';
import type { EditorPage } from '../support/editor-page';
import { useEditor } from '../support/use-editor';
import { account, recorder, tab, webhookIn } from '../support/flows';
import { exchange } from '../support/http-client';
import type { FlowNode, NodeRedProcess } from '../support/node-red-process';
import { STRANGER, TRUSTED } from '../support/sign';

const FLOW: FlowNode[] = [
  tab(),
  account({ publicKeys: TRUSTED.publicKey }),
  webhookIn({ x: 200, y: 100 }),
  ...recorder().map((each, at) => ({ ...each, x: 640, y: 420 + 60 * at }))
];

describe('telnyx-account in the editor', function () {
  this.timeout(120_000);
  let nodeRed: NodeRedProcess;
  let editor: EditorPage;

  useEditor({ flow: FLOW }, (opened) => ({ nodeRed, editor } = opened));

  afterEach('no open dialog before the next test', async () => {
    for (const button of ['#node-config-dialog-cancel', '#node-dialog-cancel']) {
      if (!(await editor.page.locator(button).isVisible())) continue;
      await editor.page.locator(button).click();
      await editor.page.locator(button).waitFor({ state: 'detached' });
    }
    await editor.page.locator('.red-ui-tray').waitFor({ state: 'detached' });
  });

  const field = (name: string): Locator => editor.page.locator(`#node-config-input-${name}`);

  /** Opens the account from the webhook node, like a user. */
  async function open(): Promise<void> {
    await editor.edit('webhook');
    // The dialog slides in; a click during that time may be lost.
    await editor.page.waitForFunction(
      "getComputedStyle(document.querySelector('.red-ui-tray')).right === '0px'"
    );
    await editor.page.locator('#node-input-btn-account-edit').click();
    await field('publicKeys').waitFor();
    await editor.page.locator('#node-config-dialog-ok').waitFor();
  }

  async function close(how: 'ok' | 'cancel'): Promise<void> {
    await editor.page.locator(`#node-config-dialog-${how}`).click();
    await field('publicKeys').waitFor({ state: 'detached' });
    await editor.done();
  }

  /** The editor's complaint about a value; empty if it is valid. */
  async function objection(property: string, value: unknown): Promise<string> {
    const result = await editor.page.evaluate<unknown>(
      `(() => {
        const node = RED.nodes.node('account');
        return node._def.defaults.${property}.validate.call(node, ${JSON.stringify(value)}, {});
      })()`
    );
    // Anything except a string or true would mark the node but not the field.
    if (result === true) return '';
    should(result).be.a.String();
    return result as string;
  }

  it('shows the saved keys', async () => {
    await open();
    (await field('publicKeys').inputValue()).should.equal(TRUSTED.publicKey);
    (await field('apiUrl').inputValue()).should.equal('https://api.telnyx.com/v2');
    for (const secret of ['apiKey', 'meetingSecrets', 'legacySecrets']) {
      (await field(secret).inputValue()).should.equal('');
      should(await field(secret).getAttribute('type')).equal('password');
    }
    await close('cancel');
    should(await editor.property('account', 'changed')).not.be.true();
  });

  it('accepts an API key alone, and says that it is enough', async () => {
    await open();
    const tips = await editor.page.locator('.red-ui-tray .form-tips').allTextContents();
    tips.join(' ').should.match(/The API key alone is enough/);
    await field('apiKey').fill('KEYmade-up-and-secret');
    await field('publicKeys').fill('');
    await field('publicKeys').blur();
    should(await field('publicKeys').getAttribute('placeholder')).match(/blank:.*asked of Telnyx/);
    should(await field('publicKeys').getAttribute('class')).not.match(/input-error/);
    await close('cancel');
  });

  describe('says what is wrong', () => {
    it('with each key, by its position', async () => {
      const hex = Buffer.from(TRUSTED.publicKey, 'base64').toString('hex');
      (await objection('publicKeys', hex)).should.match(/Key 1 is written in hex.*base64/);
      (await objection('publicKeys', `${TRUSTED.publicKey}\nnonsense, ${hex}`)).should.match(
        /^Key 2 is not a public key.*Key 3 is written in hex/
      );
      (await objection('publicKeys', 'KEY0123_made-up')).should.match(/Key 1 is an API key.*"API key"/);
      for (const text of [TRUSTED.publicKey.slice(0, -1), 'A'.repeat(44)]) {
        (await objection('publicKeys', text)).should.match(/Key 1 is not a public key/);
      }
    });

    it('and nothing where all is well, or only the runtime knows', async () => {
      const right = [
        '',
        TRUSTED.publicKey,
        `${TRUSTED.publicKey},${STRANGER.publicKey}\n`,
        '${TELNYX_PUBLIC_KEY}',
        `KEY${'A'.repeat(40)}=`
      ];
      for (const text of right) (await objection('publicKeys', text)).should.equal('', text);
    });

    it('with the API address', async () => {
      for (const text of ['api.telnyx.com', 'ftp://example.com', 'https://']) {
        (await objection('apiUrl', text)).should.match(/must begin with https/);
      }
      for (const text of ['', 'https://api.example.com/v2', 'http://127.0.0.1:1880/v2', '${API}']) {
        (await objection('apiUrl', text)).should.equal('');
      }
    });

    it('at the field', async () => {
      await open();
      await field('publicKeys').fill('nonsense');
      // The editor checks a field on blur or on a key press; filled-in text has no key presses.
      await field('publicKeys').blur();
      await editor.page.locator('#node-config-input-publicKeys.input-error').waitFor();
      await close('cancel');
    });
  });

  it('saves keys and secrets for the runtime', async () => {
    await open();
    await field('publicKeys').fill(`${TRUSTED.publicKey}\n${STRANGER.publicKey}`);
    await field('apiKey').fill('KEYmade-up-and-secret');
    await editor.openAdvanced();
    await field('meetingSecrets').fill('first-secret second-secret');
    await close('ok');
    await editor.deploy();

    const body = Buffer.from('{"id":"whd_1","event":"recording.available","version":"1","data":{}}');
    const seconds = Math.floor(Date.now() / 1000);
    const digest = createHmac('sha256', 'second-secret').update(`${seconds}.`).update(body).digest('hex');
    const headers = { 'X-Meeting-Bot-Signature': `t=${seconds},v1=${digest}` };
    (await exchange(nodeRed.port, { path: '/telnyx', body, headers })).status.should.equal(200);
    const [message] = await nodeRed.messages(1);
    should(message?.event).have.properties({ verified: 'hmac', key_index: 1 });
  });

  it('keeps secrets out of the flow, the export and the browser', async () => {
    const secret = /made-up-and-secret|first-secret/;
    const exported = await editor.page.evaluate<string>(
      "JSON.stringify(RED.nodes.createExportableNodeSet([RED.nodes.node('webhook'), RED.nodes.node('account')]))"
    );
    exported.should
      .match(/"publicKeys"/)
      .and.not.match(secret)
      .and.not.match(/apiKey|meetingSecrets/);
    const flows = await (await nodeRed.admin('flows')).text();
    flows.should.not.match(secret);
    const credentials = await (await nodeRed.admin('credentials/telnyx-account/account')).text();
    credentials.should.not.match(secret).and.match(/has_apiKey/);

    await editor.page.reload();
    await editor.page.locator('.red-ui-flow-node-group').first().waitFor();
    await editor.page.locator('#red-ui-loading-progress').waitFor({ state: 'hidden' });
    await open();
    (await field('apiKey').inputValue()).should.match(/^_+PWRD_+$/);
    (await editor.page.content()).should.not.match(secret);
    await close('cancel');
  });

  it('has a translation for every text, a label for every field, and no error in the console', async () => {
    await open();
    const form = editor.page.locator('#node-config-dialog-edit-form');
    (await form.innerText()).should.not.match(/telnyx-account\./);
    const fields = form.locator(':is(input:not([type=hidden], [id^=red-ui-trap]), select, textarea)');
    const unnamed = await fields.evaluateAll((found) =>
      found
        .filter((each) => each.getClientRects().length > 0)
        .filter((each) => !each.hasAttribute('aria-label') && !(each as HTMLInputElement).labels?.length)
        .map((each) => each.outerHTML)
    );
    unnamed.should.deepEqual([]);
    const tall = await form
      .locator('.form-row > label')
      .evaluateAll((labels) =>
        labels.filter((label) => label.getBoundingClientRect().height > 30).map((label) => label.textContent)
      );
    tall.should.deepEqual([]);
    await close('cancel');
    editor.errors.should.deepEqual([]);
  });
});
