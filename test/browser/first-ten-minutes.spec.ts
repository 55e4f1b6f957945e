import { createHash } from 'node:crypto';
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import should from 'should';
import { EditorPage } from '../support/editor-page';
import { NodeRedProcess } from '../support/node-red-process';
import { REPOSITORY } from '../support/packed-package';
import { requireProgram } from '../support/real-parts';
import { stopAtFailure } from '../support/steps';

const EXAMPLE = 'Try it without an account';
const PACKAGE = '@red-telephony/node-red-telnyx';

/** The steps for a newcomer; a step that the documents no longer contain fails. */
const README = readFileSync(path.join(REPOSITORY, 'README.md'), 'utf8');
const GUIDE = readFileSync(path.join(REPOSITORY, 'docs', 'five-minute-start.md'), 'utf8');
const trial = GUIDE.split('\n## 3. The simulator\n')[1]?.split('\n## ')[0] ?? '';
const commands = trial.split('\n').map((line) => line.trim());

function command(beginning: string): string {
  const found = commands.find((line) => line.startsWith(`npx -p ${PACKAGE} telnyx-simulator ${beginning}`));
  if (found === undefined) throw new Error(`The guide has no command telnyx-simulator ${beginning}`);
  return found;
}

/** An empty user directory, an unconfigured Node-RED, and a person who reads the documents. */
describe('the first ten minutes', function () {
  this.timeout(300_000);
  stopAtFailure();
  let nodeRed: NodeRedProcess;
  let editor: EditorPage;
  let begun: number;

  before('a browser, and a Node-RED with the package installed', async function () {
    const browser = requireProgram(this, '/usr/bin/chromium');
    nodeRed = await NodeRedProcess.start();
    editor = await EditorPage.open(nodeRed, browser, { empty: true });
    editor.page.setDefaultTimeout(60_000);
    begun = performance.now();
  });

  after(async () => {
    // Both are missing when there is no browser.
    await (editor as EditorPage | undefined)?.close();
    await (nodeRed as NodeRedProcess | undefined)?.stop();
  });

  afterEach(async function () {
    const folder = process.env['SCREENSHOTS'];
    if (folder === undefined) return;
    const name = `${this.currentTest?.title.replaceAll(/\W/g, '-') ?? 'test'}.png`;
    await editor.page.screenshot({ path: path.join(folder, name) });
  });

  /** In a terminal in the user directory. The package is installed, so npx does not ask for it. */
  async function type(line: string): Promise<{ code: number; output: string }> {
    const env = {
      ...process.env,
      HOME: nodeRed.userDir,
      npm_config_offline: 'true',
      // Otherwise npm may add that there is a newer one.
      npm_config_update_notifier: 'false'
    };
    const run = promisify(execFile)('/bin/sh', ['-c', line], { cwd: nodeRed.userDir, env });
    const end = await run.catch((error: unknown) => error as Awaited<typeof run> & { code: number });
    return { code: 'code' in end ? end.code : 0, output: `${end.stdout}${end.stderr}` };
  }

  it('import the example from the menu', async () => {
    should(README).containEql(`*Import*, *Examples*, \`${PACKAGE}\`, *1 Start here*, **${EXAMPLE}**`);
    should(GUIDE).containEql(`*Import*, *Examples*, \`${PACKAGE}\`, *1 Start here*, **${EXAMPLE}**`);
    await editor.importExample(EXAMPLE);
    await editor.node(await editor.idOf('Made-up calls')).waitFor();
  });

  it('deploy too early, and see what is missing', async () => {
    await editor.deploy();
    await editor.status('Made-up calls', /^no public key$/);
  });

  it('print the key, paste it, deploy', async () => {
    const { output } = await type(command('key'));
    const key = output.trim();
    should(key).match(/^[A-Za-z0-9+/]{43}=$/);
    const { page } = editor;
    await editor.edit(await editor.idOf('Made-up calls'));
    const dialog = page.locator('.red-ui-tray').last();
    await dialog
      .locator('.form-row', { hasText: 'Account' })
      .locator('a.red-ui-button, button')
      .first()
      .click();
    await page.locator('#node-config-input-publicKeys').fill(key);
    await page.locator('#node-config-dialog-ok').click();
    await page.locator('#node-config-dialog-ok').waitFor({ state: 'detached' });
    await editor.done();
    await editor.deploy();
    const ready = await editor.status('Made-up calls', /^ready, key \S{8}… of the account$/);
    should(ready).containEql(key.slice(0, 8));
  });

  it('send a made-up recording, and find its file', async () => {
    const line = command('send').replace('http://127.0.0.1:1880', nodeRed.url);
    const { code, output } = await type(line);
    should(output).containEql('The flow fetched 1 of 1 recording.');
    should(code).equal(0);
    await editor.status('Made-up calls', /^1 received, key \S{8}… of the account$/);
    await editor.status('Store made-up recordings', /^1 stored$/);
    const folder = path.join(nodeRed.userDir, 'telnyx-trial');
    const files = readdirSync(folder, { recursive: true }).map(String);
    const stored = files.filter((name) => /\.wav$/.test(name));
    should(stored).have.length(1);
    should(files.filter((name) => /\.wav\.json$/.test(name))).have.length(1);
    const file = path.join(folder, stored[0]!);
    const { sha256 } = JSON.parse(readFileSync(`${file}.json`, 'utf8')) as { sha256: string };
    should(createHash('sha256').update(readFileSync(file)).digest('hex')).equal(sha256);
    console.log(
      `      (${Math.round((performance.now() - begun) / 1000)} s from the open editor to the file)`
    );
  });

  it('see in the dialog how this recording is named', async () => {
    await editor.edit(await editor.idOf('Store made-up recordings'));
    const from = editor.page.locator('#telnyx-recording-download-preview-from');
    await from.getByText('As the latest stored recording would be named.').waitFor();
    const [stored] = readdirSync(path.join(nodeRed.userDir, 'telnyx-trial'), { recursive: true })
      .map(String)
      .filter((name) => name.endsWith('.wav'));
    const preview = editor.page.locator('#telnyx-recording-download-preview');
    should(await preview.textContent()).equal(`telnyx-trial/${stored}`);
    await editor.page.locator('#node-dialog-cancel').click();
    await editor.page.locator('.red-ui-tray').waitFor({ state: 'detached' });
  });

  it('see the details in the Debug sidebar', async () => {
    const { page } = editor;
    await page.evaluate("RED.sidebar.show('debug')");
    const message = page.locator('.red-ui-debug-msg', { hasText: 'stored file' });
    should(await message.textContent()).containEql('call.recording.saved');
    // Nor was the deploy without a key a fault of the newcomer.
    should(await page.locator('.red-ui-debug-content-list').innerText()).not.match(/no.public.key/i);
  });

  it('see what is wrong when the key differs', async () => {
    const line = command('send').replace('http://127.0.0.1:1880', nodeRed.url);
    const { code, output } = await type(`${line} --key-file other.json`);
    should(code).equal(1);
    should(output).containEql('answered 401').and.containEql('in the account, and deployed?');
  });

  it('cause no error in the browser', () => {
    should(editor.errors).eql([]);
  });
});
