import type { SampleChoices } from '../../../src/samples/sample-choices';
import { type SampleAnswer, type SampleReply, samplePath } from '../../samples/sample-request';
import { timeOfDay } from '../lib/in-locale';
import { markedItem } from '../lib/marks';
import { askRuntime } from '../lib/runtime-call';
import { foundSamples } from './sample-search';

export interface SamplePanelOptions {
  /** Type of the webhook node. */
  type: string;
  /** Id of the node that sends. */
  node: () => string;
  /** A text below `sample.` of the webhook nodes. */
  text: (key: string, values?: Record<string, string | number>) => string;
}

let panels = 0;

/**
 * The panel behind "Send a sample": a searchable list of all events of a provider, a button, and what came of it. For
 * dialogs and the sidebar. It needs the permission `flows.write`; without it the button is off and says why.
 */
export class SamplePanel {
  readonly element = $('<div></div>').addClass('telnyx-sample');
  readonly #options: SamplePanelOptions;
  readonly #search: JQuery;
  readonly #list: JQuery;
  readonly #button: JQuery;
  readonly #result = $('<div role="status"></div>').css({ 'margin-top': '8px', 'overflow-wrap': 'anywhere' });
  readonly #id: string;
  #choices: SampleChoices = { families: [], usual: '' };
  #chosen = '';
  #isSending = false;

