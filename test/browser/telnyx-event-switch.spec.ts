import type { Locator } from 'playwright-core';
import should from 'should';
import type { EditorPage } from '../support/editor-page';
import { useEditor } from '../support/use-editor';
import { node, recorder, tab } from '../support/flows';
import type { FlowNode, NodeRedProcess } from '../support/node-red-process';

/** An inject node that sends an event like a webhook node. */
function sender(id: string, event_type: string, payload: object): FlowNode {
  const props = [
    { p: 'event', v: JSON.stringify({ provider: 'telnyx', event_type }), vt: 'json' },
    { p: 'payload', v: JSON.stringify(payload), vt: 'json' }
  ];
  return node(id, 'inject', { props, repeat: '', crontab: '', once: false, wires: [['switch']] });
}

const FLOW: FlowNode[] = [
  tab(),
  node('switch', 'telnyx-event-switch', {
    x: 300,
    y: 200,
    name: 'by type',
    property: 'event.event_type',
    propertyType: 'msg',
    rules: [{ t: 'event', v: 'call.*' }, { t: 'family', v: 'fax' }, { t: 'recording' }],
    checkall: 'false',
    outputs: 3,
    wires: [['calls'], ['faxes'], ['recordings']]
  }),
  ...recorder('calls', 'calls.jsonl'),
  ...recorder('faxes', 'faxes.jsonl'),
  ...recorder('recordings', 'recordings.jsonl'),
  sender('hangup', 'call.hangup', {}),
  sender('saved', 'call.recording.saved', { recording_urls: { mp3: 'https://media.example.com/r1.mp3' } })
].map((each, at) => ('x' in each && each.id !== 'switch' ? { ...each, x: 600, y: 60 + 60 * at } : each));

