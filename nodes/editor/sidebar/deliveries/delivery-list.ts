import {
  type DeliveriesReply,
  type DeliveryRow,
  MOST_REPLAYED,
  SEARCH_PATH
} from '../../../sidebar/deliveries/deliveries-request';
import type { RuntimeAnswer } from '../../lib/runtime-call';
import { button, element } from '../elements';
import { countText, timeText } from '../now/formats';
import { type Tone, dot, setText } from '../now/section';
import type { TabContext } from '../tab';

/** Rows that one click, or one scroll to the end, adds. */
const STEP_ROWS = 50;
/** Rows in the page: as many as one replay takes. */
const MOST_ROWS = MOST_REPLAYED;
/** New rows that are added one by one; after more, the list is loaded again. */
const MOST_NEW = 200;
/** Rows that wait and are asked about again. */
const MOST_AGAIN = 200;

function toneOf(state: DeliveryRow['state']): Tone {
  if (state === 'handed-over') return 'good';
  return state === 'waiting' ? 'waiting' : 'idle';
}

interface ShownRow {
  row: DeliveryRow;
  readonly element: HTMLElement;
  /** Null when the user may not replay. */
  readonly box: HTMLInputElement | null;
  show(row: DeliveryRow): void;
}

export interface DeliveryListEvents {
  onOpen: (row: DeliveryRow, chosen: HTMLElement) => void;
  /** The user has chosen others, or the list has. */
  onChoice: () => void;
  onReply: (reply: DeliveriesReply) => void;
}

/** The deliveries that a search has found, latest first: older ones while the user scrolls, new ones as they come. */
export class DeliveryList {
  readonly view: HTMLElement;
  readonly #context: TabContext;
  readonly #events: DeliveryListEvents;
  readonly #list: HTMLElement;
  readonly #state = element('p', { class: 'telnyx-sidebar-hint', role: 'status' });
  readonly #more: HTMLButtonElement;
  readonly #stop: HTMLButtonElement;
  readonly #again: HTMLButtonElement;
  readonly #bottom: IntersectionObserver;
  readonly #rows = new Map<string, ShownRow>();
  #query: Readonly<Record<string, unknown>> = {};
  #next: string | null = null;
  /** What comes later is after this; null before the first answer. */
  #end: string | null = null;
  #looked = 0;
  /** Counts searches: what belongs to an earlier one is dropped. */
  #turn = 0;
  #isBusy = false;
  /** Resolves when the pages that were asked for are shown. */
  #fetching = Promise.resolve();

