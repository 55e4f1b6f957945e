import should from 'should';
import { config, node, recorder, tab, webhookIn } from '../support/flows';
import { DAILY_HMAC, dailyAccount } from '../support/daily';
import type { EditorPage } from '../support/editor-page';
import type { FlowNode } from '../support/node-red-process';
import { TRUSTED } from '../support/sign';
import { useEditor } from '../support/use-editor';

const OLD = ['account', 'daily', 'bucket', 'download'];

/** As an earlier version saved it: without `proxy`. */
const FLOW: FlowNode[] = [
  tab(),
  config('account', 'telnyx-account', { publicKeys: '', apiUrl: 'https://api.telnyx.com/v2' }),
  dailyAccount(),
  config('bucket', 'telnyx-bucket', { endpoint: '', bucket: 'archive', sse: '' }),
  config('proxy', 'http proxy', { name: 'company', url: 'http://proxy.example.com:3128', noproxy: [] }),
  webhookIn({ x: 200, y: 100, wires: [['download']] }),
  node('download', 'telnyx-recording-download', {
    ...{ account: 'account', destination: 'folder', filename: '{{recording_id}}', x: 400, y: 100 }
  }),
  ...recorder()
];

describe('the field "Proxy" in the editor', function () {
  this.timeout(120_000);
  let editor: EditorPage;

  // Accounts without any key are marked as incomplete.
  const env = { TELNYX_PUBLIC_KEY: TRUSTED.publicKey, DAILY_HMAC_SECRET: DAILY_HMAC };
  useEditor({ flow: FLOW, env }, (opened) => ({ editor } = opened));

  it('may be missing in flows of earlier versions', async () => {
    const invalid = await editor.page.evaluate<string[]>(
      `${JSON.stringify(OLD)}.filter((id) => !RED.nodes.node(id) || RED.nodes.node(id).valid === false)`
    );
    should(invalid).eql([]);
  });

  it('offers the http proxy nodes of Node-RED, and saves the chosen one', async () => {
    await editor.edit('download');
    await editor.openAdvanced();
    const select = editor.page.locator('#node-input-proxy');
    await select.waitFor();
    should(await editor.property('download', 'proxy')).be.undefined();
    await select.selectOption({ label: 'company' });
    await editor.done();
    should(await editor.property('download', 'proxy')).equal('proxy');
  });
});