describe('telnyx-event-switch in the editor', function () {
  this.timeout(120_000);
  let nodeRed: NodeRedProcess;
  let editor: EditorPage;

  useEditor({ flow: FLOW }, (opened) => ({ nodeRed, editor } = opened));

  const rows = (): Locator => editor.page.locator('#node-input-rules-list > li');
  const kind = (row: number): Locator => rows().nth(row).locator('select.telnyx-event-switch-kind');
  const pattern = (row: number): Locator => rows().nth(row).locator('input.telnyx-event-switch-event');
  const family = (row: number): Locator => rows().nth(row).locator('select.telnyx-event-switch-family');

  const list = (): Locator => editor.page.locator('.telnyx-combo-list');
  const option = (type: string): Locator => list().getByRole('option').filter({ hasText: type }).first();
  const active = (field: Locator): Promise<string | null> =>
    field.evaluate(
      (each) =>
        each.ownerDocument.getElementById(each.getAttribute('aria-activedescendant') ?? '')?.firstElementChild
          ?.textContent ?? null
    );

  async function shown(): Promise<string[]> {
    const texts: string[] = [];
    for (let row = 0; row < (await rows().count()); row++) {
      const chosen = await kind(row).inputValue();
      const value = chosen === 'event' ? pattern(row) : chosen === 'family' ? family(row) : null;
      texts.push(value === null ? chosen : `${chosen} ${await value.inputValue()}`);
    }
    return texts;
  }

  async function drag(from: number, to: number): Promise<void> {
    const handle = rows().nth(from).locator('.red-ui-editableList-item-handle');
    await handle.hover();
    await editor.page.mouse.down();
    const target = await rows().nth(to).boundingBox();
    const x = target!.x + target!.width - 60;
    const y = target!.y + (to < from ? 2 : target!.height - 2);
    await editor.page.mouse.move(x, y, { steps: 10 });
    await editor.page.mouse.move(x, y + (to < from ? -6 : 6), { steps: 5 });
    await editor.page.mouse.up();
  }

  it('shows the saved rules, with the families of the catalogue as choices', async () => {
    await editor.edit('switch');
    (await shown()).should.deepEqual(['event call.*', 'family fax', 'recording']);
    await family(1).locator('option[value="recording"]').waitFor({ state: 'attached' });
    (await family(1).locator('option').count()).should.be.above(20);
    await editor.done();
    should(await editor.property('switch', 'changed')).not.be.true();
  });

  it('keeps wires with their rules when rules are removed, added and moved', async () => {
    await editor.edit('switch');
    await rows().nth(1).locator('.red-ui-editableList-item-remove').click();
    await editor.page.waitForFunction("$('#node-input-rules-list > li').length === 2");
    await editor.page.locator('.red-ui-editableList-addButton').click();
    (await kind(2).inputValue()).should.equal('event');

    await pattern(2).pressSequentially('conference.*, fax.rec');
    await option('fax.received').waitFor();
    await editor.page.keyboard.press('Enter');
    (await shown()).should.deepEqual(['event call.*', 'recording', 'event conference.*, fax.received']);

    // Last, because removing and adding renumber the rows, too.
    await drag(1, 0);
    (await shown()).should.deepEqual(['recording', 'event call.*', 'event conference.*, fax.received']);
    (await rows().locator('.telnyx-event-switch-number').allInnerTexts()).should.deepEqual(['1', '2', '3']);
    await editor.done();

    (await editor.wires('switch')).should.deepEqual([
      { port: 0, to: 'recordings' },
      { port: 1, to: 'calls' }
    ]);
    (await editor.property('switch', 'outputs'))!.should.equal(3);
    should(await editor.property('switch', 'rules')).deepEqual([
      { t: 'recording' },
      { t: 'event', v: 'call.*' },
      { t: 'event', v: 'conference.*, fax.received' }
    ]);
  });

  it('deploys the displayed rules, and displays them again', async () => {
    await editor.deploy();
    const { flows } = (await (
      await nodeRed.admin('flows', { headers: { 'Node-RED-API-Version': 'v2' } })
    ).json()) as { flows: FlowNode[] };
    const deployed = flows.find(({ id }) => id === 'switch')!;
    should(deployed['wires']).deepEqual([['recordings'], ['calls'], []]);
    should(deployed['rules']).deepEqual(await editor.property('switch', 'rules'));

    await nodeRed.admin('inject/saved', { method: 'POST' });
    await nodeRed.admin('inject/hangup', { method: 'POST' });
    const [saved] = await nodeRed.messages(1, { file: 'recordings.jsonl' });
    const [hangup] = await nodeRed.messages(1, { file: 'calls.jsonl' });
    should(saved?.event?.['event_type']).equal('call.recording.saved');
    should(hangup?.event?.['event_type']).equal('call.hangup');
    nodeRed.recorded('faxes.jsonl').should.be.empty();

    await editor.edit('switch');
    (await shown()).should.deepEqual(['recording', 'event call.*', 'event conference.*, fax.received']);
    await editor.done();
  });

  it('restores rules and wires when the edit is undone', async () => {
    await editor.edit('switch');
    await rows().nth(0).locator('.red-ui-editableList-item-remove').click();
    await editor.page.waitForFunction("$('#node-input-rules-list > li').length === 2");
    await editor.done();
    (await editor.wires('switch')).should.deepEqual([{ port: 0, to: 'calls' }]);
    await editor.page.evaluate("RED.actions.invoke('core:undo')");
    (await editor.wires('switch')).should.deepEqual([
      { port: 0, to: 'recordings' },
      { port: 1, to: 'calls' }
    ]);
    should(await editor.property('switch', 'outputs')).equal(3);
  });

  it('names each output by its rule', async () => {
    const labels = await editor.page.evaluate<string[]>(
      "[0, 1, 2].map((port) => RED.nodes.node('switch')._def.outputLabels.call(RED.nodes.node('switch'), port))"
    );
    labels.should.deepEqual(['carries a recording', 'call.*', 'conference.*, fax.received']);
  });

  it('reports which rule is invalid', async () => {
    await editor.edit('switch');
    await editor.page.locator('.red-ui-editableList-addButton').click();
    // The completions of the new rule are shown over the button.
    await list().waitFor();
    await editor.page.keyboard.press('Escape');
    await editor.page.locator('.red-ui-editableList-addButton').click();
    await list().waitFor();
    await editor.page.keyboard.press('Escape');
    await kind(4).selectOption('family');
    (await pattern(4).isVisible()).should.be.false();
    (await family(4).getAttribute('class'))!.should.match(/input-error/);
    await editor.done();
    should(await editor.property('switch', 'valid')).be.false();
    JSON.stringify(await editor.property('switch', 'validationErrors'))
      .should.match(/Rule 4 has no event type/)
      .and.match(/Rule 5 has no family/);
  });

  it('offers the known types on focus, and is used with the keyboard', async () => {
    await editor.edit('switch');
    const field = pattern(1);
    await field.fill('');
    await field.blur();
    should(await list().count()).equal(0);
    await field.focus();
    await list().waitFor();
    should(await list().getAttribute('role')).equal('listbox');
    should(await field.getAttribute('aria-expanded')).equal('true');
    should(await field.getAttribute('aria-controls')).equal(await list().getAttribute('id'));
    should(await list().getByRole('option').count()).be.above(250);
    const groups = await list()
      .getByRole('group')
      .evaluateAll((all) => all.map((one) => one.firstElementChild?.textContent ?? ''));
    should(groups[0]).match(/^Telnyx · /);
    should(groups.some((title) => title.startsWith('Daily · '))).be.true();
    should(await active(field)).be.null();
    await editor.page.keyboard.press('ArrowDown');
    should(await active(field)).equal('call.recording.saved');
    await editor.page.keyboard.press('ArrowUp');
    await editor.page.keyboard.press('ArrowDown');
    await editor.page.keyboard.press('Enter');
    should(await field.inputValue()).equal('call.recording.saved');
    should(await list().count()).equal(0);

    await field.fill('call.hangup, rec');
    should(await active(field)).equal('call.recording.saved');
    await editor.page.keyboard.press('Escape');
    should(await list().count()).equal(0);
    should(await field.inputValue()).equal('call.hangup, rec');
    await field.fill('call.hangup, ready');
    await option('recording.ready-to-download').click();
    should(await field.inputValue()).equal('call.hangup, recording.ready-to-download');
    await editor.page.locator('#node-dialog-cancel').click();
    await editor.page.locator('.red-ui-tray').waitFor({ state: 'detached' });
  });

  it('warns of a type that no catalogue knows, and offers the nearest', async () => {
    await editor.edit('switch');
    const doubts = rows().nth(1).locator('.telnyx-event-switch-doubts');
    should(await doubts.innerText()).equal('');
    await pattern(1).fill('call.recordng.saved, call.*, calls.*');
    await pattern(1).blur();
    await doubts.getByText('No known event has the type call.recordng.saved.').waitFor();
    await doubts.getByText('No known event type fits calls.*.').waitFor();
    await doubts.getByRole('button', { name: 'Did you mean call.recording.saved?' }).click();
    should(await pattern(1).inputValue()).equal('call.recording.saved, call.*, calls.*');
    await editor.page.keyboard.press('Escape');
    // Another property holds other texts.
    await editor.page.locator('.red-ui-typedInput-input').first().fill('payload.kind');
    await editor.page.locator('.red-ui-typedInput-input').first().blur();
    should(await doubts.innerText()).equal('');
    await editor.page.locator('#node-dialog-cancel').click();
    await editor.page.locator('.red-ui-tray').waitFor({ state: 'detached' });
  });

  it('has a translation for every text, and no error in the console', async () => {
    await editor.edit('switch');
    const form = editor.page.locator('#dialog-form');
    (await form.innerText()).should.not.match(/telnyx-event-switch/);
    const unnamed = await form
      .locator('.form-row :is(input:not([type=hidden]), select)')
      .evaluateAll((fields) =>
        fields
          .filter((field) => field.getClientRects().length > 0)
          .filter((field) => !field.hasAttribute('aria-label') && !(field as HTMLInputElement).labels?.length)
          .map((field) => field.outerHTML)
      );
    unnamed.filter((field) => !field.includes('red-ui-typedInput')).should.deepEqual([]);
    await editor.done();
    editor.errors.should.deepEqual([]);
  });
});
