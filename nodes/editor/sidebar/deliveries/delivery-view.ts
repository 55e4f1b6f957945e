import {
  DETAILS_PATH,
  type DeliveryRow,
  type DetailsReply
} from '../../../sidebar/deliveries/deliveries-request';
import { button, element } from '../elements';
import { bytesText } from '../now/formats';
import { nodeLink } from '../now/section';
import type { TabContext } from '../tab';

export interface DeliveryViewParts {
  /** The id of a node that the editor knows. */
  alias: (id: string) => string;
  onBack: () => void;
  /** Null when the user may not replay. */
  onReplay: ((row: DeliveryRow) => void) | null;
}

/** The parts of a message, in the order in which people look at them. */
const PARTS = ['payload', 'event', 'topic'] as const;

/** One delivery: the message as it went to the flow, and how it was verified. */
export class DeliveryView {
  readonly view: HTMLElement;
  readonly #context: TabContext;
  readonly #parts: DeliveryViewParts;
  readonly #back: HTMLButtonElement;
  readonly #body = element('div');
  readonly #row: DeliveryRow;
  #isClosed = false;

  constructor(context: TabContext, row: DeliveryRow, parts: DeliveryViewParts) {
    this.#context = context;
    this.#parts = parts;
    this.#row = row;
    this.#back = button({ icon: 'arrow-left', text: context.say('archive.back') }, parts.onBack);
    this.view = element(
      'section',
      { class: 'telnyx-sidebar-delivery', 'aria-label': row.type },
      this.#back,
      this.#body
    );
    this.view.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      // The editor looks at where a key was pressed, which is gone by then.
      event.stopPropagation();
      parts.onBack();
    });
    void this.#load();
  }

  focus(): void {
    this.#back.focus();
  }

  close(): void {
    this.#isClosed = true;
  }

  async #load(): Promise<void> {
    const answer = await this.#context.write<DetailsReply>(DETAILS_PATH, { id: this.#row.id });
    if (this.#isClosed || this.#context.signal.aborted) return;
    if (answer.ok) this.#show(answer.reply);
    else
      this.#body.replaceChildren(
        element('p', { class: 'telnyx-sidebar-error', role: 'alert', text: answer.error })
      );
  }

  #show(details: DetailsReply): void {
    const { say } = this.#context;
    const { row, message, isCut } = details;
    const notes = [
      say('deliveries.masked'),
      isCut ? say('deliveries.cut') : '',
      row.path === null ? say('deliveries.choose-gone') : ''
    ];
    this.#body.replaceChildren(
      element('h4', { text: row.type }),
      this.#facts(details),
      this.#buttons(details),
      ...(message === null
        ? [element('p', { class: 'telnyx-sidebar-error', text: say('deliveries.not-read') })]
        : this.#message(message as Record<string, unknown>)),
      element('p', { class: 'telnyx-sidebar-hint', text: notes.filter((note) => note !== '').join(' ') })
    );
  }

  #message(message: Readonly<Record<string, unknown>>): HTMLElement[] {
    return PARTS.filter((name) => name in message).map((name) => {
      const text = JSON.stringify(message[name], null, 2);
      const details = element(
        'details',
        { class: 'telnyx-sidebar-json', open: name === 'payload' },
        element('summary', {}, element('code', { text: `msg.${name}` })),
        element('pre', { tabindex: 0, 'aria-label': `msg.${name}`, text })
      );
      return details;
    });
  }

  #buttons({ row, message }: DetailsReply): HTMLElement {
    const { say } = this.#context;
    const { onReplay } = this.#parts;
    const copy = button({ icon: 'clipboard', text: say('deliveries.copy') }, () =>
      RED.clipboard.copyText(JSON.stringify(message, null, 2), $(copy), say('archive.copied'))
    );
    const buttons = element('div', { class: 'telnyx-sidebar-buttons' }, copy);
    if (onReplay !== null && row.path !== null)
      buttons.append(button({ icon: 'repeat', text: say('deliveries.replay-one') }, () => onReplay(row)));
    return buttons;
  }

  #facts({ row, proof, contentType, answer }: DetailsReply): HTMLElement {
    const { say } = this.#context;
    const list = element('dl', { class: 'telnyx-sidebar-details' });
    const add = (label: string, value: HTMLElement | string | null): void => {
      if (value !== null) list.append(element('dt', { text: label }), element('dd', {}, value));
    };
    const node = nodeLink(this.#context, this.#parts.alias);
    node.show(row.node);
    add(say('deliveries.fact.node'), node.element);
    add(say('deliveries.fact.received'), new Date(row.at).toLocaleString());
    add(say('deliveries.state.label'), say('deliveries.state.' + row.state));
    add(say('deliveries.fact.id'), row.eventId);
    add(say('deliveries.fact.verified'), say('now.verified.' + proof.verified));
    if (proof.verified !== 'api')
      add(say('deliveries.fact.key'), say('deliveries.key', { number: proof.keyIndex + 1 }));
    add(say('deliveries.fact.fingerprint'), proof.fingerprint);
    add(
      say('deliveries.fact.signed'),
      proof.signedAt === null ? null : new Date(proof.signedAt).toLocaleString()
    );
    for (const { name, value } of proof.headers) add(name, value);
    add('content-type', contentType);
    if (answer !== null)
      add(
        say('deliveries.fact.answer'),
        [String(answer.status), answer.contentType, bytesText(answer.size)]
          .filter((part) => part !== null)
          .join(' · ')
      );
    return list;
  }
}
