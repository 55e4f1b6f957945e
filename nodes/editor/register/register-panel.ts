import { HIDDEN_PASSWORD } from '../../config/hidden-password';
import type { AccountValues, ApiCall, Outcome } from '../../config/webhooks/webhooks-request';
import { icon, markedItem, type Mark } from '../lib/marks';
import { askRuntime, mayWrite } from '../lib/runtime-call';
import { toldError } from '../lib/told-error';
import { isChosen, textOf } from '../lib/validators';

/** What came of a request, with or without an answer of the runtime. */
export type Done<Result> = { ok: true; result: Result } | { ok: false; error: string; isHopeless: boolean };

/** The part of a webhook dialog that works at the provider: its buttons, what was found, and every call. */
export class RegisterPanel {
  readonly #node: EditorNode;
  readonly #path: string;

  /** @param path of the route in the runtime */
  constructor(node: EditorNode, path: string) {
    this.#node = node;
    this.#path = path;
  }

  /** Whether the dialog is still open: work for a closed one stops. */
  get isOpen(): boolean {
    return document.contains(this.find('register')[0] ?? null);
  }

  /** An element of the dialog. */
  find(name: string): JQuery {
    return $(`#${this.#node.type}-${name}`);
  }

  say(key: string, values?: Record<string, string | number>): string {
    const { type } = this.#node;
    return this.#node._(`${type}.register.${key}`, values);
  }

  /** What is wrong with the address. */
  sayAddress(fault: string): string {
    const { type } = this.#node;
    return this.#node._(`${type}.address.${fault}`);
  }

  /** Leaves only a note for a user who may only look. */
  prepare(): void {
    if (mayWrite()) return;
    this.find('register').children().hide();
    this.find('register').append($('<div class="form-tips"></div>').text(this.say('not-permitted')));
  }

  button(icon: string, text: string, act: () => Promise<void> | void): JQuery {
    return $('<button type="button" class="red-ui-button"></button>')
      .append($('<i aria-hidden="true"></i>').addClass(`fa ${icon}`))
      .append(' ')
      .append($('<span></span>').text(text))
      .css('margin-right', '6px')
      .on('click', () => void act());
  }

  /** Runs something with all buttons off, because the runtime does one thing at a time. */
  async busy(act: () => Promise<void>): Promise<void> {
    const buttons = (): JQuery => this.find('register').find('button');
    buttons().prop('disabled', true);
    try {
      await act();
    } finally {
      buttons().prop('disabled', false);
    }
  }

  /** The account in the dialog; null when none is chosen. */
  account(): (AccountValues & { hmac: string }) | null {
    const chosen = $('#node-input-account').val();
    const config = isChosen(chosen) ? RED.nodes.node(textOf(chosen)) : null;
    if (!config) return null;
    // What was typed since the last deploy; the rest is known to the runtime only.
    const secret = (name: string): string => {
      const typed = config.credentials?.[name];
      return typeof typed === 'string' ? typed : HIDDEN_PASSWORD;
    };
    const apiUrl = textOf(config['apiUrl']);
    const proxy = isChosen(config['proxy']) ? textOf(config['proxy']) : '';
    return { account: config.id, apiUrl, proxy, apiKey: secret('apiKey'), hmac: secret('hmac') };
  }

  /** Sends a request, and adds its calls to those that are shown. */
  async ask<Result>(values: object): Promise<Done<Result>> {
    const account = this.account();
    if (account === null) return { ok: false, error: this.say('no-account'), isHopeless: true };
    const answer = await askRuntime<Outcome<Result>>(
      this.#path,
      { ...account, ...values },
      { notPermitted: this.say('not-permitted'), notReached: this.say('not-reached') }
    );
    if (!answer.ok) return { ok: false, error: answer.error, isHopeless: true };
    const outcome = answer.reply;
    this.#showCalls(outcome.calls);
    if ('result' in outcome) return { ok: true, result: outcome.result };
    const { error, code, isHopeless } = outcome;
    return { ok: false, error: toldError(code, error), isHopeless };
  }

  /** A line with an icon. */
  line(mark: Mark, text: string): JQuery {
    return $('<div style="margin: 4px 0"></div>')
      .attr('data-result', mark)
      .append(icon(mark))
      .append(' ')
      .append($('<span></span>').text(text));
  }

  /** A URL, which may be long. */
  url(text: string): JQuery {
    return $('<code style="white-space: normal; word-break: break-all"></code>').text(text);
  }

  #showCalls(calls: readonly ApiCall[]): void {
    const box = this.find('calls').show();
    const list = box.find('ul');
    for (const { call, error, code } of calls)
      list.append(
        error === null ? markedItem('ok', call) : markedItem('failed', `${call}: ${toldError(code, error)}`)
      );
    box.find('summary span').text(list.children().length);
  }
}
