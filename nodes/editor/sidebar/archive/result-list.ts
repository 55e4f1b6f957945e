import { countText } from '../../lib/in-locale';
import type { TabContext } from '../tab';
import { type ArchiveRow, search } from './archive-api';
import { button, element, icon } from '../elements';
import { keptLine } from './kept';
import { KIND_ICONS, TEXTS, shownDuration, shownParties, shownTime } from './shown';

/** Rows that one click, or one scroll to the end, adds. */
const STEP_ROWS = 50;

/** The files that a search has found, latest first: some at a time, while the user scrolls. */
export class ResultList {
  readonly view: HTMLElement;
  readonly #context: TabContext;
  readonly #onChoose: (row: ArchiveRow, chosen: HTMLElement) => void;
  readonly #list: HTMLElement;
  readonly #state: HTMLElement;
  readonly #more: HTMLButtonElement;
  readonly #stop: HTMLButtonElement;
  readonly #end: IntersectionObserver;
  #query: Readonly<Record<string, unknown>> = {};
  #next: string | null = null;
  #looked = 0;
  #providers: readonly string[] = [];
  /** Counts searches: what belongs to an earlier one is dropped. */
  #turn = 0;
  #isBusy = false;

  constructor(context: TabContext, onChoose: (row: ArchiveRow, chosen: HTMLElement) => void) {
    const { say, signal } = context;
    this.#context = context;
    this.#onChoose = onChoose;
    this.#list = element('ul', { class: 'telnyx-sidebar-rows', 'aria-label': say('archive.found') });
    this.#state = element('p', { class: 'telnyx-sidebar-hint', role: 'status' });
    this.#more = button({ text: say('archive.more') }, () => void this.#continue());
    this.#stop = button({ icon: 'stop', text: say('archive.stop') }, () => this.#halt());
    this.view = element('div', {}, this.#list, this.#state, this.#more, this.#stop);
    this.#end = new IntersectionObserver((entries) => {
      if (entries.at(-1)?.isIntersecting === true) void this.#continue();
    });
    this.#end.observe(this.#more);
    signal.addEventListener('abort', () => this.close(), { once: true });
    this.#show(false);
  }

  close(): void {
    this.#turn += 1;
    this.#end.disconnect();
  }

  /** Begins a new search. @returns the providers that there are */
  async begin(query: Readonly<Record<string, unknown>>): Promise<readonly string[]> {
    this.#turn += 1;
    this.#query = query;
    this.#next = null;
    this.#looked = 0;
    this.#list.replaceChildren();
    await this.#fetch();
    return this.#providers;
  }

  async #continue(): Promise<void> {
    if (!this.#isBusy && this.#next !== null) await this.#fetch();
  }

  #halt(): void {
    this.#turn += 1;
    this.#show(false);
    this.#say(this.#context.say('archive.stopped', { looked: countText(this.#looked) }));
  }

  /** Asks for pages until there are enough new rows, or none are left. */
  async #fetch(): Promise<void> {
    const turn = this.#turn;
    const { say } = this.#context;
    this.#show(true);
    let reading: number | undefined;
    for (let rows = 0; rows < STEP_ROWS;) {
      const answer = await search(this.#context, { ...this.#query, after: this.#next });
      if (turn !== this.#turn) return;
      if (!answer.ok) {
        this.#show(false);
        this.#say(answer.error, true);
        return;
      }
      const { reply } = answer;
      this.#list.append(...reply.rows.map((row) => this.#row(row)));
      rows += reply.rows.length;
      this.#looked += reply.looked;
      this.#next = reply.next;
      reading = reply.reading;
      this.#providers = reply.providers;
      if (this.#next === null) break;
      this.#say(say('archive.searching', { looked: countText(this.#looked) }));
    }
    this.#show(false);
    const isNothing = this.#list.childElementCount === 0;
    const end = isNothing ? say('archive.nothing') : this.#next === null ? say('archive.all') : '';
    this.#say(reading === undefined ? end : say('archive.reading', { count: countText(reading) }));
  }

  #show(isBusy: boolean): void {
    this.#isBusy = isBusy;
    this.#more.hidden = isBusy || this.#next === null;
    this.#stop.hidden = !isBusy;
    this.#list.setAttribute('aria-busy', String(isBusy));
  }

  #say(text: string, isError = false): void {
    this.#state.textContent = text;
    this.#state.classList.toggle('telnyx-sidebar-error', isError);
  }

  #row(row: ArchiveRow): HTMLElement {
    const { say } = this.#context;
    const facts = [
      row.isSample ? say('archive.sample') : '',
      shownTime(row.at),
      shownDuration(row.duration),
      row.kind === 'audio' ? '' : say(`${TEXTS.kind}${row.kind}`),
      say(`${TEXTS.provider}${row.provider}`),
      row.hasText ? say('archive.has-text') : ''
    ];
    const chosen = element(
      'button',
      { type: 'button', class: 'telnyx-sidebar-row', onclick: () => this.#onChoose(row, chosen) },
      icon(KIND_ICONS[row.kind]),
      element(
        'span',
        {},
        element('strong', { text: shownParties(row, say('archive.unknown')) }),
        element('small', { text: facts.filter((fact) => fact !== '').join(' · ') }),
        keptLine(row, say)
      )
    );
    return element('li', {}, chosen);
  }
}
