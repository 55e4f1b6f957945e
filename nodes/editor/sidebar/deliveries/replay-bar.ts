import {
  type DeliveryRow,
  MOST_REPLAYED,
  REPLAY_PATH,
  type ReplayStatus,
  START_PATH,
  STOP_PATH
} from '../../../sidebar/deliveries/deliveries-request';
import type { RuntimeAnswer } from '../../lib/runtime-call';
import { button, element } from '../elements';
import { countText, timeText } from '../now/formats';
import { setText } from '../now/section';
import type { TabContext } from '../tab';

/** Milliseconds between two looks at a replay that runs. */
const LOOK_MS = 700;

export interface ReplayBarParts {
  chosen: () => readonly DeliveryRow[];
  chooseAll: () => Promise<void>;
  chooseNone: () => void;
}

/** What can be done with the chosen deliveries, and how the last replay is going. */
export class ReplayBar {
  readonly view: HTMLElement;
  readonly #context: TabContext;
  readonly #parts: ReplayBarParts;
  readonly #count = element('span', { role: 'status' });
  readonly #replay: HTMLButtonElement;
  readonly #none: HTMLButtonElement;
  readonly #choosing: HTMLElement;
  readonly #asking: HTMLElement;
  readonly #question = element('p');
  readonly #go: HTMLButtonElement;
  readonly #running: HTMLElement;
  readonly #bar = element('progress', { max: 1, value: 0 });
  readonly #state = element('span', { role: 'status' });
  readonly #stop: HTMLButtonElement;
  readonly #fault = element('p', { class: 'telnyx-sidebar-error', role: 'alert' });
  #asked: readonly DeliveryRow[] = [];
  #timer: number | undefined;
  /** Whether the end of the last replay is worth telling: it was seen running. */
  #isFollowed = false;

  constructor(context: TabContext, parts: ReplayBarParts) {
    const { say, may, signal } = context;
    this.#context = context;
    this.#parts = parts;
    const all = button({ text: say('deliveries.choose-all') }, () => void this.#chooseAll(all));
    this.#none = button({ text: say('deliveries.choose-none') }, parts.chooseNone);
    this.#replay = button({ icon: 'repeat', text: say('deliveries.replay') }, () => this.ask(parts.chosen()));
    this.#choosing = element(
      'div',
      { class: 'telnyx-sidebar-buttons' },
      all,
      this.#none,
      this.#replay,
      this.#count
    );
    this.#go = button({ icon: 'repeat', text: say('deliveries.replay') }, () => void this.#start());
    const cancel = button({ text: say('deliveries.cancel') }, () => this.#close());
    this.#asking = element(
      'div',
      { class: 'telnyx-sidebar-ask', role: 'alertdialog', 'aria-label': say('deliveries.replay') },
      this.#question,
      element('div', { class: 'telnyx-sidebar-buttons' }, this.#go, cancel)
    );
    this.#asking.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      this.#close();
    });
    this.#stop = button({ icon: 'stop', text: say('archive.stop') }, () => void this.#halt());
    this.#bar.setAttribute('aria-label', say('deliveries.replay'));
    this.#running = element('div', { class: 'telnyx-sidebar-replay' }, this.#bar, this.#state, this.#stop);
    this.#running.hidden = true;
    this.#asking.hidden = true;
    const mayReplay = may('flows.write');
    this.#choosing.hidden = !mayReplay;
    this.#stop.hidden = !mayReplay;
    this.view = element(
      'div',
      { class: 'telnyx-sidebar-bar' },
      this.#choosing,
      this.#asking,
      this.#running,
      this.#fault
    );
    signal.addEventListener('abort', () => clearTimeout(this.#timer), { once: true });
    this.chosen();
  }

  /** Others are chosen. */
  chosen(): void {
    const count = this.#parts.chosen().length;
    this.#replay.disabled = count === 0;
    this.#none.hidden = count === 0;
    setText(
      this.#count,
      count === 0 ? '' : this.#context.say('deliveries.chosen', { count: countText(count) })
    );
  }

  /** Asks whether deliveries are to be replayed. @param rows latest first */
  ask(rows: readonly DeliveryRow[]): void {
    const { say } = this.#context;
    const [last, first] = [rows[0], rows.at(-1)];
    if (last === undefined || first === undefined) return;
    this.#asked = rows.slice(0, MOST_REPLAYED);
    setText(
      this.#question,
      say('deliveries.sure', {
        count: countText(this.#asked.length),
        from: timeText(first.at),
        to: timeText(last.at)
      })
    );
    this.#fault.textContent = '';
    this.#asking.hidden = false;
    this.#go.focus();
  }

  /** Shows how the last replay is going, and follows one that runs. */
  show(status: ReplayStatus): void {
    const { say, signal, may } = this.#context;
    clearTimeout(this.#timer);
    const { isRunning, sent, total, isWaiting, ended } = status;
    this.#isFollowed ||= isRunning;
    this.#running.hidden = !this.#isFollowed;
    this.#bar.hidden = !isRunning;
    this.#stop.hidden = !isRunning || !may('flows.write');
    this.#bar.value = total === 0 ? 0 : sent / total;
    const counts = { sent: countText(sent), total: countText(total) };
    if (isRunning)
      setText(this.#state, isWaiting ? say('deliveries.waits', counts) : say('deliveries.sending', counts));
    else if (ended !== null)
      setText(this.#state, [say('deliveries.ended.' + ended, counts), this.#rest(status)].join(' '));
    if (isRunning && !signal.aborted) this.#timer = window.setTimeout(() => void this.#look(), LOOK_MS);
  }

  #rest({ withoutNode, missing, error }: ReplayStatus): string {
    const { say } = this.#context;
    return [
      withoutNode === 0 ? '' : say('deliveries.without-node', { count: countText(withoutNode) }),
      missing === 0 ? '' : say('deliveries.missing', { count: countText(missing) }),
      error ?? ''
    ]
      .filter((part) => part !== '')
      .join(' ');
  }

  async #chooseAll(pressed: HTMLButtonElement): Promise<void> {
    pressed.disabled = true;
    await this.#parts.chooseAll();
    pressed.disabled = false;
  }

  #close(): void {
    this.#asking.hidden = true;
    this.#asked = [];
    this.#replay.focus();
  }

  async #start(): Promise<void> {
    const ids = this.#asked.map(({ id }) => id);
    this.#close();
    this.#tell(await this.#context.write<ReplayStatus>(START_PATH, { ids }));
  }

  async #halt(): Promise<void> {
    this.#tell(await this.#context.write<ReplayStatus>(STOP_PATH, {}));
  }

  async #look(): Promise<void> {
    const answer = await this.#context.read<ReplayStatus>(REPLAY_PATH);
    if (this.#context.signal.aborted) return;
    if (answer.ok) this.show(answer.reply);
    // Node-RED may be restarting.
    else this.#timer = window.setTimeout(() => void this.#look(), LOOK_MS);
  }

  #tell(answer: RuntimeAnswer<ReplayStatus>): void {
    if (this.#context.signal.aborted) return;
    setText(this.#fault, answer.ok ? '' : answer.error);
    if (!answer.ok) return;
    this.#isFollowed = true;
    this.show(answer.reply);
  }
}
