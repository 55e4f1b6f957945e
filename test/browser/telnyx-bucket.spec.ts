import type { Locator } from 'playwright-core';
import should from 'should';
import { S3_USER } from '../support/ceph';
import { EditorPage } from '../support/editor-page';
import { account, config, node, recorder, tab } from '../support/flows';
import { NodeRedProcess } from '../support/node-red-process';
import { requireProgram } from '../support/real-parts';
import { S3Server } from '../support/s3-server';

/** Longer than the pause that the route requires between two tests. */
const PAUSE_MS = 2100;

describe('the Test button of telnyx-bucket in the editor', function () {
  this.timeout(120_000);
  let server: S3Server;
  let nodeRed: NodeRedProcess;
  let editor: EditorPage;
  let nextAt = 0;
  let browser: string;

  before('a browser, an S3 server, and Node-RED with the built package', async function () {
    browser = requireProgram(this, '/usr/bin/chromium');
    server = await S3Server.start(this);
    nodeRed = await NodeRedProcess.start({
      flow: [
        tab(),
        account(),
        config('bucket', 'telnyx-bucket', {
          endpoint: server.url,
          region: '',
          bucket: server.bucket,
          prefix: 'calls',
          forcePathStyle: true,
          sse: '',
          kmsKeyId: '',
          credentials: S3_USER
        }),
        node('download', 'telnyx-recording-download', {
          account: 'account',
          destination: 'bucket',
          bucket: 'bucket',
          x: 200,
          y: 100,
          wires: [['seen']]
        }),
        ...recorder().map((each, at) => ({ ...each, x: 640, y: 420 + 60 * at }))
      ]
    });
    await openDialog();
  });

  after(async () => {
    await (editor as EditorPage | undefined)?.close();
    await (nodeRed as NodeRedProcess | undefined)?.stop();
    await (server as S3Server | undefined)?.close();
  });

  const field = (name: string): Locator => editor.page.locator(`#node-config-input-${name}`);
  const atRest = async (): Promise<void> => {
    await editor.page.waitForFunction(
      "[...document.querySelectorAll('.red-ui-tray')].pop().style.right === '0px'"
    );
  };

  async function openDialog(language = 'en-US'): Promise<void> {
    editor = await EditorPage.open(nodeRed, browser, { stored: { 'editor-language': language } });
    await editor.edit('download');
    // The dialog slides in; a click during that time may be lost.
    await atRest();
    await editor.page.locator('#node-input-btn-bucket-edit').click();
    await field('bucket').waitFor();
    await atRest();
  }

  async function test(): Promise<{ results: (string | null)[]; text: string }> {
    // Nothing tells when the route takes the next test.
    await editor.page.waitForTimeout(Math.max(0, nextAt - performance.now()));
    const answered = editor.page.waitForResponse((response) => response.url().endsWith('telnyx-bucket/test'));
    await editor.page.locator('#telnyx-bucket-test').click();
    await answered;
    await editor.page.locator('#telnyx-bucket-test:not([disabled])').waitFor();
    const lines = editor.page.locator('#telnyx-bucket-findings li');
    const results = [];
    for (const line of await lines.all()) results.push(await line.getAttribute('data-result'));
    const text = (await lines.allTextContents()).join('\n');
    nextAt = performance.now() + PAUSE_MS;
    return { results, text };
  }

  it('tests with the stored secret, and shows a line for each finding', async () => {
    const { results, text } = await test();
    should(results).eql(Array.from({ length: 9 }, () => 'ok'));
    should(text).match(/keeps no versions/);
    should(text).match(/Conditional writes are honoured/);
    should(text).not.containEql(S3_USER.secretAccessKey);
    should(await server.keys()).eql([]);
    should(editor.errors).eql([]);
  });

  it('tests typed values that are not deployed', async () => {
    await field('bucket').fill('no-such-bucket-at-all');
    const missing = await test();
    should(missing.results).eql(['failed']);
    should(missing.text).match(/no bucket of that name/);
    await field('bucket').fill(server.bucket);
    await field('secretAccessKey').fill('not-the-secret-of-this-key');
    const wrong = await test();
    should(wrong.text).match(/secret access key does not belong/);
    should(wrong.text).not.containEql('not-the-secret');
    should(nodeRed.log).not.containEql('not-the-secret');
  });

  it('reports an invalid value without a request to the store', async () => {
    const before = server.calls.length;
    await field('endpoint').fill('ftp://192.0.2.1');
    const { results, text } = await test();
    should(results).eql(['failed']);
    should(text).match(/"Endpoint" of the bucket must be/);
    should(server.calls).have.length(before);
  });

  it('says all that it finds in the language of the editor', async () => {
    await editor.close();
    await openDialog('ja');
    const { results, text } = await test();
    should(results).eql(Array.from({ length: 9 }, () => 'ok'));
    should(text).match(new RegExp(`バケット ${server.bucket} は存在し、キーを受け付けます。`));
    for (const line of text.split('\n')) should(line).match(/^[^.]*[ぁ-ん][^.]*。$/);
  });
});
