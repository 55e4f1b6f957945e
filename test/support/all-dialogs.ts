import should from 'should';
import { dailyAccount, dailyWebhookIn } from './daily';
import type { EditorPage } from './editor-page';
import { account, config, node, recorder, tab, webhookIn } from './flows';
import type { FlowNode } from './node-red-process';

const LONG_PATH = `/${'a-long-path/'.repeat(8)}end`;
const KINDS = ['event', 'family', 'recording', 'unknown', 'else'];

/** One node of each type, whose dialogs show everything they have. */
export const ALL_DIALOGS: FlowNode[] = [
  tab(),
  account(),
  dailyAccount(),
  config('bucket', 'telnyx-bucket', { endpoint: 'http://s3.example.com', bucket: 'archive', sse: 'aws:kms' }),
  config('queue', 'telnyx-queue', { url: 'redis://redis.example.com', prefix: 'telnyx', whenAway: 'hold' }),
  config('retention', 'telnyx-retention', {
    policy: 'Calls',
    keepUntil: '365',
    deleteAfter: '730',
    lockMode: 'compliance',
    timestampUrl: '',
    rules: [
      { when: { events: 'call.*', direction: 'inbound', number: '+1555' }, keepUntil: '', deleteAfter: '90' }
    ]
  }),
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
  node('archived', 'telnyx-archive', { action: 'sweep', folder: 'telnyx-recordings', bucket: 'bucket' }),
  ...recorder()
];

/** Those of our types. */
export const OUR_NODES = ALL_DIALOGS.filter((each) => /^(telnyx|daily)-/.test(each.type));

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

/** The dialogs of `ALL_DIALOGS`, one after another. */
export class AllDialogs {
  constructor(private readonly editor: EditorPage) {}

  /** Opens a dialog with all its sections, looks at it, and closes it again. */
  async whileOpen<Result>({ id, type }: FlowNode, look: () => Promise<Result>): Promise<Result> {
    const { page } = this.editor;
    const isConfig = /-(account|bucket|queue|retention)$/.test(type);
    await page.evaluate(
      isConfig ? `RED.editor.editConfig('', '${type}', '${id}')` : `RED.editor.edit(RED.nodes.node('${id}'))`
    );
    const button = (name: string) =>
      page.locator(isConfig ? `#node-config-dialog-${name}` : `#node-dialog-${name}`);
    await button('ok').waitFor();
    await page.evaluate(
      "document.querySelectorAll('.red-ui-tray details').forEach((each) => { each.open = true; })"
    );
    // The tray slides in; measurements before it stops are useless.
    await page.waitForFunction(
      `(() => { const tray = [...document.querySelectorAll('.red-ui-tray')].pop();
        const now = tray.getBoundingClientRect().left, before = window.trayLeft;
        window.trayLeft = now; return now === before; })()`,
      undefined,
      { polling: 100 }
    );
    const result = await look();
    await button('cancel').click();
    await page.locator('.red-ui-tray').waitFor({ state: 'detached' });
    return result;
  }

  /** What does not fit into the dialog on top, or has no name. */
  async faults(): Promise<string[]> {
    return this.editor.page.evaluate<string[]>(FAULTS);
  }

  /** Labels of the palette that do not fit into one line. */
  async wrappedLabels(): Promise<unknown[]> {
    const labels =
      await this.editor.page.evaluate<{ text: string; lines: number; isCut: boolean }[]>(PALETTE_LABELS);
    should(labels).have.length(
      OUR_NODES.filter(({ type }) => !/-(account|bucket|queue|retention)$/.test(type)).length
    );
    return labels.filter(({ lines, isCut }) => lines !== 1 || isCut);
  }
}
