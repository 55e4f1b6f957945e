import type { ListRow, WebhookRow } from '../../../sidebar/now-request';
import { element } from '../elements';
import type { TabContext } from '../tab';
import { causeText, countText, nodeText, spanText, timeText } from './formats';
import { RowList, type ShownRow } from './row-list';
import { type Section, type Tone, dot, nodeLink, section, setText } from './section';

/** How the webhook nodes are doing. */
export class Webhooks {
  readonly element: HTMLElement;
  readonly #section: Section;
  readonly #list: RowList<WebhookRow>;
  #rows: readonly WebhookRow[] = [];

  /** @param now the runtime's clock, milliseconds since 1970 */
  constructor(context: TabContext, alias: (id: string) => string, now: () => number) {
    const { say } = context;
    const text = (row: WebhookRow): string => {
      const { lastAt, received, refused, problem, trouble, health, isWatched } = row;
      if (problem !== null) return say('now.webhook.problem', { cause: causeText(problem) });
      const last =
        lastAt === null
          ? say('now.webhook.none')
          : say('now.webhook.last', { time: spanText(say, now() - lastAt) });
      const why =
        trouble === null
          ? ''
          : say('now.webhook.refuses', {
              refused: countText(trouble.refused),
              cause: causeText(trouble.code)
            });
      const counts =
        received + refused === 0
          ? ''
          : say('now.webhook.counts', { received: countText(received), refused: countText(refused) });
      const state = health === null ? (isWatched ? say('now.webhook.healthy') : '') : healthText(health);
      return [last, why || counts, state].filter((part) => part !== '').join(' · ');
    };
    this.#list = new RowList(
      ({ node }) => node,
      () => nodeRow(context, alias, (row: WebhookRow) => ({ text: text(row), tone: toneOf(row) }))
    );
    this.#section = section(say('now.webhooks'), this.#list.element);
    this.element = this.#section.element;
  }

  show(rows: readonly WebhookRow[]): void {
    this.#rows = rows;
    this.#section.hide(rows.length === 0);
    this.tick();
  }

  tick(): void {
    this.#list.show(this.#rows);
  }
}

function toneOf({ problem, trouble, health, lastAt }: WebhookRow): Tone {
  if (problem !== null || health?.problem === 'webhook-failed') return 'bad';
  if (trouble !== null || health !== null) return 'waiting';
  return lastAt === null ? 'idle' : 'good';
}

function healthText({ problem, failed }: NonNullable<WebhookRow['health']>): string {
  return nodeText('telnyx-webhook-in', `status.${problem}`, { count: countText(failed ?? 0) });
}

/** The last run of each list node. */
export class Lists {
  readonly element: HTMLElement;
  readonly #section: Section;
  readonly #list: RowList<ListRow>;

  constructor(context: TabContext, alias: (id: string) => string) {
    const { say } = context;
    const text = ({ begun, ended, summary, code }: ListRow): string => {
      if (ended === null) return say('now.list.running', { time: timeText(begun) });
      const counts =
        summary === null
          ? say('now.list.failed', { code: code ?? '' })
          : say('now.list.counts', {
              listed: countText(summary.listed),
              emitted: countText(summary.emitted)
            });
      const isPart = summary?.complete === false ? say('now.list.incomplete') : '';
      return [timeText(ended), counts, isPart].filter((part) => part !== '').join(' · ');
    };
    const tone = ({ ended, summary }: ListRow): Tone =>
      ended === null ? 'busy' : summary === null ? 'bad' : summary.complete ? 'good' : 'waiting';
    this.#list = new RowList(
      ({ node }) => node,
      () => nodeRow(context, alias, (row: ListRow) => ({ text: text(row), tone: tone(row) }))
    );
    this.#section = section(say('now.lists'), this.#list.element);
    this.element = this.#section.element;
  }

  show(rows: readonly ListRow[]): void {
    this.#section.hide(rows.length === 0);
    this.#list.show(rows);
  }
}

/** A row about a node: its name, and a line of facts. */
function nodeRow<Row extends { node: string }>(
  context: TabContext,
  alias: (id: string) => string,
  about: (row: Row) => { text: string; tone: Tone }
): ShownRow<Row> {
  const [state, node] = [dot(), nodeLink(context, alias)];
  const facts = element('span', { class: 'telnyx-sidebar-facts' });
  const line = element('div', { class: 'telnyx-sidebar-line' }, state.element, node.element);
  return {
    element: element('div', { role: 'listitem' }, line, facts),
    update: (row) => {
      const { text, tone } = about(row);
      node.show(row.node);
      state.show(tone);
      setText(facts, text);
    }
  };
}
