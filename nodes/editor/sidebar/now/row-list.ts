import { element } from '../elements';

/** A row that can change. */
export interface ShownRow<Row> {
  readonly element: HTMLElement;
  update(row: Row): void;
}

/**
 * A list whose rows stay the same elements while they change: what has the focus keeps it, and a click that began on a
 * button ends on it.
 */
export class RowList<Row> {
  readonly element: HTMLElement;
  readonly #keyOf: (row: Row) => string;
  readonly #make: (row: Row) => ShownRow<Row>;
  #rows = new Map<string, ShownRow<Row>>();

  constructor(keyOf: (row: Row) => string, make: (row: Row) => ShownRow<Row>) {
    this.#keyOf = keyOf;
    this.#make = make;
    this.element = element('div', { class: 'telnyx-sidebar-list', role: 'list' });
  }

  get size(): number {
    return this.#rows.size;
  }

  show(rows: readonly Row[]): void {
    const shown = new Map<string, ShownRow<Row>>();
    let next = this.element.firstElementChild;
    for (const row of rows) {
      const key = this.#keyOf(row);
      const one = this.#rows.get(key) ?? this.#make(row);
      one.update(row);
      shown.set(key, one);
      if (one.element === next) next = next.nextElementSibling;
      else this.element.insertBefore(one.element, next);
    }
    for (const [key, { element: gone }] of this.#rows) if (!shown.has(key)) gone.remove();
    this.#rows = shown;
  }
}
