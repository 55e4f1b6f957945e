import { WEBHOOK_KINDS, type WebhookSetting } from '../../../src/providers/telnyx/webhooks/webhook-kinds';
import { TELNYX_WEBHOOKS_PATH, type TelnyxWebhookList } from '../../config/webhooks/webhooks-request';
import { icon } from '../lib/marks';
import { textOf } from '../lib/validators';
import { shownAddress } from './public-url';
import { RegisterPanel } from './register-panel';

/** A listed webhook URL, and its row. */
interface Row {
  setting: WebhookSetting;
  box: JQuery;
  element: JQuery;
}

/** Lists the webhook URLs of the account, and sets chosen ones to that of the node. */
export function prepareTelnyxRegister(node: EditorNode): void {
  new TelnyxRegister(node).prepare();
}

class TelnyxRegister {
  readonly #node: EditorNode;
  readonly #panel: RegisterPanel;
  #rows: Row[] = [];
  /** The webhook URL of the node, as the runtime resolved it. */
  #own = '';
  #isServed = false;

  constructor(node: EditorNode) {
    this.#node = node;
    this.#panel = new RegisterPanel(node, TELNYX_WEBHOOKS_PATH);
  }

  prepare(): void {
    const panel = this.#panel;
    panel.find('list').on('click', () => void panel.busy(() => this.#list()));
    // Not a property of the node, so it is not part of the form.
    const filter = $('<input type="text" spellcheck="false" style="width: 200px; margin-left: 6px">');
    filter.attr({
      id: `${this.#node.type}-filter`,
      placeholder: panel.say('filter'),
      'aria-label': panel.say('filter')
    });
    filter.insertAfter(panel.find('list')).on('keydown', (event) => {
      if (event.key !== 'Enter') return;
      event.preventDefault();
      panel.find('list').trigger('click');
    });
    panel.prepare();
  }

  async #list(): Promise<void> {
    const panel = this.#panel;
    const found = panel.find('found').empty().show();
    panel.find('confirm').empty();
    this.#rows = [];
    const { base, path } = shownAddress(this.#node);
    const name = textOf(panel.find('filter').val()).trim();
    for (const kind of WEBHOOK_KINDS) {
      const heading = $('<h5 style="margin: 8px 0 4px"></h5>').text(panel.say(`kind.${kind}`));
      const waiting = panel.line('running', panel.say('listing'));
      found.append(heading, waiting);
      const done = await panel.ask<TelnyxWebhookList>({ action: 'list', kind, name, base, path });
      if (!panel.isOpen) return;
      waiting.remove();
      if (done.ok) this.#show(done.result);
      else found.append(panel.line('failed', done.error));
      if (!done.ok && done.isHopeless) break;
    }
    if (this.#rows.some(({ box }) => !box.prop('disabled'))) this.#offerChange();
  }

  #show({ settings, isCut, unreadable, url, isServed }: TelnyxWebhookList): void {
    const panel = this.#panel;
    const found = panel.find('found');
    this.#own = url;
    this.#isServed = isServed;
    if (settings.length === 0) found.append($('<div></div>').text(panel.say('none')));
    for (const setting of settings) {
      const row = this.#rowOf(setting);
      this.#rows.push(row);
      found.append(row.element);
      this.#fill(row, setting);
    }
    if (isCut) found.append(panel.line('warning', panel.say('cut', { count: settings.length })));
    if (unreadable > 0) found.append(panel.line('warning', panel.say('unreadable', { count: unreadable })));
  }

  #rowOf(setting: WebhookSetting): Row {
    const id = `${this.#node.type}-choice-${this.#rows.length}`;
    const box = $(
      '<input type="checkbox" style="width: auto; margin: 3px 6px 0 0; flex: none; align-self: flex-start">'
    ).attr('id', id);
    const text = $('<label style="width: auto; margin: 0; min-width: 0; flex: 1"></label>').attr('for', id);
    const element = $(
      '<div class="telnyx-webhook-in-choice" style="display: flex; margin-bottom: 6px"></div>'
    );
    element.append(box, text);
    box.on('change', () => this.#offerChange());
    return { setting, box, element };
  }

  /** Shows what Telnyx has now. */
  #fill(row: Row, setting: WebhookSetting): void {
    const panel = this.#panel;
    row.setting = setting;
    const isOwn = setting.url === this.#own && setting.alongside.length === 0;
    const isFixed = setting.collection === null;
    row.box.prop('disabled', isOwn || isFixed).prop('checked', false);
    const what = this.#nameOf(setting);
    const label = row.element.children('label').empty().append($('<div></div>').text(what));
    if (setting.url === null) label.append($('<em></em>').text(panel.say('no-url')));
    else label.append(panel.url(setting.url));
    if (setting.failover !== null)
      label.append(
        $('<div></div>').append(
          document.createTextNode(`${panel.say('failover')} `),
          panel.url(setting.failover)
        )
      );
    if (isOwn) label.append(panel.line('ok', panel.say('own')));
    if (isFixed && !isOwn) label.append(panel.line('warning', panel.say('fixed')));
  }

  #nameOf({ name, id, field }: WebhookSetting): string {
    const isOneOfTwo = field === 'voice_url' || field === 'status_callback';
    return `${name || id}${isOneOfTwo ? ` · ${this.#panel.say(`field.${field}`)}` : ''}`;
  }

  #chosen(): Row[] {
    return this.#rows.filter(({ box }) => box.is(':checked'));
  }

