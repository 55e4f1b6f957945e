import type { Say, TabContext } from '../tab';
import { button, element } from '../elements';
import { type LogLine, fetchLog } from './archive-api';
import { TEXTS, shownTime } from './shown';

/** What the custody log tells of a recording. Nothing is looked for before the user opens it. */
export class LogView {
  readonly view: HTMLDetailsElement;
  readonly #context: TabContext;
  readonly #id: string;
  readonly #signal: AbortSignal;
  readonly #list: HTMLElement;
  readonly #state = element('p', { class: 'telnyx-sidebar-hint', role: 'status' });
  readonly #more: HTMLButtonElement;
  #next: string | null = null;
  #isBusy = false;

  /** @param signal aborted when the recording is closed */
  constructor(context: TabContext, id: string, signal: AbortSignal) {
    const { say } = context;
    this.#context = context;
    this.#id = id;
    this.#signal = signal;
    this.#list = element('ol', { class: 'telnyx-sidebar-log', 'aria-label': say('archive.log.label') });
    this.#more = button({ text: say('archive.log.more') }, () => void this.#fetch());
    this.#more.hidden = true;
    this.view = element(
      'details',
      {},
      element('summary', { text: say('archive.log.label') }),
      this.#list,
      this.#state,
      this.#more
    );
    this.view.addEventListener('toggle', () => {
      if (this.view.open) void this.refresh();
    });
  }

  /** Looks again for what the log tells, if it is shown. */
  async refresh(): Promise<void> {
    if (!this.view.open || this.#isBusy) return;
    this.#next = null;
    this.#list.replaceChildren();
    await this.#fetch();
  }

  async #fetch(): Promise<void> {
    const { say } = this.#context;
    this.#isBusy = true;
    this.#more.disabled = true;
    this.#say(say('archive.log.reading'));
    const answer = await fetchLog(this.#context, this.#id, this.#next);
    if (this.#signal.aborted) return;
    this.#isBusy = false;
    this.#more.disabled = false;
    if (!answer.ok) {
      this.#say(answer.error, true);
      return;
    }
    const { lines, next } = answer.reply;
    this.#next = next;
    this.#more.hidden = next === null;
    this.#list.append(...lines.map((line) => this.#line(line)));
    if (next !== null) this.#say(say('archive.log.cut'));
    else this.#say(say(this.#list.childElementCount === 0 ? 'archive.log.nothing' : 'archive.log.all'));
  }

  #say(text: string, isError = false): void {
    this.#state.textContent = text;
    this.#state.classList.toggle('telnyx-sidebar-error', isError);
  }

  #line({ at, event, actor, facts }: LogLine): HTMLElement {
    const { say } = this.#context;
    const more = [shownTime(at), this.#who(actor), ...facts].filter((text) => text !== '');
    return element(
      'li',
      {},
      element('strong', { text: shownEvent(event, say) }),
      element('small', { text: more.join(' · ') })
    );
  }

  /** Users are known by a hash only. */
  #who(actor: string): string {
    const { say, nameOf } = this.#context;
    if (actor === 'editor' || actor.startsWith('user:')) return say('archive.log.user');
    return actor.startsWith('node:') ? (nameOf(actor.slice('node:'.length)) ?? actor) : actor;
  }
}

/** What later versions tell is shown under its own name. */
function shownEvent(event: string, say: Say): string {
  const key = `${TEXTS.event}${event}`;
  const text = say(key);
  return text === '' || text.endsWith(key) ? event : text;
}
