import type { DailyWebhookState } from '../../../src/providers/daily/webhooks/daily-webhook';
import { DAILY_EVENT_TYPES } from '../../config/daily-event-types';
import {
  DAILY_WEBHOOKS_PATH,
  type DailyWebhookChange,
  type DailyWebhookList,
  type ShownWebhook
} from '../../config/webhooks/webhooks-request';
import type { Mark } from '../lib/marks';
import { entriesOf } from '../lib/validators';
import { shownAddress } from './public-url';
import { RegisterPanel } from './register-panel';
import { markStored } from './stored-secret';

const MARKS: Readonly<Record<DailyWebhookState, Mark>> = {
  active: 'ok',
  failed: 'failed',
  inactive: 'warning',
  unknown: 'warning'
};

/** Shows the webhooks of the domain, creates that of the node, and activates it again. */
export function prepareDailyRegister(node: EditorNode): void {
  new DailyRegister(node).prepare();
}

class DailyRegister {
  readonly #node: EditorNode;
  readonly #panel: RegisterPanel;
  /** The webhook URL of the node, as the runtime resolved it. */
  #own = '';
  #isServed = false;

  constructor(node: EditorNode) {
    this.#node = node;
    this.#panel = new RegisterPanel(node, DAILY_WEBHOOKS_PATH);
  }

  prepare(): void {
    const panel = this.#panel;
    // Not a property of the node, so it is not part of the form.
    const events = $('<textarea rows="3" spellcheck="false" style="width: 70%"></textarea>');
    events.attr('id', `${this.#node.type}-events`).val(DAILY_EVENT_TYPES.join(', '));
    const { type } = this.#node;
    const label = $('<label></label>')
      .attr('for', `${type}-events`)
      .text(this.#node._(`${type}.label.events`));
    panel.find('create').before(label, events);
    panel.find('list').on('click', () => void panel.busy(() => this.#list()));
    panel.find('create').on('click', () => this.#confirm());
    panel.prepare();
  }

  async #list(): Promise<void> {
    const panel = this.#panel;
    const found = panel.find('found').empty().show();
    panel.find('new').hide();
    panel.find('confirm').empty();
    found.append(panel.line('running', panel.say('listing')));
    const done = await panel.ask<DailyWebhookList>({ action: 'list', ...this.#address() });
    if (!panel.isOpen) return;
    found.empty();
    if (!done.ok) {
      found.append(panel.line('failed', done.error));
      return;
    }
    const { webhooks, url, isServed } = done.result;
    this.#own = url;
    this.#isServed = isServed;
    if (webhooks.length === 0) found.append($('<div></div>').text(panel.say('none')));
    for (const shown of webhooks) found.append(this.#row(shown));
    panel.find('new').toggle(!webhooks.some(({ isOwn }) => isOwn));
  }

  #address(): { base: string; path: string } {
    const { base, path } = shownAddress(this.#node);
    return { base, path };
  }

  #row({ webhook, isOwn, secret }: ShownWebhook): JQuery {
    const panel = this.#panel;
    const { uuid, url, state, event_types, failed_count, retry_type } = webhook;
    const row = $('<div class="daily-webhook-in-webhook" style="margin-bottom: 8px"></div>').attr(
      'data-state',
      state
    );
    row.append(panel.url(url ?? uuid));
    row.append(panel.line(MARKS[state], panel.say(`state.${state}`, { count: failed_count ?? 0 })));
    row.append($('<div></div>').text(panel.say('types', { types: event_types.join(', ') })));
    if (!isOwn) {
      row.append($('<div></div>').text(panel.say('elsewhere')));
      return row;
    }
    if (retry_type !== 'exponential') row.append(panel.line('warning', panel.say('circuit-breaker')));
    if (secret === 'unstated') row.append(panel.line('warning', panel.say('secret-unstated')));
    if (secret === 'unknown') {
      row.append(panel.line('failed', panel.say('secret-unknown')));
      row.append(
        panel.button('fa-key', panel.say('store'), () => this.#act('store', uuid)).addClass('store')
      );
    }
    if (state !== 'active')
      row.append(
        panel
          .button('fa-refresh', panel.say('activate'), () => this.#act('activate', uuid))
          .addClass('activate')
      );
    return row;
  }

  async #act(action: 'store' | 'activate', uuid: string): Promise<void> {
    const values = { action, uuid, url: this.#own, ...this.#address() };
    await this.#change(values, action === 'store' ? 'stored' : 'activated');
  }

  #confirm(): void {
    const panel = this.#panel;
    const { fault, isTyped } = shownAddress(this.#node);
    const box = $('<div class="form-tips" role="group"></div>').appendTo(panel.find('confirm').empty());
    box.append($('<div style="font-weight: bold"></div>').text(panel.say('confirm')));
    box.append(panel.url(this.#own));
    const eventTypes = entriesOf(panel.find('events').val());
    box.append($('<div></div>').text(panel.say('types', { types: eventTypes.join(', ') })));
    if (fault !== null) {
      const problem = fault === 'private' && !isTyped ? 'local' : fault;
      box.append(panel.line('warning', panel.sayAddress(problem)));
    }
    if (!this.#isServed) box.append(panel.line('warning', panel.say('not-served')));
    const isImpossible = fault === 'not-an-address' || (fault === 'private' && !isTyped);
    const values = { action: 'create', url: this.#own, eventTypes, ...this.#address() };
    const create = panel.button('fa-check', panel.say('create'), () => this.#change(values, 'created'));
    box.append(create.attr('id', `${this.#node.type}-change`).toggle(!isImpossible));
    box.append(panel.button('fa-times', panel.say('cancel'), () => void panel.find('confirm').empty()));
  }

  async #change(values: object, success: string): Promise<void> {
    const panel = this.#panel;
    await panel.busy(async () => {
      panel
        .find('confirm')
        .empty()
        .append(panel.line('running', panel.say('asking')));
      const account = panel.account()?.account ?? '';
      const done = await panel.ask<DailyWebhookChange>(values);
      if (done.ok && done.result.isStored) await markStored(account);
      if (!panel.isOpen) return;
      await this.#list();
      const outcome = done.ok ? panel.line('ok', panel.say(success)) : panel.line('failed', done.error);
      panel.find('confirm').empty().append(outcome);
      if (done.ok && done.result.isStored)
        panel.find('confirm').append(panel.line('warning', panel.say('deploy')));
    });
  }
}
