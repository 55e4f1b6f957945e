import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import should from 'should';
import { dailyAccount, DAILY_HMAC, dailyWebhookIn } from '../support/daily';
import type { EditorPage } from '../support/editor-page';
import { useEditor } from '../support/use-editor';
import { recorder, tab } from '../support/flows';
import { requireProgram } from '../support/real-parts';

describe('daily-account in the editor', function () {
  this.timeout(120_000);
  let editor: EditorPage;

  useEditor(
    {
      httpNodeRoot: '/flows-root',
      flow: [
        tab(),
        dailyAccount({ credentials: { hmac: DAILY_HMAC, apiKey: 'a-real-looking-api-key' } }),
        dailyWebhookIn({ path: "/it's-daily", x: 200, y: 100 }),
        ...recorder().map((each, at) => ({ ...each, x: 640, y: 420 + 60 * at }))
      ]
    },
    (opened) => ({ editor } = opened)
  );

  const command = () => editor.page.locator('#daily-account-command').innerText();

  async function open(): Promise<void> {
    await editor.edit('daily-webhook');
    await editor.page.locator('#node-input-btn-account-edit').click();
    await editor.page.locator('#daily-account-command').waitFor();
  }

  async function close(): Promise<void> {
    await editor.page.locator('#node-config-dialog-cancel').click();
    await editor.page.locator('#daily-account-command').waitFor({ state: 'detached' });
    await editor.done();
  }

  it('shows the command that registers the webhook, without the real key and secret', async () => {
    await open();
    const text = await command();
    should(text).containEql('Authorization: Bearer $DAILY_API_KEY');
    should(text).not.containEql('a-real-looking-api-key').and.not.containEql(DAILY_HMAC);
    should(await editor.page.locator('#daily-account-no-node').isVisible()).be.false();
    // This page has a local address, which Daily cannot reach.
    should(await editor.page.locator('#daily-account-no-address').isVisible()).be.true();
    should(text).containEql('https://YOUR-ADDRESS/flows-root/it');
    await close();
  });

  it('follows the API address', async () => {
    await open();
    await editor.page.locator('#node-config-input-apiUrl').fill('https://api.example.com/v1/');
    should(await command()).containEql("curl -X POST 'https://api.example.com/v1/webhooks'");
    await close();
  });

  it('is a command that a shell parses as intended', async function () {
    requireProgram(this, 'curl');
    const seen: { url: string; key: string | undefined; body: unknown }[] = [];
    const api = createServer((request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        const { url = '', headers } = request;
        const body: unknown = JSON.parse(Buffer.concat(pieces).toString());
        seen.push({ url, key: headers.authorization, body });
        response.end('{}');
      });
    }).listen(0, '127.0.0.1');
    await once(api, 'listening');
    await open();
    const port = (api.address() as AddressInfo).port;
    await editor.page.locator('#node-config-input-apiUrl').fill(`http://127.0.0.1:${port}/v1`);
    const text = await command();
    await close();
    try {
      await new Promise<void>((resolve) => {
        execFile('sh', ['-c', text.replace('YOUR_API_KEY', 'my-key')], () => resolve());
      });
    } finally {
      api.close();
      api.closeAllConnections();
      await once(api, 'close');
    }
    should(seen).deepEqual([
      {
        url: '/v1/webhooks',
        key: 'Bearer my-key',
        body: {
          url: "https://YOUR-ADDRESS/flows-root/it's-daily",
          eventTypes: [
            'meeting.started',
            'meeting.ended',
            'recording.started',
            'recording.ready-to-download',
            'recording.error'
          ],
          retryType: 'exponential'
        }
      }
    ]);
  });

  it('rejects a secret that is not base64', async () => {
    const objection = (value: string) =>
      editor.page.evaluate<unknown>(
        `(() => {
          const node = RED.nodes.node('daily');
          return node._def.credentials.hmac.validate.call(node, ${JSON.stringify(value)}, {});
        })()`
      );
    for (const text of ['', '__PWRD__', DAILY_HMAC, `${DAILY_HMAC} ${DAILY_HMAC}`, '${DAILY_HMAC_SECRET}'])
      should(await objection(text)).equal(true, text);
    for (const text of ['no base64!', 'abcde', DAILY_HMAC.slice(0, -1)])
      should(await objection(text)).match(/must be base64/);
  });

  it('copies the command', async () => {
    await open();
    const text = await command();
    await editor.page.locator('#daily-account-copy').click();
    await editor.page.locator('#node-config-input-name').fill('');
    await editor.page.locator('#node-config-input-name').press('Control+v');
    const pasted = await editor.page.locator('#node-config-input-name').inputValue();
    should(pasted.replace(/\s+/g, ' ')).equal(text.replace(/\s+/g, ' '));
    await close();
    should(editor.errors).deepEqual([]);
  });
});
