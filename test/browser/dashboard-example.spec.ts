import { existsSync, readdirSync, readFileSync, renameSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import should from 'should';
import { TelnyxStandIn } from '../../src/simulator/stand-in';
import { EditorPage } from '../support/editor-page';
import { DASHBOARD_EXAMPLE } from '../support/example-flow';
import { lookOf, TIDY } from '../support/flow-look';
import { tab } from '../support/flows';
import { sha256 } from '../support/media';
import { type FlowNode, NodeRedProcess } from '../support/node-red-process';
import { requireDashboard, requireProgram } from '../support/real-parts';
import { until } from '../support/until';

const SHOTS = process.env['SCREENSHOTS'];
const PLAYER = '/telnyx-dashboard-recording/';
const CALLER = '+15550100199';
const HOUR = 3_600_000;

/** A user of FlowFuse Dashboard who wants to hear calls there. */
describe('the example for FlowFuse Dashboard', function () {
  this.timeout(180_000);
  let standIn: TelnyxStandIn;
  let nodeRed: NodeRedProcess;
  let editor: EditorPage;
  let page: Page;
  let link: string;

  before('a browser, and Node-RED with FlowFuse Dashboard', async function () {
    const browser = requireProgram(this, '/usr/bin/chromium');
    const dashboard = requireDashboard(this);
    standIn = new TelnyxStandIn();
    await standIn.start();
    nodeRed = await NodeRedProcess.start({
      coreNodes: 'all',
      flow: [tab()],
      otherPackages: [dashboard],
      env: { TELNYX_PUBLIC_KEY: standIn.publicKey }
    });
    editor = await EditorPage.open(nodeRed, browser, { empty: true });
    editor.page.setDefaultTimeout(60_000);
  });

  after(async () => {
    // They are missing when there is no browser, or no dashboard.
    await (editor as EditorPage | undefined)?.close();
    await (nodeRed as NodeRedProcess | undefined)?.stop();
    await (standIn as TelnyxStandIn | undefined)?.stop();
  });

  /** What the user fills in, and what the stand-in needs. */
  async function fillIn(hasLogin: boolean): Promise<void> {
    const response = await nodeRed.admin('flows', { headers: { Accept: 'application/json' } });
    const changes: Record<string, object> = {
      tab: { env: [{ name: 'PAGE_HAS_LOGIN', value: String(hasLogin), type: 'bool' }] },
      'telnyx-account': { apiUrl: standIn.apiUrl },
      'telnyx-recording-download': { network: 'any' }
    };
    const flow = (await response.json()) as FlowNode[];
    // Only what changed restarts, as with the button of the editor.
    await nodeRed.deploy(
      flow.map((node) => ({ ...node, ...changes[node.type] })),
      'nodes'
    );
  }

  async function store(from: string, startedAt: number, seconds: number): Promise<string> {
    const call = { ...standIn.sample('call.recording.saved').recording!.call, from, to: '+15550100101' };
    const sent = standIn.sample('call.recording.saved', { call, startedAt, seconds, formats: ['wav'] });
    const address = `${nodeRed.url}/telnyx-dashboard`;
    should(await standIn.deliver(sent, address)).have.property('accepted', true);
    return standIn.expectedFiles(sent.recording!)[0]!.sha256;
  }

  const get = (where: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(nodeRed.url + where, { headers });

  async function shoot(name: string): Promise<void> {
    if (SHOTS !== undefined) await page.screenshot({ path: path.join(SHOTS, `${name}.png`) });
  }

  it('is imported and deployed, tidy and without a mark', async () => {
    await editor.importExample(DASHBOARD_EXAMPLE);
    await editor.deploy();
    const tabId = await editor.page.evaluate<string>('RED.workspaces.active()');
    const look = await lookOf(editor, tabId);
    if (SHOTS !== undefined)
      await editor.page.screenshot({ path: path.join(SHOTS, 'dashboard-example-flow.png') });
    should(look).have.properties(TIDY);
  });

  it('shows nothing until the user says that the page is behind a login', async () => {
    await fillIn(false);
    page = await editor.page.context().browser()!.newPage();
    page.setDefaultTimeout(60_000);
    page.on('pageerror', (error) => editor.errors.push(error.message));
    await page.goto(`${nodeRed.url}/dashboard/recordings`);
    await page.getByText('Put this page behind a login').waitFor();
    await store('+15550100142', Date.now() - HOUR, 2);
    await until('the file', () => stored().length === 1 || undefined);
    should(await page.getByRole('button', { name: /^Play/ }).count()).equal(0);
  });

  it('shows what is stored, latest first, with number, duration and SHA-256', async () => {
    await fillIn(true);
    // A deploy builds the widgets of open pages anew some time later, which ends what they play.
    await page.reload();
    await page
      .getByText('No recordings yet')
      .or(page.getByRole('button', { name: /^Play/ }))
      .first()
      .waitFor();
    const digest = await store(CALLER, Date.now(), 8);
    await page.getByText(digest).waitFor();
    const rows = page.locator('.recordings tbody tr');
    should(await rows.count()).equal(2);
    should(await rows.first().textContent())
      .containEql(CALLER)
      .and.containEql('0:08');
    should(await page.getByText('behind a login').count()).equal(0);
    await shoot('dashboard-example');
  });

  it('plays a row', async () => {
    await page.getByRole('button', { name: `Play ${CALLER}` }).click();
    await page.waitForFunction("document.querySelector('audio')?.currentTime > 0.2");
    should(Math.round(await page.evaluate<number>("document.querySelector('audio').duration"))).equal(8);
    link = new URL(await page.evaluate<string>("document.querySelector('audio').src")).pathname;
    await shoot('dashboard-example-playing');
    should(link).startWith(PLAYER);
    const whole = await get(link);
    should(whole.headers.get('content-type')).match(/^audio\//);
    const bytes = Buffer.from(await whole.arrayBuffer());
    should(stored().map((file) => sha256(readFileSync(file)))).containEql(sha256(bytes));
    // A jump.
    const part = await get(link, { range: 'bytes=100-199' });
    should(part.status).equal(206);
    should(Buffer.from(await part.arrayBuffer())).deepEqual(bytes.subarray(100, 200));
  });

  it('serves nothing else, whatever the browser asks for', async () => {
    const guesses = ['', 'x', '..%2f..%2fsettings.js', '%2fetc%2fpasswd', '__proto__', '%00', 'undefined'];
    for (const guess of [...guesses, ...stored().map(encodeURIComponent)]) {
      const { status } = await get(PLAYER + guess);
      should([guess, status]).deepEqual([guess, 404]);
    }
  });

  it('serves no link that took the place of a file', async () => {
    const bytes = sha256(Buffer.from(await (await get(link)).arrayBuffer()));
    const file = stored().find((each) => sha256(readFileSync(each)) === bytes)!;
    renameSync(file, `${file}.moved`);
    should((await get(link)).status).equal(404);
    symlinkSync(`${file}.moved`, file);
    should((await get(link)).status).equal(404);
  });

  it('causes no error in the browser', () => {
    should(editor.errors).eql([]);
  });

  /** The stored recordings. */
  function stored(): string[] {
    const folder = path.join(nodeRed.userDir, 'telnyx-recordings');
    const names = existsSync(folder) ? readdirSync(folder, { recursive: true }).map(String) : [];
    return names.filter((name) => name.endsWith('.wav')).map((name) => path.join(folder, name));
  }
});
