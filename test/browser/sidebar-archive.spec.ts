import { readFileSync, writeFileSync } from 'node:fs';
import should from 'should';
import { TelnyxStandIn } from '../../src/simulator/stand-in';
import type { StandInRecording } from '../../src/simulator/telnyx/recording-shelf';
import { EditorPage } from '../support/editor-page';
import { account, node, recorder, tab, webhookIn } from '../support/flows';
import { NodeRedProcess } from '../support/node-red-process';
import { requireProgram } from '../support/real-parts';
import { READER_AUTH, SidebarPage, tokenOf } from '../support/sidebar';
import { until } from '../support/until';

const DAY = 86_400_000;
const CALL = {
  call_control_id: 'v3:made-up-control-id',
  call_leg_id: '11111111-2222-4333-8444-555555555555',
  call_session_id: '66666666-7777-4888-8999-000000000000',
  connection_id: '1234567890',
  from: '+15550100199',
  to: '+15550100101'
};

/** The part of a player that is read in the page. */
interface Heard {
  time: number;
  paused: boolean;
  duration: number;
}

/** A user who looks for a call of last week, in a Node-RED where users have to log in. */
describe('the tab Archive of the sidebar', function () {
  this.timeout(180_000);
  let standIn: TelnyxStandIn;
  let nodeRed: NodeRedProcess;
  let editor: EditorPage;
  let sidebar: SidebarPage;
  const files = new Map<string, string>();

  before('a browser, and a Node-RED that has stored recordings', async function () {
    const browser = requireProgram(this, '/usr/bin/chromium');
    standIn = new TelnyxStandIn();
    await standIn.start();
    nodeRed = await NodeRedProcess.start({
      settingsCode: READER_AUTH,
      flow: [
        tab(),
        account({ publicKeys: standIn.publicKey, apiUrl: standIn.apiUrl }),
        webhookIn({ x: 200, y: 100, wires: [['archive']] }),
        node('archive', 'telnyx-recording-download', {
          account: 'account',
          dailyAccount: '',
          destination: 'folder',
          folder: 'archive',
          filename: '{{year}}/{{recording_id}}.{{ext}}',
          format: 'any',
          sidecar: true,
          network: 'any',
          answer: 'never',
          x: 400,
          y: 100,
          wires: [['seen']]
        }),
        ...recorder()
      ]
    });
    const address = new URL(nodeRed.nodePath('/telnyx'), nodeRed.url).href;
    const lastWeek = Date.now() - 7 * DAY;
    const calls: Partial<StandInRecording>[] = [
      { call: CALL, formats: ['wav'], seconds: 8, startedAt: lastWeek },
      { call: { ...CALL, from: '+15550100142' }, formats: ['mp3'], seconds: 6 },
      { call: { ...CALL, from: '+15550100177' }, formats: ['wav'], seconds: 1 }
    ];
    for (const call of calls) {
      const sent = standIn.sample('call.recording.saved', call);
      should(await standIn.deliver(sent, address)).have.property('accepted', true);
    }
    for (const { recording } of await nodeRed.messages(3))
      files.set(String(recording?.['from']), String(recording?.['path']));
    editor = await EditorPage.open(nodeRed, browser);
    editor.page.setDefaultTimeout(60_000);
    sidebar = new SidebarPage(editor, nodeRed);
    await sidebar.becomeReader();
    await sidebar.open('archive');
  });

  after(async () => {
    // They are missing when there is no browser.
    await (editor as EditorPage | undefined)?.close();
    await (nodeRed as NodeRedProcess | undefined)?.stop();
    await (standIn as TelnyxStandIn | undefined)?.stop();
  });

  const rows = (): Promise<string[]> => sidebar.at('.telnyx-sidebar-row strong').allTextContents();
  const search = async (label: string, text: string, count: number): Promise<void> => {
    await sidebar.at(`.telnyx-sidebar-field:has-text("${label}") input`).fill(text);
    await until('the rows', async () => (await rows()).length === count || undefined);
  };
  const heard = (): Promise<Heard> =>
    editor.page.evaluate(
      `(({ currentTime, paused, duration }) => ({ time: currentTime, paused, duration }))
        (document.querySelector('.telnyx-sidebar audio'))`
    );
  const play = (): Promise<void> => sidebar.at('audio').click({ position: { x: 26, y: 26 } });
  const waveform = async (): Promise<number> =>
    editor.page.evaluate(`(() => {
      const host = [...document.querySelectorAll('.telnyx-sidebar-wave > *')].find((each) => each.shadowRoot);
      const canvas = host?.shadowRoot.querySelector('canvas');
      if (!canvas || canvas.width === 0) return 0;
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return data.filter((value, at) => at % 4 === 3 && value > 0).length;
    })()`);

  it('shows what is stored, latest first', async () => {
    await until('the rows', async () => (await rows()).length === 3 || undefined);
    should((await rows()).at(-1)).equal('+15550100199 → +15550100101');
    await sidebar.shoot('archive-list');
  });

  it("finds last week's call by the number of the caller, as people write it", async () => {
    await search('Number', '+1 (555) 010-0199', 1);
    should(await rows()).deepEqual(['+15550100199 → +15550100101']);
    await search('Number', CALL.call_session_id.slice(0, 8), 3);
    await search('Number', '999 999', 0);
    // The rows go when the search begins, the text comes when it ends.
    await sidebar.at('[role=status]:has-text("Nothing found")').waitFor();
    const day = new Date(Date.now() - 7 * DAY);
    const text = [day.getFullYear(), day.getMonth() + 1, day.getDate()].map((part) =>
      String(part).padStart(2, '0')
    );
    await search('Number', '', 3);
    await search('From', text.join('-'), 3);
    await search('To', text.join('-'), 1);
    should(await rows()).deepEqual(['+15550100199 → +15550100101']);
    await search('To', '', 3);
    await search('Number', '0100199', 1);
  });

  it('plays it, with its waveform, for a user who may only read', async () => {
    await sidebar.at('.telnyx-sidebar-row').click();
    await sidebar.at('audio[src]').waitFor();
    await until('the waveform', async () => (await waveform()) > 0 || undefined);
    should(nodeRed.log).not.match(/plays the recording/);
    await play();
    await until('sound', async () => (await heard()).time > 0.5 || undefined);
    should((await heard()).duration).be.approximately(8, 0.2);
    await sidebar.shoot('archive-recording');
    // A click into the waveform goes there.
    const box = (await sidebar.at('.telnyx-sidebar-wave').boundingBox())!;
    await editor.page.mouse.click(box.x + box.width * 0.75, box.y + box.height / 4);
    await until('the later part', async () => (await heard()).time > 5 || undefined);
    should(nodeRed.log.match(/The user reader plays the recording/g)).have.length(1);
    should(nodeRed.log).not.match(/archive\/media/);
  });

  it('checks its hash', async () => {
    await sidebar.at('button:has-text("Check")').click();
    await sidebar.at('.telnyx-sidebar-good').waitFor();
    should(await sidebar.at('.telnyx-sidebar-good').innerText()).match(/is what was stored/);
    const file = files.get(CALL.from)!;
    const bytes = readFileSync(file);
    const changed = Buffer.from(bytes);
    changed[1000] = (changed[1000] ?? 0) ^ 1;
    writeFileSync(file, changed);
    await sidebar.at('button:has-text("Check")').click();
    await sidebar
      .at('.telnyx-sidebar-hint.telnyx-sidebar-error:has-text("not the file that was stored")')
      .waitFor();
    await sidebar.shoot('archive-changed');
    writeFileSync(file, bytes);
  });

  it('saves it', async () => {
    const saving = editor.page.waitForEvent('download');
    await sidebar.at('button:has-text("Download")').click();
    const saved = await saving;
    should(readFileSync(await saved.path()).equals(readFileSync(files.get(CALL.from)!))).equal(true);
    await until('the note', () => /The user reader saves the recording/.test(nodeRed.log) || undefined);
  });

  it('goes back with the keyboard, to the row where the user was', async () => {
    await sidebar.at('.telnyx-sidebar-buttons button').first().focus();
    await editor.page.keyboard.press('Escape');
    should(await editor.page.evaluate('document.activeElement.className')).equal('telnyx-sidebar-row');
    should(await sidebar.at('audio').count()).equal(0);
  });

  it('decodes what only the browser can, once it plays', async () => {
    await search('Number', '0142', 1);
    await sidebar.at('.telnyx-sidebar-row:has-text("0142")').waitFor();
    await sidebar.at('.telnyx-sidebar-row').focus();
    await editor.page.keyboard.press('Enter');
    await sidebar.at('audio[src]').waitFor();
    await play();
    await until('sound', async () => (await heard()).time > 0.2 || undefined);
    await until('the waveform', async () => (await waveform()) > 0 || undefined);
    await sidebar.resize(200);
    await sidebar.shoot('archive-narrow');
    const widths = await editor.page.evaluate<number[]>(
      "(({ scrollWidth, clientWidth }) => [scrollWidth, clientWidth])(document.querySelector('.telnyx-sidebar-panel'))"
    );
    should(widths[0]).be.belowOrEqual(widths[1]!);
    await sidebar.resize(350);
    await sidebar.at('button:has-text("Back")').click();
  });

  it('tells why a recording cannot be played', async () => {
    const file = files.get('+15550100177')!;
    writeFileSync(file, 'not the recording');
    await search('Number', '0177', 1);
    await sidebar.at('.telnyx-sidebar-row:has-text("0177")').waitFor();
    await sidebar.at('.telnyx-sidebar-row').click();
    await sidebar.at('[role=alert]:has-text("was changed")').waitFor();
    should(await sidebar.at('audio[src]').count()).equal(0);
  });

  it('holds nothing once it is closed', async () => {
    await sidebar.leave();
    should(await editor.page.evaluate("document.querySelectorAll('.telnyx-sidebar audio').length")).equal(0);
  });

  it('serves nothing without a ticket, and nothing to pages of other sites', async () => {
    const url = new URL('telnyx-sidebar/archive/', nodeRed.editorUrl).href;
    should((await fetch(`${url}media/made-up`)).status).equal(404);
    const token = await tokenOf(nodeRed, 'reader');
    const ask = (headers: Record<string, string>) =>
      fetch(`${url}search`, {
        method: 'POST',
        body: '{}',
        headers: { 'content-type': 'application/json', ...headers }
      });
    should((await ask({ authorization: `Bearer ${token}` })).status).equal(200);
    should((await ask({ authorization: `Bearer ${token}`, 'sec-fetch-site': 'cross-site' })).status).equal(
      403
    );
  });

  it('has no error in the console', () => {
    // That of the recording that was changed is the answer to a button.
    should(editor.errors.filter((error) => !/status of 400/.test(error))).deepEqual([]);
  });
});