  constructor(context: TabContext, events: DeliveryListEvents) {
    const { say, signal, may } = context;
    this.#context = context;
    this.#events = events;
    this.#list = element('ul', { class: 'telnyx-sidebar-rows', 'aria-label': say('deliveries.found') });
    if (may('flows.write')) this.#list.classList.add('telnyx-sidebar-choosable');
    this.#more = button({ text: say('archive.more') }, () => void this.#continue());
    this.#stop = button({ icon: 'stop', text: say('archive.stop') }, () => this.#halt());
    this.#again = button(
      { icon: 'refresh', text: say('deliveries.again') },
      () => void this.begin(this.#query)
    );
    this.view = element('div', {}, this.#list, this.#state, this.#more, this.#stop, this.#again);
    this.#bottom = new IntersectionObserver((entries) => {
      if (entries.at(-1)?.isIntersecting === true) void this.#continue();
    });
    this.#bottom.observe(this.#more);
    signal.addEventListener('abort', () => this.close(), { once: true });
    this.#show(false);
  }

  close(): void {
    this.#turn += 1;
    this.#bottom.disconnect();
  }

  /** The chosen deliveries, latest first. */
  get chosen(): DeliveryRow[] {
    return [...this.#list.children].flatMap((each) => {
      const shown = this.#rows.get((each as HTMLElement).dataset['id'] ?? '');
      return shown?.box?.checked === true ? [shown.row] : [];
    });
  }

  /** How many rows could be chosen. */
  get size(): number {
    return this.#rows.size;
  }

  /** Begins a new search. */
  async begin(query: Readonly<Record<string, unknown>>): Promise<void> {
    this.#turn += 1;
    this.#query = query;
    this.#next = null;
    this.#end = null;
    this.#looked = 0;
    this.#rows.clear();
    this.#list.replaceChildren();
    this.#events.onChoice();
    await this.#begin(STEP_ROWS);
  }

  /** Chooses all that match, as many as one replay takes; loads what is not shown yet. */
  async chooseAll(): Promise<void> {
    const turn = this.#turn;
    await this.#fetching;
    if (turn !== this.#turn) return;
    if (this.#next !== null) await this.#begin(MOST_ROWS);
    if (turn === this.#turn) this.#choose(true);
  }

  chooseNone(): void {
    this.#choose(false);
  }

  /** Adds what has come since, and what has changed. */
  async refresh(): Promise<void> {
    const after = this.#end;
    if (this.#isBusy || after === null) return;
    const turn = this.#turn;
    const waiting = [...this.#rows.values()]
      .filter(({ row }) => row.state === 'waiting')
      .slice(0, MOST_AGAIN)
      .map(({ row }) => row.id);
    const found: DeliveryRow[] = [];
    let next: string | null = null;
    let through = after;
    do {
      const answer = await this.#ask({ after, next, waiting });
      if (turn !== this.#turn) return;
      // The next one may succeed; what is shown stays.
      if (!answer.ok) return;
      const { rows, end, isOther, handedOver } = answer.reply;
      if (isOther || found.length > MOST_NEW) return void this.begin(this.#query);
      if (next === null) through = end;
      for (const id of handedOver) this.#handedOver(id);
      found.push(...rows);
      next = answer.reply.next;
      this.#events.onReply(answer.reply);
    } while (next !== null);
    // Only now: what is not shown must be asked for again.
    this.#end = through;
    if (found.length === 0) return;
    this.#list.prepend(...found.filter(({ id }) => !this.#rows.has(id)).map((row) => this.#add(row)));
    this.#trim();
    this.#sayEnd();
  }

  /** Shows which nodes there are now. */
  renew(): void {
    for (const shown of this.#rows.values()) shown.show(shown.row);
  }

  #ask(more: Readonly<Record<string, unknown>>): Promise<RuntimeAnswer<DeliveriesReply>> {
    return this.#context.write<DeliveriesReply>(SEARCH_PATH, { ...this.#query, ...more });
  }

  async #continue(): Promise<void> {
    if (!this.#isBusy && this.#next !== null && !this.#more.hidden) await this.#begin(STEP_ROWS);
  }

  #halt(): void {
    this.#turn += 1;
    this.#show(false);
    this.#say(this.#context.say('deliveries.stopped', { looked: countText(this.#looked) }));
  }

  #begin(most: number): Promise<void> {
    return (this.#fetching = this.#fetch(most));
  }

  /** Asks for pages until there are enough new rows, or none are left. */
  async #fetch(most: number): Promise<void> {
    const turn = this.#turn;
    const { say } = this.#context;
    this.#show(true);
    for (let rows = 0; rows < most && this.#rows.size < MOST_ROWS;) {
      const answer = await this.#ask({ next: this.#next });
      if (turn !== this.#turn) return;
      if (!answer.ok) {
        this.#show(false);
        this.#again.hidden = false;
        this.#say(answer.error, true);
        return;
      }
      const { reply } = answer;
      this.#list.append(...reply.rows.map((row) => this.#add(row)));
      rows += reply.rows.length;
      this.#looked += reply.looked;
      this.#next = reply.next;
      this.#end ??= reply.end;
      this.#events.onReply(reply);
      if (this.#next === null) break;
      this.#say(say('deliveries.searching', { looked: countText(this.#looked) }));
    }
    this.#show(false);
    this.#sayEnd();
    this.#events.onChoice();
  }

  #sayEnd(): void {
    const { say } = this.#context;
    if (this.#rows.size === 0)
      this.#say(this.#looked === 0 ? say('deliveries.empty') : say('archive.nothing'));
    else if (this.#next === null) this.#say(say('archive.all'));
    else if (this.#rows.size >= MOST_ROWS) this.#say(say('deliveries.most', { count: countText(MOST_ROWS) }));
    else this.#say('');
  }

  #show(isBusy: boolean): void {
    this.#isBusy = isBusy;
    this.#more.hidden = isBusy || this.#next === null || this.#rows.size >= MOST_ROWS;
    this.#stop.hidden = !isBusy;
    this.#again.hidden = true;
    this.#list.setAttribute('aria-busy', String(isBusy));
  }

  #say(text: string, isError = false): void {
    setText(this.#state, text);
    this.#state.classList.toggle('telnyx-sidebar-error', isError);
  }

  #handedOver(id: string): void {
    const shown = this.#rows.get(id);
    if (shown?.row.state === 'waiting') shown.show({ ...shown.row, state: 'handed-over' });
  }

  /** What is too much goes at the end. */
  #trim(): void {
    while (this.#rows.size > MOST_ROWS) {
      const last = this.#list.lastElementChild as HTMLElement | null;
      this.#rows.delete(last?.dataset['id'] ?? '');
      last?.remove();
    }
  }

  #choose(isChosen: boolean): void {
    for (const { box } of this.#rows.values()) if (box !== null && !box.disabled) box.checked = isChosen;
    this.#events.onChoice();
  }

  #add(row: DeliveryRow): HTMLElement {
    const made = this.#row(row);
    this.#rows.set(row.id, made);
    return made.element;
  }

  #row(first: DeliveryRow): ShownRow {
    const { say, may } = this.#context;
    const state = dot();
    const name = element('strong');
    const facts = element('small');
    const chosen = element(
      'button',
      { type: 'button', class: 'telnyx-sidebar-row', onclick: () => this.#events.onOpen(shown.row, chosen) },
      state.element,
      element('span', {}, name, facts)
    );
    const box = may('flows.write')
      ? element('input', { type: 'checkbox', onclick: () => this.#events.onChoice() })
      : null;
    const shown: ShownRow = {
      row: first,
      element: element('li', { 'data-id': first.id }, box, chosen),
      box,
      show: (row) => {
        shown.row = row;
        state.show(toneOf(row.state));
        setText(name, row.type);
        const parties = [row.from, row.to].filter((party) => party !== null).join(' → ');
        const parts = [
          timeText(row.at),
          parties,
          row.state === 'handed-over' ? '' : say('deliveries.state.' + row.state),
          row.path ?? say('deliveries.not-running')
        ];
        setText(facts, parts.filter((part) => part !== '').join(' · '));
        if (box === null) return;
        box.disabled = row.path === null;
        box.title = row.path === null ? say('deliveries.choose-gone') : '';
        box.setAttribute('aria-label', say('deliveries.choose', { type: row.type, time: timeText(row.at) }));
      }
    };
    shown.show(first);
    return shown;
  }
}
