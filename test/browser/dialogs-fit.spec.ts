import should from 'should';
import { dailyAccount, dailyWebhookIn } from '../support/daily';
import type { EditorPage } from '../support/editor-page';
import { useEditor } from '../support/use-editor';
import type { FlowNode } from '../support/node-red-process';
import { account, config, node, recorder, tab, webhookIn } from '../support/flows';

const LONG_PATH = `/${'a-long-path/'.repeat(8)}end`;
const TRANSLATIONS = ['de', 'es', 'fr', 'ja', 'ko', 'pt-BR', 'zh-CN'];
const KINDS = ['event', 'family', 'recording', 'unknown', 'else'];

/** Each dialog with everything visible. */
const FLOW = [
  tab(),
  account(),
  dailyAccount(),
  config('bucket', 'telnyx-bucket', { endpoint: 'http://s3.example.com', bucket: 'archive', sse: 'aws:kms' }),
  webhookIn({ reply: 'flow', path: LONG_PATH, x: 300, y: 100 }),
  dailyWebhookIn({ reply: 'flow', path: `${LONG_PATH}-daily`, x: 300, y: 160 }),
  node('switch', 'telnyx-event-switch', {
    ...{ property: 'event.event_type', propertyType: 'msg', checkall: 'false', outputs: KINDS.length },
    rules: KINDS.map((t) => ({ t, v: t === 'family' ? 'fax' : 'call.*' })),
    wires: KINDS.map(() => [])
  }),
  node('download', 'telnyx-recording-download', {
    ...{ destination: 'folder', filename: '{{recording_id}}', deleteAtSource: true, network: 'any' },
    ...{ account: 'account', dailyAccount: 'daily', dailyBucket: 'bucket', sidecar: true }
  }),
  node('list', 'telnyx-recording-list', { provider: 'daily', dailyAccount: 'daily', wires: [[], []] }),
  node('deliveries', 'telnyx-delivery-list', { source: 'telnyx', account: 'account', wires: [[], []] }),
  ...recorder()
];

/** Elements that are cut off, wrapped, unnamed, or unreachable by keyboard. */
const FAULTS = `(() => {
  const tray = [...document.querySelectorAll('.red-ui-tray')].pop();
  const right = tray.getBoundingClientRect().right;
  const shown = (each) => each.getClientRects().length > 0;
  const ours = (each) => shown(each) && !/^red-ui-trap/.test(each.id);
  const faults = [];
  const found = (what, each) => faults.push(what + ': ' + (each.id || each.textContent.trim() || each.outerHTML));
  for (const each of [...tray.querySelectorAll('form label, form h4, form .form-tips, form pre, form code')].filter(shown)) {
    if (each.getBoundingClientRect().right > right) found('over the edge', each);
    if (each.matches('.form-row > label') && each.getBoundingClientRect().height > 30) found('two lines', each);
    if (each.matches('.form-tips') && each.scrollWidth > each.clientWidth) found('wider than its box', each);
  }
  for (const each of [...tray.querySelectorAll('form :is(input, select, textarea, button)')].filter(ours)) {
    if (each.getBoundingClientRect().right > right) found('over the edge', each);
    if (each.id && each.tabIndex < 0) found('no key gets there', each);
    if (each.id && each.type !== 'button' && !each.labels?.length && !each.hasAttribute('aria-label'))
      found('no name', each);
  }
  return faults;
})()`;

/** The labels of our nodes in the palette: how many lines each has, and whether it is cut off. */
const PALETTE_LABELS = `[...document.querySelectorAll('#red-ui-palette-telnyx .red-ui-palette-label')].map((label) => {
  const lines = document.createRange();
  lines.selectNodeContents(label);
  const tops = new Set([...lines.getClientRects()].map(({ top }) => Math.round(top)));
  return { text: label.textContent, lines: tops.size, isCut: label.scrollWidth > label.clientWidth };
})`;

const OURS = FLOW.filter((each) => /^(telnyx|daily)-/.test(each.type));

describe('the dialogs of all nodes', function () {
  this.timeout(120_000);
  let editor: EditorPage;

  useEditor({ flow: FLOW }, (opened) => ({ editor } = opened));

  /** Opens a dialog with all its sections, and closes it again. */
  async function faultsOf({ id, type }: FlowNode): Promise<string[]> {
    const isConfig = /-(account|bucket)$/.test(type);
    await editor.page.evaluate(
      isConfig ? `RED.editor.editConfig('', '${type}', '${id}')` : `RED.editor.edit(RED.nodes.node('${id}'))`
    );
    const button = (name: string) =>
      editor.page.locator(isConfig ? `#node-config-dialog-${name}` : `#node-dialog-${name}`);
    await button('ok').waitFor();
    await editor.page.evaluate(
      "document.querySelectorAll('.red-ui-tray details').forEach((each) => { each.open = true; })"
    );
    // The tray slides in; measurements before it stops are useless.
    await editor.page.waitForFunction(
      `(() => { const tray = [...document.querySelectorAll('.red-ui-tray')].pop();
        const now = tray.getBoundingClientRect().left, before = window.trayLeft;
        window.trayLeft = now; return now === before; })()`,
      undefined,
      { polling: 100 }
    );
    const faults = await editor.page.evaluate<string[]>(FAULTS);
    await button('cancel').click();
    await editor.page.locator('.red-ui-tray').waitFor({ state: 'detached' });
    return faults;
  }

  async function wrappedLabels(): Promise<unknown[]> {
    const labels =
      await editor.page.evaluate<{ text: string; lines: number; isCut: boolean }[]>(PALETTE_LABELS);
    should(labels).have.length(FLOW.filter(({ type }) => /-(in|switch|download|list)$/.test(type)).length);
    return labels.filter(({ lines, isCut }) => lines !== 1 || isCut);
  }

  for (const width of [1280, 900]) {
    for (const each of OURS) {
      it(`${each.type} fits a window of ${width} pixels, and every field has a name`, async () => {
        await editor.page.setViewportSize({ width, height: 900 });
        should(await faultsOf(each)).deepEqual([]);
      });
    }
  }

  it('belong to nodes whose labels fit into one line of the palette', async () => {
    should(await wrappedLabels()).deepEqual([]);
  });

  for (const language of TRANSLATIONS) {
    it(`fit in ${language}, too`, async () => {
      await editor.page.evaluate(`localStorage.setItem('editor-language', '${language}')`);
      await editor.page.reload();
      await editor.page.locator('.red-ui-flow-node-group').first().waitFor();
      await editor.page.locator('#red-ui-loading-progress').waitFor({ state: 'hidden' });
      const faults = [];
      // Most languages need more room than English: a label may take a second line there.
      for (const each of OURS)
        faults.push(
          ...(await faultsOf(each))
            .filter((fault) => !fault.startsWith('two lines'))
            .map((fault) => `${each.type} ${fault}`)
        );
      should(faults).deepEqual([]);
      should(await wrappedLabels()).deepEqual([]);
      await editor.page.evaluate("localStorage.removeItem('editor-language')");
    });
  }

  it('cause no error in the console', () => {
    should(editor.errors).deepEqual([]);
  });
});
