import type { DeliveryRow as Row } from '../../../../src/activity/activity';
import { toldError } from '../../lib/told-error';
import { button, element } from '../elements';
import type { TabContext } from '../tab';
import { causeText, countText, timeText } from './formats';
import { RowList, type ShownRow } from './row-list';
import { dot, nodeLink, section, setText } from './section';

/** Rows in the page: more than anybody reads, few enough for any browser. */
const MOST_SHOWN = 200;

/** The deliveries as they come, the last one at the top. */
export class LatestDeliveries {
  readonly element: HTMLElement;
  readonly #context: TabContext;
  readonly #list: RowList<Row>;
  readonly #note = element('div', { class: 'telnyx-sidebar-note' });
  readonly #older: HTMLElement;
  /** The last one first. */
  #rows: Row[] = [];

  constructor(context: TabContext, alias: (id: string) => string) {
    const { say, may, show } = context;
    this.#context = context;
    this.#list = new RowList(
      ({ id }) => String(id),
      () => this.#row(alias)
    );
    this.#older = button({ text: say('now.older'), icon: 'list' }, () => show('deliveries'));
    this.#older.hidden = true;
    const foot = may('telnyx.read') ? [this.#older] : [];
    this.element = section(say('now.deliveries'), this.#note, this.#list.element, ...foot).element;
  }

  show(rows: readonly Row[]): void {
    this.#rows = [];
    this.#add(rows);
  }

  /** @param rows the new and the changed ones, the last one at the end */
  follow(rows: readonly Row[]): void {
    if (rows.length > 0) this.#add(rows);
  }

  #add(rows: readonly Row[]): void {
    const changed = new Map(rows.map((row) => [row.id, row]));
    const before = this.#rows.filter(({ id }) => !changed.has(id));
    this.#rows = [...[...changed.values()].reverse(), ...before].slice(0, MOST_SHOWN);
    this.#list.show(this.#rows);
    setText(this.#note, this.#rows.length === 0 ? this.#context.say('now.no-deliveries') : '');
    this.#older.hidden = this.#rows.length === 0;
  }

  #row(alias: (id: string) => string): ShownRow<Row> {
    const { say } = this.#context;
    const [state, node] = [dot(), nodeLink(this.#context, alias)];
    const name = element('span', { class: 'telnyx-sidebar-name' });
    const facts = element('span', { class: 'telnyx-sidebar-facts' });
    const line = element('div', { class: 'telnyx-sidebar-line' }, state.element, name, node.element);
    const made = element('div', { role: 'listitem' }, line, facts);
    return {
      element: made,
      update: (row) => {
        const { outcome, type, code, reason, verified, again, at, count } = row;
        made.dataset['outcome'] = outcome;
        state.show(outcome === 'accepted' ? 'good' : outcome === 'duplicate' ? 'idle' : 'bad');
        setText(name, type ?? causeText(code ?? ''));
        name.title = reason === null ? (type ?? '') : toldError(code, reason);
        node.show(row.node);
        const parts = [
          timeText(at),
          outcome === 'accepted' ? '' : say('now.outcome.' + outcome),
          verified === null ? '' : say('now.verified.' + verified),
          again === null ? '' : say('now.again.' + again),
          outcome === 'refused' ? (code ?? '') : '',
          count === 1 ? '' : say('now.times', { count: countText(count) })
        ];
        setText(facts, parts.filter((part) => part !== '').join(' · '));
      }
    };
  }
}
