import type { Locator } from 'playwright-core';
import should from 'should';
import type { EditorPage } from '../support/editor-page';
import { useEditor } from '../support/use-editor';
import { account, node, recorder, tab, webhookIn } from '../support/flows';
import type { FlowNode, NodeRedProcess } from '../support/node-red-process';
import { TRUSTED } from '../support/sign';

const FLOW: FlowNode[] = [
  tab(),
  account({ publicKeys: TRUSTED.publicKey }),
  webhookIn({ x: 200, y: 100 }),
  { ...webhookIn({ x: 200, y: 180, path: '/other', name: 'the other' }), id: 'other' },
  // As saved before there were a delivery log and a queue.
  {
    ...webhookIn({ x: 200, y: 260, path: '/old', name: 'an old one', keep: undefined, queue: undefined }),
    id: 'old'
  },
  node('elsewhere', 'debug', { x: 700, y: 300 }),
  ...recorder().map((each, at) => ({ ...each, x: 640, y: 420 + 60 * at }))
];

describe('telnyx-webhook-in in the editor', function () {
  this.timeout(120_000);
  let nodeRed: NodeRedProcess;
  let editor: EditorPage;

  useEditor({ flow: FLOW, httpNodeRoot: '/api' }, (opened) => ({ nodeRed, editor } = opened));

  afterEach('no open dialog before the next test', async () => {
    for (const button of ['#node-config-dialog-cancel', '#node-dialog-cancel']) {
      if (await editor.page.locator(button).isVisible()) await editor.page.locator(button).click();
    }
    await editor.page.locator('.red-ui-tray').waitFor({ state: 'detached' });
  });

  const field = (name: string): Locator => editor.page.locator(`#node-input-${name}`);
  const url = (): Promise<string> => editor.page.locator('#telnyx-webhook-in-url').innerText();

  async function cancel(): Promise<void> {
    await editor.page.locator('#node-dialog-cancel').click();
    await editor.page.locator('.red-ui-tray').waitFor({ state: 'detached' });
  }

  /** The editor's complaint about a value of a property; empty if it is valid. */
  async function objection(name: string, value: unknown, id = 'webhook'): Promise<string> {
    const result = await editor.page.evaluate<unknown>(
      `(() => {
        const node = RED.nodes.node(${JSON.stringify(id)});
        const value = ${value === undefined ? 'undefined' : JSON.stringify(value)};
        return node._def.defaults.${name}.validate.call(node, value, {});
      })()`
    );
    return result === true ? '' : String(result);
  }

  const errorsOf = async (id: string): Promise<string> =>
    JSON.stringify((await editor.property(id, 'validationErrors')) ?? []);

  it('treats the saved flow as valid and unchanged', async () => {
    for (const id of ['webhook', 'other']) {
      should(await editor.property(id, 'valid')).be.true();
      should(await errorsOf(id)).equal('[]');
    }
    await editor.edit('webhook');
    await editor.done();
    should(await editor.property('webhook', 'changed')).not.be.true();
  });

  it('keeps a flow of an older version valid when its dialog is opened and closed', async () => {
    should(await editor.property('old', 'keep')).be.undefined();
    await editor.edit('old');
    await editor.done();
    should(await editor.property('old', 'valid')).be.true();
    should(await editor.property('old', 'keep')).equal('7');
  });

  it('shows the address to copy, below httpNodeRoot, while the path is typed', async () => {
    await editor.edit('webhook');
    (await url()).should.equal(`${nodeRed.url}/api/telnyx`);
    await field('path').fill('/hooks//telnyx');
    (await url()).should.equal(`${nodeRed.url}/api/hooks/telnyx`);
    await cancel();
  });

  it('asks for a time limit only where the flow answers', async () => {
    await editor.edit('webhook');
    (await field('replyTimeout').isVisible()).should.be.false();
    await field('reply').selectOption('flow');
    (await field('replyTimeout').isVisible()).should.be.true();
    await field('reply').selectOption('at-once');
    (await field('replyTimeout').isVisible()).should.be.false();
    await cancel();
  });

  describe('says what is wrong', () => {
    const rows: [property: string, wrong: unknown[], reason: RegExp, right: unknown[]][] = [
      ['tolerance', ['0', '86401', '1.5', 'abc', ''], /whole number from 1 to 86400/, ['1', '86400', 300]],
      ['maxBody', ['0', '67108865', '1.5', ' x'], /whole number from 1 to 67108864/, ['1', 67108864]],
      ['replyTimeout', ['0', '3601', 'soon'], /number from 0.1 to 3600/, ['0.1', '3600', 10]],
      [
        'path',
        ['telnyx', '/a b', '/a?b', '/a#b', '/:a', '/*', '/(a)', '/caf\u00e9', '/a/../b', '/./a', '/a\\b', ''],
        /must begin with/,
        ['/telnyx', '/a/b-c_d.e~f/', '/%20', '/a..b']
      ],
      ['path', ['/', '//'], /must have a name/, []],
      ['path', ['/other', '/OTHER/', '//other'], /same path/, ['/others', '/other/x']]
    ];
    for (const [property, wrong, reason, right] of rows) {
      it(`${property}: ${String(reason)}`, async () => {
        for (const value of wrong) (await objection(property, value)).should.match(reason);
        for (const value of right) (await objection(property, value)).should.equal('', String(value));
      });
    }

    it('but leaves environment variables to the runtime, and flows of older versions alone', async () => {
      for (const property of ['tolerance', 'maxBody', 'replyTimeout']) {
        for (const value of ['${SOME_VALUE}', undefined]) {
          (await objection(property, value)).should.equal('', property);
        }
      }
      (await objection('path', '${SOME_PATH}')).should.equal('');
    });

    it('and keeps away from the editor only where both share a root', async () => {
      (await objection('path', '/flows')).should.equal('');
      await editor.page.evaluate("RED.settings.httpNodeRoot = '/'");
      for (const path of ['/flows', '/auth/token', '/Settings/']) {
        (await objection('path', path)).should.match(/editor of Node-RED/);
      }
      (await objection('path', '/flows-x')).should.equal('');
      await editor.page.evaluate("RED.settings.httpNodeRoot = '/api'");
    });

    it('at the field and at the node', async () => {
      await editor.edit('webhook');
      await editor.openAdvanced();
      await field('tolerance').fill('0');
      await field('maxBody-mib').fill('none');
      await editor.page.locator('#node-input-tolerance.input-error').waitFor();
      await editor.done();
      should(await editor.property('webhook', 'valid')).be.false();
      (await errorsOf('webhook')).should
        .match(/tolerance must be a whole number/)
        .and.match(/Body limit\\" must be more than 0 and at most 64 MiB/);
      await editor.page.evaluate("RED.actions.invoke('core:undo')");
      should(await editor.property('webhook', 'valid')).be.true();
    });
  });

  it('reports two nodes on one path, unless one of them is disabled', async () => {
    await editor.edit('other');
    await field('path').fill('/Telnyx/');
    // The editor checks a field on blur or on a key press; filled-in text has no key presses.
    await field('path').blur();
    await editor.page.locator('#node-input-path.input-error').waitFor();
    await editor.done();
    (await errorsOf('other')).should.match(/same path/);
    (await objection('path', '/telnyx', 'webhook')).should.match(/same path/);
    await editor.page.evaluate("RED.nodes.node('other').d = true");
    (await objection('path', '/telnyx', 'webhook')).should.equal('');
    await editor.page.evaluate("RED.nodes.node('other').d = false");
    const tabId = JSON.stringify(FLOW[0]?.id);
    await editor.page.evaluate(`RED.nodes.workspace(${tabId}).disabled = true`);
    (await objection('path', '/telnyx', 'webhook')).should.equal('');
    await editor.page.evaluate(`RED.nodes.workspace(${tabId}).disabled = false`);
    await editor.page.evaluate("RED.actions.invoke('core:undo')");
    (await objection('path', '/telnyx', 'webhook')).should.equal('');
  });

  it('adds and removes its second output with the switch, and keeps the wires of the first', async () => {
    const ports = editor.node('webhook').locator('.red-ui-flow-port-output');
    (await ports.count()).should.equal(1);
    await editor.edit('webhook');
    await editor.openAdvanced();
    await field('rejectedOutput').check();
    await editor.done();
    should(await editor.property('webhook', 'outputs')).equal(2);
    await editor.page.waitForFunction("RED.nodes.node('webhook').outputs === 2");
    (await ports.count()).should.equal(2);
    (await editor.wires('webhook')).should.deepEqual([{ port: 0, to: 'seen' }]);
    const labels = await editor.page.evaluate<string[]>(
      "[0, 1].map((port) => RED.nodes.node('webhook')._def.outputLabels.call(RED.nodes.node('webhook'), port))"
    );
    labels.should.deepEqual(['events', 'refused deliveries']);

    await editor.page.evaluate(
      "RED.nodes.addLink({ source: RED.nodes.node('webhook'), sourcePort: 1, target: RED.nodes.node('elsewhere') })"
    );
    await editor.deploy();
    const deployed = async (): Promise<FlowNode | undefined> => {
      const response = await nodeRed.admin('flows', { headers: { 'Node-RED-API-Version': 'v2' } });
      const { flows } = (await response.json()) as { flows: FlowNode[] };
      return flows.find(({ id }) => id === 'webhook');
    };
    should(await deployed()).have.properties({
      rejectedOutput: true,
      outputs: 2,
      wires: [['seen'], ['elsewhere']]
    });

    await editor.edit('webhook');
    (await field('rejectedOutput').isChecked()).should.be.true();
    await field('rejectedOutput').uncheck();
    await editor.done();
    (await ports.count()).should.equal(1);
    (await editor.wires('webhook')).should.deepEqual([{ port: 0, to: 'seen' }]);
    await editor.deploy();
    should(await deployed()).have.properties({ rejectedOutput: false, outputs: 1, wires: [['seen']] });
  });

  it('has the documented defaults when taken from the palette, and requires an account', async () => {
    const palette = editor.page.locator('[data-palette-type="telnyx-webhook-in"]');
    await editor.page.locator('#red-ui-palette-search input').fill('telnyx in');
    (await palette.innerText()).should.match(/^\s*telnyx\s+in\s*$/);
    const known = await editor.page.evaluate<string[]>('RED.nodes.filterNodes({}).map((each) => each.id)');
    await palette.dragTo(editor.page.locator('#red-ui-workspace-chart'), {
      targetPosition: { x: 300, y: 300 }
    });
    const added = await editor.page.waitForFunction(
      `RED.nodes.filterNodes({ type: 'telnyx-webhook-in' }).find((each) => !${JSON.stringify(known)}.includes(each.id))?.id`
    );
    const id = String(await added.jsonValue());
    const values = await editor.page.evaluate<Record<string, unknown>>(
      `(({ path, reply, replyTimeout, tolerance, duplicates, maxBody, acceptGet, rawBody, rejectedOutput, outputs }) =>
        ({ path, reply, replyTimeout: Number(replyTimeout), tolerance: Number(tolerance), duplicates,
           maxBody: Number(maxBody), acceptGet, rawBody, rejectedOutput, outputs }))(RED.nodes.node('${id}'))`
    );
    values.should.deepEqual({
      path: '/telnyx',
      reply: 'at-once',
      replyTimeout: 10,
      tolerance: 300,
      duplicates: 'drop',
      maxBody: 1_048_576,
      acceptGet: false,
      rawBody: false,
      rejectedOutput: false,
      outputs: 1
    });
    // It uses the existing account; another node already has the path.
    (await errorsOf(id)).should.match(/same path/);
    (await objection('path', '/third', id)).should.equal('');
    await editor.page.evaluate("RED.actions.invoke('core:undo')");
  });

  it('has a translation for every text, a label for every field, and no error in the console', async () => {
    await editor.edit('webhook');
    await field('reply').selectOption('flow');
    const form = editor.page.locator('#dialog-form');
    (await form.innerText()).should.not.match(/telnyx-webhook-in/);
    const unnamed = await form
      .locator(':is(input:not([type=hidden], [id^=red-ui-trap]), select)')
      .evaluateAll((fields) =>
        fields
          .filter((each) => each.getClientRects().length > 0)
          .filter((each) => !each.hasAttribute('aria-label') && !(each as HTMLInputElement).labels?.length)
          .map((each) => each.outerHTML)
      );
    unnamed.should.deepEqual([]);
    await cancel();
    editor.errors.should.deepEqual([]);
  });

  it('fits: no label wraps, nothing is cut off', async () => {
    await editor.edit('webhook');
    await field('reply').selectOption('flow');
    const tall = await editor.page
      .locator('#dialog-form .form-row > label')
      .evaluateAll((labels) =>
        labels.filter((label) => label.getBoundingClientRect().height > 30).map((label) => label.textContent)
      );
    tall.should.deepEqual([]);
    const wide = await editor.page.evaluate<boolean>(
      "(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)(document.querySelector('#dialog-form'))"
    );
    wide.should.be.false();
    await cancel();
  });
});
