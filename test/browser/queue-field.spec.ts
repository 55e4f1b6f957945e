import should from 'should';
import { dailyAccount, dailyWebhookIn, DAILY_HMAC } from '../support/daily';
import type { EditorPage } from '../support/editor-page';
import { account, config, node, recorder, tab, webhookIn } from '../support/flows';
import { freePort } from '../support/free-port';
import type { FlowNode } from '../support/node-red-process';
import { TRUSTED } from '../support/sign';
import { useEditor } from '../support/use-editor';

const OLD = ['webhook', 'daily-webhook', 'download', 'list', 'deliveries'];

/** As an earlier version saved it: without `queue`. */
const FLOW: FlowNode[] = [
  tab(),
  account(),
  dailyAccount(),
  config('queue', 'telnyx-queue', { name: 'ours', url: 'redis://127.0.0.1:6379', prefix: 'telnyx' }),
  webhookIn({ id: 'webhook', x: 200, y: 100 }),
  dailyWebhookIn({ id: 'daily-webhook', x: 200, y: 160 }),
  node('download', 'telnyx-recording-download', {
    ...{ account: 'account', destination: 'folder', filename: '{{recording_id}}', x: 400, y: 100 }
  }),
  node('list', 'telnyx-recording-list', { account: 'account', x: 400, y: 160, wires: [[], []] }),
  node('deliveries', 'telnyx-delivery-list', { account: 'account', x: 400, y: 220, wires: [[], []] }),
  ...recorder()
];

describe('a queue in the editor', function () {
  this.timeout(120_000);
  let editor: EditorPage;

  const env = { TELNYX_PUBLIC_KEY: TRUSTED.publicKey, DAILY_HMAC_SECRET: DAILY_HMAC };
  useEditor({ flow: FLOW, env }, (opened) => ({ editor } = opened));

  const field = (name: string) => editor.page.locator(`#node-config-input-${name}`);
  const isMarked = (name: string): Promise<boolean> =>
    editor.page.evaluate<boolean>(`$('#node-config-input-${name}').hasClass('input-error')`);

  it('may be missing in flows of earlier versions', async () => {
    const invalid = await editor.page.evaluate<string[]>(
      `${JSON.stringify(OLD)}.filter((id) => !RED.nodes.node(id) || RED.nodes.node(id).valid === false)`
    );
    should(invalid).eql([]);
  });

  it('is offered by the download node, and saved', async () => {
    await editor.edit('download');
    await editor.openAdvanced();
    const select = editor.page.locator('#node-input-queue');
    should(await editor.property('download', 'queue')).be.undefined();
    await select.selectOption({ label: 'ours' });
    await editor.done();
    should(await editor.property('download', 'queue')).equal('queue');
  });

  describe('its dialog', () => {
    before(async () => {
      await editor.page.evaluate("RED.editor.editConfig('', 'telnyx-queue', 'queue')");
      await field('url').waitFor();
    });

    it('marks what cannot work', async () => {
      for (const [name, wrong, right] of [
        ['url', 'http://redis.example.com', 'rediss://redis.example.com:6380/2'],
        ['url', 'redis://:secret@redis.example.com', '${REDIS}'],
        ['encryptionKey', 'too-short', ''],
        ['prefix', 'a{b}', 'telnyx']
      ] as const) {
        if (name === 'prefix') await editor.openAdvanced();
        await field(name).fill(wrong);
        await field(name).dispatchEvent('change');
        should([wrong, await isMarked(name)]).eql([wrong, true]);
        await field(name).fill(right);
        await field(name).dispatchEvent('change');
        should([right, await isMarked(name)]).eql([right, false]);
      }
    });

    it('makes a key of 32 bytes, which can be read until the dialog is closed', async () => {
      await editor.page.locator('#telnyx-queue-make-key').click();
      const first = await field('encryptionKey').inputValue();
      should(Buffer.from(first, 'base64')).have.length(32);
      should(await isMarked('encryptionKey')).be.false();
      should(await field('encryptionKey').getAttribute('type')).equal('text');
      await editor.page.locator('#telnyx-queue-make-key').click();
      should(await field('encryptionKey').inputValue()).not.equal(first);
    });

    it('says what is wrong with a Redis that is not there', async () => {
      await field('url').fill(`redis://127.0.0.1:${await freePort()}`);
      // The note about the variable disappears, which moves the button.
      await field('url').dispatchEvent('change');
      await editor.page.locator('#telnyx-queue-test').click();
      const line = editor.page.locator('#telnyx-queue-findings li[data-result=failed]');
      should(await line.textContent()).match(/Nothing listens at 127\.0\.0\.1:\d+\./);
      should(editor.errors).eql([]);
    });
  });
});
