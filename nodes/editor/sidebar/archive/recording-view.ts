import type { TabContext } from '../tab';
import { type ArchiveRow, type DetailsReply, checkFile, fetchAddress, fetchDetails } from './archive-api';
import { button, element, icon } from '../elements';
import { keptFacts } from './kept';
import { LogView } from './log-view';
import { Player } from './player';
import { bytesText } from '../now/formats';
import { TEXTS, shownDuration, shownParties, shownTime } from './shown';

/** Details in the order in which they are shown; the others are in the JSON file beside the recording. */
const FACTS = [
  'recording_id',
  'call_session_id',
  'call_leg_id',
  'call_control_id',
  'conference_id',
  'connection_id',
  'mtg_session_id',
  'room_name',
  'track',
  'channels',
  'event_type',
  'stored_at',
  'deleted_at_source',
  'sha256'
] as const;
const TIMES: ReadonlySet<string> = new Set(['stored_at', 'deleted_at_source']);

/** One file of the archive: played, checked, saved. */
export class RecordingView {
  readonly view: HTMLElement;
  readonly #context: TabContext;
  readonly #row: ArchiveRow;
  readonly #back: HTMLButtonElement;
  readonly #body = element('div', {});
  readonly #state = element('p', { class: 'telnyx-sidebar-hint', role: 'status' });
  #player: Player | null = null;
  readonly #closing = new AbortController();

  constructor(context: TabContext, row: ArchiveRow, onBack: () => void) {
    const { say } = context;
    this.#context = context;
    this.#row = row;
    this.#back = button({ icon: 'arrow-left', text: say('archive.back') }, onBack);
    this.view = element(
      'section',
      { class: 'telnyx-sidebar-recording', 'aria-label': shownParties(row, say('archive.unknown')) },
      this.#back,
      this.#body,
      this.#state
    );
    this.view.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      // The editor looks at where a key was pressed, which is gone by then.
      event.stopPropagation();
      onBack();
    });
    void this.#load();
  }

  focus(): void {
    this.#back.focus();
  }

  close(): void {
    this.#closing.abort();
    this.#player?.close();
  }

  async #load(): Promise<void> {
    const answer = await fetchDetails(this.#context, this.#row.id);
    if (this.#closing.signal.aborted) return;
    if (!answer.ok) this.#say(answer.error, 'error');
    else this.#show(answer.reply);
  }

  #show(details: DetailsReply): void {
    const { say } = this.#context;
    const { row, text } = details;
    const parts: HTMLElement[] = [
      element('h4', { text: shownParties(row, say('archive.unknown')) }),
      element('p', {
        class: 'telnyx-sidebar-hint',
        text: [row.isSample ? say('archive.sample') : '', summaryOf(details)].filter(Boolean).join(' · ')
      })
    ];
    const listening = element('div', { class: 'telnyx-sidebar-listening' });
    if (details.plays) {
      this.#player = new Player(this.#context, details, row.id);
      listening.append(this.#player.view);
    }
    if (text !== null) listening.append(this.#text(text));
    const log = new LogView(this.#context, row.id, this.#closing.signal);
    parts.push(listening, this.#buttons(details), this.#state, this.#facts(details), log.view);
    this.#body.replaceChildren(...parts);
  }

  #text(text: string): HTMLElement {
    const { say } = this.#context;
    return element(
      'div',
      { class: 'telnyx-sidebar-text', role: 'region', tabindex: 0, 'aria-label': say('archive.spoken') },
      text
    );
  }

  #buttons({ location }: DetailsReply): HTMLElement {
    const { say } = this.#context;
    const check = button({ icon: 'check', text: say('archive.check') }, () => void this.#check(check));
    const save = button({ icon: 'download', text: say('archive.save') }, () => void this.#save());
    const buttons = element('div', { class: 'telnyx-sidebar-buttons' }, save, check);
    if (location !== null) {
      const copy = button({ icon: 'clipboard', text: say('archive.copy') }, () =>
        RED.clipboard.copyText(location, $(copy), say('archive.copied'))
      );
      buttons.append(copy);
    }
    return buttons;
  }

  #facts(details: DetailsReply): HTMLElement {
    const { say } = this.#context;
    const { recording, location } = details;
    const list = element('dl', { class: 'telnyx-sidebar-details' });
    const add = (label: string, value: string): void => {
      list.append(element('dt', { text: label }), element('dd', { text: value }));
    };
    if (location !== null) add(say('archive.location'), location);
    for (const [label, value] of keptFacts(details, say)) add(label, value);
    for (const name of FACTS) {
      const value = recording[name];
      if (typeof value !== 'string' || value === '') continue;
      add(say(`${TEXTS.fact}${name}`), TIMES.has(name) ? shownTime(value) : value);
    }
    return list;
  }

  async #save(): Promise<void> {
    const answer = await fetchAddress(this.#context, this.#row.id, 'save');
    if (this.#closing.signal.aborted) return;
    if (!answer.ok) {
      this.#say(answer.error, 'error');
      return;
    }
    const link = element('a', { href: answer.reply, download: true, rel: 'noreferrer' });
    document.body.append(link);
    link.click();
    link.remove();
  }

  async #check(pressed: HTMLButtonElement): Promise<void> {
    const { say } = this.#context;
    pressed.disabled = true;
    const bar = element('progress', { max: 1, value: 0, 'aria-label': say('archive.checking') });
    this.#state.className = 'telnyx-sidebar-hint';
    this.#state.replaceChildren(say('archive.checking'), ' ', bar);
    const answer = await checkFile(
      this.#context,
      { id: this.#row.id, signal: this.#closing.signal },
      (part) => (bar.value = part)
    );
    if (this.#closing.signal.aborted) return;
    pressed.disabled = false;
    if (!answer.ok) {
      this.#say(answer.error, 'error');
      return;
    }
    const { sha256, expected, size, stored } = answer.reply;
    if (size !== stored) this.#say(say('archive.resized', { size, stored }), 'error');
    else if (sha256 === expected) this.#say(say('archive.intact'), 'good');
    else this.#say(say('archive.changed'), 'error');
    const hash = (label: string, value: string): HTMLElement =>
      element('div', {}, `${label} `, element('code', { text: value }));
    if (sha256 === expected) this.#state.append(hash(say(`${TEXTS.fact}sha256`), sha256));
    else this.#state.append(hash(say('archive.sha-now'), sha256), hash(say('archive.sha-stored'), expected));
  }

  #say(text: string, how: 'error' | 'good'): void {
    this.#state.className = `telnyx-sidebar-hint telnyx-sidebar-${how}`;
    this.#state.replaceChildren(icon(how === 'good' ? 'check-circle' : 'times-circle'), ` ${text}`);
  }
}

function summaryOf({ row, recording }: DetailsReply): string {
  const size = recording['size'];
  const facts = [
    shownTime(row.at),
    shownDuration(row.duration),
    (row.format ?? '').toUpperCase(),
    typeof size === 'number' ? bytesText(size) : ''
  ];
  return facts.filter((fact) => fact !== '').join(' · ');
}
