import type { DeliveriesReply } from '../../sidebar/deliveries/deliveries-request';
import { NOW_TOPIC, type NowFrame } from '../../sidebar/now-request';
import { deliveryForm } from './deliveries/delivery-form';
import { DeliveryList } from './deliveries/delivery-list';
import { DeliveryView } from './deliveries/delivery-view';
import { ReplayBar } from './deliveries/replay-bar';
import { element } from './elements';
import { setText } from './now/section';
import type { SidebarTab, TabContext } from './tab';

/** Milliseconds between two requests for what is new; the runtime goes on publishing as long as they come. */
const ASK_MS = 15_000;
/** At most this often, also when deliveries come all the time. Milliseconds. */
const PAUSE_MS = 1000;

/** What is shown while the tab is open. */
class DeliveriesView {
  readonly #context: TabContext;
  readonly #note = element('p', { class: 'telnyx-sidebar-note' });
  readonly #list: DeliveryList;
  readonly #bar: ReplayBar;
  readonly #finding: HTMLElement;
  readonly #offer: (providers: readonly string[]) => void;
  #view: DeliveryView | null = null;
  #shownAs: Readonly<Record<string, string>> = {};
  #timer: number | undefined;
  #askedAt = -Infinity;
  #isAsking = false;

  constructor(container: HTMLElement, context: TabContext) {
    const { say, may } = context;
    this.#context = context;
    let opener: HTMLElement | null = null;
    const back = (): void => {
      this.#view?.close();
      this.#view?.view.remove();
      this.#view = null;
      this.#finding.hidden = false;
      // Where the user was, for the keyboard and for the eyes.
      opener?.focus();
    };
    this.#list = new DeliveryList(context, {
      onOpen: (row, chosen) => {
        opener = chosen;
        this.#view?.close();
        this.#view = new DeliveryView(context, row, {
          alias: (id) => (Object.hasOwn(this.#shownAs, id) ? (this.#shownAs[id] ?? id) : id),
          onBack: back,
          onReplay: may('flows.write')
            ? (one) => {
                back();
                this.#bar.ask([one]);
              }
            : null
        });
        this.#finding.hidden = true;
        container.append(this.#view.view);
        this.#view.focus();
      },
      onChoice: () => this.#bar.chosen(),
      onReply: (reply) => this.#told(reply)
    });
    this.#bar = new ReplayBar(context, {
      chosen: () => this.#list.chosen,
      chooseAll: () => this.#list.chooseAll(),
      chooseNone: () => this.#list.chooseNone()
    });
    const form = deliveryForm(say, () => void this.#begin(form.query()));
    this.#offer = (providers) => form.offer(providers);
    this.#finding = element('div', {}, form.form, this.#bar.view, this.#note, this.#list.view);
    container.append(this.#finding);
    void this.#begin(form.query());
  }

  /** Asks for what is new, now or as soon as it may. */
  readonly ask = (): void => {
    clearTimeout(this.#timer);
    if (this.#isAsking || this.#context.signal.aborted) return;
    const wait = this.#askedAt + PAUSE_MS - performance.now();
    if (wait <= 0) void this.#ask();
    else this.#timer = window.setTimeout(this.ask, wait);
  };

  readonly follow = (_topic: string, data: unknown): void => {
    const { deliveries } = data as NowFrame;
    if (deliveries.some(({ outcome }) => outcome !== 'refused')) this.ask();
  };

  close(): void {
    clearTimeout(this.#timer);
    this.#view?.close();
    this.#list.close();
  }

  async #begin(query: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#list.begin(query);
    if (!this.#context.signal.aborted) this.#later();
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    this.#askedAt = performance.now();
    await this.#list.refresh();
    this.#isAsking = false;
    if (!this.#context.signal.aborted) this.#later();
  }

  #later(): void {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(this.ask, ASK_MS);
  }

  #told({ providers, shownAs, replay, nodes, notKept, isIncomplete }: DeliveriesReply): void {
    const { say } = this.#context;
    this.#offer(providers);
    this.#shownAs = shownAs;
    this.#bar.show(replay);
    const notes = [
      nodes === 0 ? say('deliveries.no-nodes') : '',
      nodes > 0 && notKept === nodes ? say('deliveries.none-kept') : '',
      notKept > 0 && notKept < nodes ? say('deliveries.some-kept', { count: notKept }) : '',
      isIncomplete ? say('deliveries.incomplete') : ''
    ];
    setText(this.#note, notes.filter((note) => note !== '').join(' '));
  }
}

let close: () => void = () => undefined;

export const deliveriesTab: SidebarTab = {
  id: 'deliveries',
  label: 'deliveries.label',
  permission: 'telnyx.read',
  closesWithPage: false,
  open: (container, context) => {
    const view = new DeliveriesView(container, context);
    RED.comms.subscribe(NOW_TOPIC, view.follow);
    RED.comms.on('connect', view.ask);
    RED.events.on('deploy', view.ask);
    close = () => {
      RED.comms.unsubscribe(NOW_TOPIC, view.follow);
      RED.comms.off('connect', view.ask);
      RED.events.off('deploy', view.ask);
      view.close();
    };
  },
  close: () => close()
};