  constructor(options: SamplePanelOptions) {
    this.#options = options;
    panels += 1;
    this.#id = `telnyx-sample-${panels}`;
    const { text } = options;
    this.#search = $('<input type="text" role="combobox" aria-autocomplete="list" aria-expanded="true" />')
      .attr({ id: this.#id, 'aria-controls': `${this.#id}-list`, autocomplete: 'off', spellcheck: 'false' })
      .attr('placeholder', text('search'))
      .css({ width: '100%', 'box-sizing': 'border-box' })
      .on('input', () => this.#show())
      .on('keydown', (event) => this.#onKey(event));
    this.#list = $('<div role="listbox"></div>')
      .attr({ id: `${this.#id}-list`, 'aria-label': text('events') })
      .css({
        height: '200px',
        position: 'relative',
        'overflow-y': 'auto',
        margin: '4px 0 8px',
        border: '1px solid var(--red-ui-form-input-border-color)',
        background: 'var(--red-ui-form-input-background)'
      })
      .on('click', '[role=option]', ({ currentTarget }) => this.#choose($(currentTarget as HTMLElement)))
      .on('dblclick', '[role=option]', () => void this.#send());
    this.#button = $('<button type="button" class="red-ui-button" disabled></button>')
      .append('<i class="fa fa-paper-plane" aria-hidden="true"></i> ')
      .append($('<span></span>').text(text('send')))
      .on('click', () => void this.#send());
    const label = $('<label></label>').attr('for', this.#id).css('width', 'auto').text(text('choose'));
    this.element.append(label, this.#search, this.#list, this.#button, this.#result);
    if (!RED.user.hasPermission('flows.write')) this.#tell('warning', text('not-permitted'));
    this.#load();
  }

  /** Puts the cursor into the search. */
  focus(): void {
    this.#search.trigger('focus');
  }

  #load(): void {
    const { type, text } = this.#options;
    void $.getJSON(samplePath(type).slice(1), { lng: RED.i18n.lang() })
      .done((choices: SampleChoices) => {
        this.#choices = choices;
        this.#chosen = choices.usual;
        this.#show();
      })
      .fail(() => this.#tell('failed', text('not-reached')));
  }

  #show(): void {
    const { text } = this.#options;
    const found = foundSamples(this.#choices.families, String(this.#search.val() ?? ''));
    this.#list.empty();
    found.forEach(({ label, types }, at) => {
      const group = $('<div role="group"></div>').attr('aria-labelledby', `${this.#id}-family-${at}`);
      $('<div></div>')
        .attr('id', `${this.#id}-family-${at}`)
        .css({
          padding: '6px 8px 2px',
          'font-weight': 'bold',
          color: 'var(--red-ui-secondary-text-color-inactive)'
        })
        .text(label)
        .appendTo(group);
      for (const { type, description } of types) group.append(option(this.#id, type, description));
      this.#list.append(group);
    });
    if (found.length === 0) this.#list.append($('<div></div>').css('padding', '8px').text(text('nothing')));
    const options = this.#items();
    const chosen = options.filter((_index, one) => one.dataset['event'] === this.#chosen);
    this.#choose(chosen.length > 0 ? chosen : options.first());
  }

  #items(): JQuery {
    return this.#list.find('[role=option]');
  }

  /** @param chosen an option; empty when nothing was found */
  #choose(chosen: JQuery): void {
    this.#items().attr('aria-selected', 'false').css({ background: '', color: '' });
    chosen.attr('aria-selected', 'true').css({
      background: 'var(--red-ui-list-item-background-selected)',
      color: 'var(--red-ui-primary-text-color)'
    });
    const element = chosen[0];
    if (element !== undefined) {
      this.#chosen = element.dataset['event'] ?? '';
      this.#search.attr('aria-activedescendant', element.id);
      const { top } = chosen.position();
      const height = this.#list.height() ?? 0;
      if (top < 0 || top + (chosen.outerHeight() ?? 0) > height)
        this.#list.scrollTop((this.#list.scrollTop() ?? 0) + top - height / 3);
    } else this.#search.removeAttr('aria-activedescendant');
    this.#enable();
  }

  #enable(): void {
    const isOff = this.#isSending || this.#items().length === 0 || !RED.user.hasPermission('flows.write');
    this.#button.prop('disabled', isOff);
  }

  #onKey(event: JQuery.KeyDownEvent): void {
    const step = STEPS.get(event.key);
    if (step !== undefined) {
      const options = this.#items();
      const at = options.index(options.filter('[aria-selected=true]'));
      this.#choose(options.eq(Math.min(Math.max(at + step, 0), options.length - 1)));
    } else if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey) void this.#send();
    else return;
    event.preventDefault();
  }

  async #send(): Promise<void> {
    if (this.#button.prop('disabled') === true) return;
    const { type, node, text } = this.#options;
    const event = this.#chosen;
    this.#isSending = true;
    this.#enable();
    this.#tell('running', text('sending', { event }));
    const answer = await askRuntime<SampleReply>(
      samplePath(type),
      { id: node(), event },
      { notPermitted: text('not-permitted'), notReached: text('not-reached') }
    );
    this.#isSending = false;
    this.#enable();
    if (answer.ok) this.#tellReply(answer.reply);
    else this.#tell('failed', answer.error);
    this.#reveal();
  }

  #tell(mark: Parameters<typeof markedItem>[0], text: string): JQuery {
    const list = $('<ul class="fa-ul"></ul>').css('margin-left', '24px').append(markedItem(mark, text));
    this.#result.empty().append(list);
    return list;
  }

  /** Shows what came of a sample on a small screen, too, where it is below the edge of the dialog. */
  #reveal(): void {
    this.#result[0]?.scrollIntoView({ block: 'nearest' });
  }

  #tellReply({ event_type, sent_at, isWired, answer }: SampleReply): void {
    const { text } = this.#options;
    const time = timeOfDay(new Date(sent_at));
    const list = this.#tell('ok', text('sent', { event: event_type, time }));
    if (!isWired) list.append(markedItem('warning', text('not-wired')));
    if (answer !== null) this.#tellAnswer(list, answer);
  }

  #tellAnswer(list: JQuery, answer: SampleAnswer): void {
    const { text } = this.#options;
    if (answer.kind === 'none') {
      list.append(markedItem('warning', text('no-answer', { seconds: answer.seconds })));
      return;
    }
    const { status, contentType, body, isCut } = answer;
    const isAccepted = status >= 200 && status < 300;
    const answered = [text('answered', { status }), contentType].filter(Boolean).join(', ');
    list.append(markedItem(isAccepted ? 'ok' : 'warning', answered));
    if (body === '') return;
    $('<pre></pre>')
      .attr({ tabindex: '0', 'aria-label': text('answer') })
      .css({ 'max-height': '160px', overflow: 'auto', 'white-space': 'pre-wrap' })
      .text(isCut ? `${body}…` : body)
      .appendTo(this.#result);
  }
}

/** How far a key moves the choice. */
const STEPS: ReadonlyMap<string, number> = new Map([
  ['ArrowDown', 1],
  ['ArrowUp', -1],
  ['PageDown', 8],
  ['PageUp', -8]
]);

function option(id: string, type: string, description: string): JQuery {
  return $('<div role="option" aria-selected="false"></div>')
    .attr({ id: `${id}-${type}`, 'data-event': type })
    .css({ padding: '2px 8px 2px 20px', cursor: 'pointer' })
    .append($('<div></div>').text(type))
    .append($('<div></div>').css({ 'font-size': '0.9em' }).text(description));
}
