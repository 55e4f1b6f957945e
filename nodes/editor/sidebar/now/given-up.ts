import {
  DISCARD_PATH,
  GIVEN_UP_PATH,
  type GivenUpPage,
  type GivenUpReply,
  type GivenUpRow,
  RETRY_PATH,
  nameOf
} from '../../../sidebar/now-request';
import { toldError } from '../../lib/told-error';
import { button, element } from '../elements';
import type { TabContext } from '../tab';
import { countText, timeText } from './formats';
import { RowList, type ShownRow } from './row-list';
import { dot, nodeLink, section, setText } from './section';

/** Milliseconds in which a second click on "Discard" counts. */
const SURE_MS = 5000;

/** The recordings that were given up, with what can be done about them. */
export class GivenUp {
  readonly element: HTMLElement;
  readonly #context: TabContext;
  readonly #section;
  readonly #list: RowList<GivenUpRow>;
  readonly #more: HTMLButtonElement;
  readonly #all: HTMLElement;
  readonly #fault = element('div', { class: 'telnyx-sidebar-fault', role: 'alert' });
  readonly #onChanged: () => void;
  #first: readonly GivenUpRow[] = [];
  #later: readonly GivenUpRow[] = [];

  /** @param onChanged called when the list is no longer what was shown */
  constructor(context: TabContext, alias: (id: string) => string, onChanged: () => void) {
    const { say, may } = context;
    this.#context = context;
    this.#onChanged = onChanged;
    this.#list = new RowList(nameOf, () => this.#row(alias));
    this.#more = button({ text: say('now.more'), icon: 'chevron-down' }, () => void this.#showMore());
    const retryAll = button({ text: say('now.retry-all'), icon: 'repeat' }, () => {
      void this.#change(
        RETRY_PATH,
        this.#rows().filter(({ canRetry }) => canRetry)
      );
    });
    this.#all = element(
      'span',
      { class: 'telnyx-sidebar-actions' },
      may('flows.write') ? retryAll : null,
      this.#more
    );
    this.#section = section(say('now.given-up'), this.#fault, this.#list.element, this.#all);
    this.element = this.#section.element;
  }

  show({ rows, total }: GivenUpPage): void {
    this.#first = rows;
    const known = new Set(rows.map(nameOf));
    this.#later = this.#later.filter((row) => !known.has(nameOf(row)));
    const all = this.#rows();
    this.#list.show(all);
    this.#section.head(countText(total));
    this.#section.hide(total === 0 && this.#fault.textContent === '');
    this.#more.hidden = all.length >= total;
    this.#all.hidden = total < 2;
  }

  #rows(): GivenUpRow[] {
    return [...this.#first, ...this.#later];
  }

  async #showMore(): Promise<void> {
    const { read, signal } = this.#context;
    const answer = await read<GivenUpPage>(GIVEN_UP_PATH, { skip: this.#rows().length });
    if (signal.aborted) return;
    setText(this.#fault, answer.ok ? '' : answer.error);
    if (!answer.ok) return;
    const known = new Set(this.#rows().map(nameOf));
    this.#later = [...this.#later, ...answer.reply.rows.filter((row) => !known.has(nameOf(row)))];
    this.show({ rows: [...this.#first], total: answer.reply.total });
  }

  async #change(path: string, rows: readonly GivenUpRow[]): Promise<void> {
    const { write, signal } = this.#context;
    const answer = await write<GivenUpReply>(path, { recordings: rows.slice(0, 50).map(nameOf) });
    if (signal.aborted) return;
    setText(this.#fault, answer.ok ? toldError(answer.reply.code, answer.reply.error ?? '') : answer.error);
    const changed = new Set(rows.map(nameOf));
    // Those that were left come back with the next answer.
    this.#later = this.#later.filter((row) => !changed.has(nameOf(row)));
    this.#onChanged();
  }

  #row(alias: (id: string) => string): ShownRow<GivenUpRow> {
    const { say, may } = this.#context;
    const [state, node] = [dot(), nodeLink(this.#context, alias)];
    let shown: GivenUpRow | undefined;
    let sureUntil = 0;
    const name = element('span', { class: 'telnyx-sidebar-name' });
    const facts = element('span', { class: 'telnyx-sidebar-facts' });
    const message = element('div', { class: 'telnyx-sidebar-message' });
    const retry = button({ text: say('now.retry'), icon: 'repeat' }, () => {
      if (shown !== undefined) void this.#change(RETRY_PATH, [shown]);
    });
    const discard = button({ text: say('now.discard'), icon: 'trash-o' }, () => {
      if (shown === undefined) return;
      if (performance.now() < sureUntil) {
        void this.#change(DISCARD_PATH, [shown]);
        return;
      }
      sureUntil = performance.now() + SURE_MS;
      discard.lastChild?.replaceWith(` ${say('now.sure')}`);
      setTimeout(() => discard.lastChild?.replaceWith(` ${say('now.discard')}`), SURE_MS);
    });
    const actions = element('span', { class: 'telnyx-sidebar-actions' }, retry, discard);
    state.show('bad');
    const made = element(
      'div',
      { role: 'listitem' },
      element('div', { class: 'telnyx-sidebar-line' }, state.element, name, node.element),
      facts,
      message,
      may('flows.write') ? actions : null
    );
    return {
      element: made,
      update: (row) => {
        shown = row;
        const { recordingId, eventType, code, at, canRetry } = row;
        setText(name, recordingId ?? eventType ?? say('now.a-file'));
        name.title = [eventType, recordingId].filter((text) => text !== null).join(' · ');
        node.show(row.node);
        setText(facts, [timeText(at), code].join(' · '));
        setText(message, toldError(code, row.message));
        retry.hidden = !canRetry;
      }
    };
  }
}
