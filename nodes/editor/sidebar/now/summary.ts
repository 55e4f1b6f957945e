import { NO_TOTALS, QUARTER_MS, type Quarter, TOTALS, type Totals } from '../../../../src/activity/activity';
import { timeOfDay } from '../../lib/in-locale';
import { element, svg } from '../elements';
import type { Say } from '../tab';
import { bytesText, countText } from './formats';
import { setText } from './section';

/** A bar stands for half an hour: thinner ones cannot be told apart in a narrow sidebar. */
const BAR_MS = 2 * QUARTER_MS;
const BARS = 48;
const BAR_WIDTH = 10;
const HALF_HEIGHT = 40;

/** Totals of today, in tiles, and a chart of the last 24 hours. */
export class Summary {
  readonly element: HTMLElement;
  readonly #say: Say;
  readonly #numbers = new Map<string, { tile: HTMLElement; number: HTMLElement }>();
  readonly #chart = element('div', { class: 'telnyx-sidebar-chart' });

  constructor(say: Say) {
    this.#say = say;
    const tiles = element('div', { class: 'telnyx-sidebar-tiles', role: 'list' });
    for (const name of ['accepted', 'duplicates', 'refused', 'stored', 'bytes', 'failed'] as const) {
      const number = element('strong');
      const about = element('span', { text: say('now.total.' + name) });
      const tile = element('div', { role: 'listitem', 'data-name': name }, number, about);
      this.#numbers.set(name, { tile, number });
      tiles.append(tile);
    }
    this.element = element('div', {}, tiles, this.#chart);
  }

  /** @param now the runtime's clock, milliseconds since 1970 */
  show(quarters: readonly Quarter[], now: number): void {
    const midnight = new Date(now).setHours(0, 0, 0, 0);
    const today = sum(quarters.filter(({ from }) => from >= midnight));
    for (const [name, { tile, number }] of this.#numbers) {
      const value = today[name as keyof Totals];
      setText(number, name === 'bytes' ? bytesText(value) : countText(value));
      tile.dataset['zero'] = String(value === 0);
    }
    this.#draw(quarters, now);
  }

  #draw(quarters: readonly Quarter[], now: number): void {
    const end = (Math.floor(now / BAR_MS) + 1) * BAR_MS;
    const bars = Array.from({ length: BARS }, (_, at) => {
      const from = end - (BARS - at) * BAR_MS;
      return {
        from,
        ...sum(quarters.filter((quarter) => quarter.from >= from && quarter.from < from + BAR_MS))
      };
    });
    const deliveries = ({ accepted, duplicates, refused }: Totals): number => accepted + duplicates + refused;
    const most = Math.max(1, ...bars.map(deliveries));
    const mostBytes = Math.max(1, ...bars.map(({ bytes }) => bytes));
    const picture = svg('svg', {
      viewBox: `0 0 ${BARS * BAR_WIDTH} ${2 * HALF_HEIGHT + 2}`,
      preserveAspectRatio: 'none',
      role: 'img',
      'aria-label': this.#say('now.chart.about', { deliveries: countText(most), bytes: bytesText(mostBytes) })
    });
    const rectangle = (at: number, top: number, height: number, part: string): SVGElement =>
      svg('rect', { x: at * BAR_WIDTH + 1, y: top, width: BAR_WIDTH - 2, height, 'data-part': part });
    for (const [at, bar] of bars.entries()) {
      const column = svg('g', {}, tooltip(this.#say, bar, deliveries(bar)));
      column.append(
        svg('rect', {
          x: at * BAR_WIDTH,
          y: 0,
          width: BAR_WIDTH,
          height: 2 * HALF_HEIGHT + 2,
          'data-part': 'back'
        })
      );
      // Even a single one can be seen.
      const height = (count: number): number =>
        count === 0 ? 0 : Math.max(1.5, (count / most) * HALF_HEIGHT);
      const refused = height(bar.refused);
      const passed = height(bar.accepted + bar.duplicates);
      const scale = Math.min(1, HALF_HEIGHT / Math.max(1, refused + passed));
      column.append(
        rectangle(at, HALF_HEIGHT - passed * scale, passed * scale, 'accepted'),
        rectangle(at, HALF_HEIGHT - (passed + refused) * scale, refused * scale, 'refused'),
        rectangle(
          at,
          HALF_HEIGHT + 2,
          bar.bytes === 0 ? 0 : Math.max(1.5, (bar.bytes / mostBytes) * HALF_HEIGHT),
          'stored'
        )
      );
      picture.append(column);
    }
    picture.append(
      svg('rect', { x: 0, y: HALF_HEIGHT, width: BARS * BAR_WIDTH, height: 1, 'data-part': 'axis' })
    );
    const legend = (part: string, text: string): HTMLElement =>
      element('span', { class: 'telnyx-sidebar-legend', 'data-part': part, text });
    this.#chart.replaceChildren(
      element(
        'div',
        { class: 'telnyx-sidebar-legends' },
        legend('accepted', this.#say('now.chart.deliveries', { most: countText(most) }))
      ),
      picture,
      element(
        'div',
        { class: 'telnyx-sidebar-legends' },
        legend(
          'stored',
          mostBytes === 1
            ? this.#say('now.chart.nothing-stored')
            : this.#say('now.chart.stored', { most: bytesText(mostBytes) })
        ),
        element('span', { text: this.#say('now.chart.hours') })
      )
    );
  }
}

function tooltip(
  say: Say,
  { from, bytes, stored }: Totals & { from: number },
  deliveries: number
): SVGElement {
  const title = svg('title');
  const time = timeOfDay(new Date(from), { hour: '2-digit', minute: '2-digit' });
  title.textContent = say('now.chart.bar', {
    time,
    deliveries: countText(deliveries),
    stored: countText(stored),
    bytes: bytesText(bytes)
  });
  return title;
}

function sum(quarters: readonly Totals[]): Totals {
  const all = { ...NO_TOTALS };
  for (const quarter of quarters) for (const name of TOTALS) all[name] += quarter[name];
  return all;
}