  #offerChange(): void {
    const panel = this.#panel;
    const count = this.#chosen().length;
    const ask = panel.button('fa-arrow-right', panel.say('choose', { count }), () => this.#confirm());
    panel
      .find('confirm')
      .empty()
      .append(ask.attr('id', `${this.#node.type}-choose`).toggle(count > 0));
  }

  #confirm(): void {
    const panel = this.#panel;
    const chosen = this.#chosen();
    const place = panel.find('confirm').empty();
    const box = $('<div class="form-tips" role="group"></div>').appendTo(place);
    box.append($('<div style="font-weight: bold"></div>').text(panel.say('confirm')));
    for (const { setting } of chosen) {
      const old = setting.url === null ? $('<em></em>').text(panel.say('no-url')) : panel.url(setting.url);
      const line = $('<div style="margin: 6px 0"></div>').append(
        $('<div></div>').text(this.#nameOf(setting))
      );
      line.append(old, document.createTextNode(' → '), panel.url(this.#own));
      for (const { field, from, to } of setting.alongside)
        line.append($('<div></div>').text(`${field}: ${from ?? panel.say('no-url')} → ${to}`));
      box.append(line);
    }
    for (const warning of this.#warnings(chosen)) box.append(panel.line('warning', warning));
    const { isTyped, fault } = shownAddress(this.#node);
    const isImpossible = fault === 'not-an-address' || (fault === 'private' && !isTyped);
    const change = panel.button('fa-check', panel.say('change', { count: chosen.length }), () =>
      panel.busy(() => this.#change(chosen))
    );
    change.attr('id', `${this.#node.type}-change`).toggle(!isImpossible);
    box.append(
      change,
      panel.button('fa-times', panel.say('cancel'), () => this.#offerChange())
    );
  }

  #warnings(chosen: readonly Row[]): string[] {
    const { fault, isTyped } = shownAddress(this.#node);
    const warnings: string[] = [];
    if (fault !== null) {
      const problem = fault === 'private' && !isTyped ? 'local' : fault;
      warnings.push(this.#panel.sayAddress(problem));
    }
    if (!this.#isServed) warnings.push(this.#panel.say('not-served'));
    const asksFlow = chosen.some(({ setting }) => setting.field === 'voice_url');
    if (asksFlow && $('#node-input-reply').val() !== 'flow') warnings.push(this.#panel.say('needs-flow'));
    return warnings;
  }

  /** One after the other, so that a fault hits one and the result of each is seen. */
  async #change(chosen: readonly Row[]): Promise<void> {
    const panel = this.#panel;
    const { base, path } = shownAddress(this.#node);
    panel.find('confirm').empty();
    const open = new Set(chosen);
    let failed = 0;
    for (const row of chosen) {
      const { collection, id, field, url: expected } = row.setting;
      const running = icon('running').css('margin-left', '6px').appendTo(row.element.children('label'));
      const values = { action: 'set', collection, id, field, expected: expected ?? '', url: this.#own };
      const done = await panel.ask<{ setting: WebhookSetting }>({ ...values, base, path });
      if (!panel.isOpen) return;
      running.remove();
      open.delete(row);
      if (done.ok) this.#fill(row, done.result.setting);
      else {
        failed += 1;
        row.element.children('label').append(panel.line('failed', done.error));
        if (done.isHopeless) break;
      }
    }
    const set = chosen.length - failed - open.size;
    const counts = { set, count: chosen.length };
    this.#offerChange();
    panel
      .find('confirm')
      .prepend(
        failed === 0
          ? panel.line('ok', panel.say('all-set', counts))
          : panel.line('failed', panel.say(open.size > 0 ? 'broken-off' : 'some-set', { ...counts, failed }))
      );
  }
}
