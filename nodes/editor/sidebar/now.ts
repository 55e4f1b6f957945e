import { NOW_PATH, NOW_TOPIC, type NowFrame, type NowSnapshot } from '../../sidebar/now-request';
import { element } from './elements';
import { LatestDeliveries } from './now/deliveries';
import { Downloads } from './now/downloads';
import { GivenUp } from './now/given-up';
import { Lists, Webhooks } from './now/nodes';
import { setText } from './now/section';
import { Summary } from './now/summary';
import { sampleSection } from './samples';
import type { SidebarTab, TabContext } from './tab';

/** Milliseconds between two requests for everything; the runtime goes on publishing as long as they come. */
const ASK_MS = 15_000;
/** At most this often, also when everything changes all the time. Milliseconds. */
const PAUSE_MS = 1500;
const TICK_MS = 1000;

/** What is shown while the tab is open. */
class NowView {
  readonly #context: TabContext;
  readonly #fault = element('div', { class: 'telnyx-sidebar-fault', role: 'alert' });
  readonly #summary: Summary;
  readonly #downloads: Downloads;
  readonly #givenUp: GivenUp;
  readonly #webhooks: Webhooks;
  readonly #lists: Lists;
  readonly #deliveries: LatestDeliveries;
  #shownAs: Readonly<Record<string, string>> = {};
  /** How much the runtime's clock is ahead of that of this browser, in milliseconds. */
  #ahead = 0;
  #seq = -1;
  #stamp: string | null = null;
  #askedAt = -Infinity;
  #timer: number | undefined;
  #isAsking = false;
  #isAskedAgain = false;

  constructor(container: HTMLElement, context: TabContext) {
    this.#context = context;
    const alias = (id: string): string => (Object.hasOwn(this.#shownAs, id) ? (this.#shownAs[id] ?? id) : id);
    const now = (): number => Date.now() + this.#ahead;
    this.#summary = new Summary(context.say);
    this.#webhooks = new Webhooks(context, alias, now);
    this.#downloads = new Downloads(context, alias);
    this.#givenUp = new GivenUp(context, alias, () => this.ask());
    this.#lists = new Lists(context, alias);
    this.#deliveries = new LatestDeliveries(context, alias);
    const parts = [
      this.#summary,
      this.#givenUp,
      this.#downloads,
      this.#webhooks,
      this.#lists,
      this.#deliveries
    ];
    const samples = sampleSection(context);
    container.append(
      this.#fault,
      ...parts.map((part) => part.element),
      ...(samples === null ? [] : [samples])
    );
  }

  /** Asks for everything, now or as soon as it may. */
  readonly ask = (): void => {
    clearTimeout(this.#timer);
    if (this.#context.signal.aborted) return;
    // What is on its way may be older than the reason to ask.
    this.#isAskedAgain = this.#isAsking;
    if (this.#isAsking) return;
    const wait = this.#askedAt + PAUSE_MS - performance.now();
    if (wait <= 0) void this.#ask();
    else this.#timer = window.setTimeout(this.ask, wait);
  };

  readonly follow = (_topic: string, data: unknown): void => {
    const frame = data as NowFrame;
    // Several frames may have been on their way before the answer that this view began with.
    if (this.#seq < 0 || this.#context.signal.aborted) return;
    if (frame.seq > this.#seq) {
      this.#deliveries.follow(frame.deliveries.filter(({ seq }) => seq > this.#seq));
      this.#seq = frame.seq;
    }
    this.#downloads.follow(frame);
    if (this.#stamp !== frame.stamp) this.ask();
    this.#stamp = frame.stamp;
  };

  tick(): void {
    this.#downloads.tick();
    this.#webhooks.tick();
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    this.#askedAt = performance.now();
    const answer = await this.#context.read<NowSnapshot>(NOW_PATH);
    this.#isAsking = false;
    if (this.#context.signal.aborted) return;
    setText(this.#fault, answer.ok ? '' : answer.error);
    if (answer.ok) this.#show(answer.reply);
    if (this.#isAskedAgain) this.ask();
    else this.#timer = window.setTimeout(this.ask, ASK_MS);
  }

  #show(snapshot: NowSnapshot): void {
    this.#ahead = snapshot.at - Date.now();
    this.#shownAs = snapshot.shownAs;
    this.#summary.show(snapshot.quarters, snapshot.at);
    this.#downloads.show(snapshot);
    this.#givenUp.show(snapshot.givenUp);
    this.#webhooks.show(snapshot.webhooks);
    this.#lists.show(snapshot.lists);
    // Node-RED may have been restarted, and counts from the beginning.
    if (this.#seq < 0 || snapshot.seq < this.#seq) this.#deliveries.show(snapshot.deliveries);
    else this.#deliveries.follow(snapshot.deliveries.filter(({ seq }) => seq > this.#seq));
    this.#seq = snapshot.seq;
  }
}

let close: () => void = () => undefined;

export const nowTab: SidebarTab = {
  id: 'now',
  label: 'now.label',
  permission: 'flows.read',
  closesWithPage: true,
  open: (container, context) => {
    const view = new NowView(container, context);
    const ticking = window.setInterval(() => view.tick(), TICK_MS);
    RED.comms.subscribe(NOW_TOPIC, view.follow);
    RED.comms.on('connect', view.ask);
    RED.events.on('deploy', view.ask);
    view.ask();
    close = () => {
      clearInterval(ticking);
      RED.comms.unsubscribe(NOW_TOPIC, view.follow);
      RED.comms.off('connect', view.ask);
      RED.events.off('deploy', view.ask);
      view.close();
    };
  },
  close: () => close()
};
