import { TEXTS } from '../archive/shown';
import { button, element, field, option } from '../archive/form-parts';
import { whenSearched } from '../search-timing';
import type { Say } from '../tab';

export interface DeliveryForm {
  readonly form: HTMLElement;
  /** What the user searches for, as the runtime takes it. */
  query(): Readonly<Record<string, unknown>>;
  /** Offers the providers that there are. */
  offer(providers: readonly string[]): void;
}

const LONGEST = 200;
const LONGEST_EVENTS = 2000;
const STATES = ['handed-over', 'waiting', 'duplicate'] as const;

/** @param onChange called when the user has changed something, and paused */
export function deliveryForm(say: Say, onChange: () => void): DeliveryForm {
  const what = element('input', {
    type: 'search',
    placeholder: '+1 555 010 0199',
    maxlength: LONGEST,
    autocomplete: 'off'
  });
  const events = element('input', {
    type: 'search',
    placeholder: 'call.*, message.received',
    maxlength: LONGEST_EVENTS,
    autocomplete: 'off',
    spellcheck: 'false'
  });
  const from = element('input', { type: 'datetime-local' });
  const to = element('input', { type: 'datetime-local' });
  const provider = element('select', {}, option('', say('archive.provider.all-providers')));
  const state = element(
    'select',
    {},
    option('', say('deliveries.state.all')),
    ...STATES.map((value) => option(value, say('deliveries.state.' + value)))
  );
  const form = element(
    'form',
    { class: 'telnyx-sidebar-search', role: 'search' },
    field(say('deliveries.what'), what, 'wide'),
    field(say('deliveries.events'), events, 'wide'),
    field(say('archive.from'), from, 'telnyx-sidebar-time'),
    field(say('archive.to'), to, 'telnyx-sidebar-time'),
    field(say('archive.provider.label'), provider),
    field(say('deliveries.state.label'), state),
    button({ icon: 'search', text: say('archive.search'), class: 'wide' }, () => change())
  );
  const change = whenSearched(form, onChange);
  return {
    form,
    offer: (providers) => {
      if (provider.options.length > 1) return;
      provider.append(...providers.map((name) => option(name, say(`${TEXTS.provider}${name}`))));
    },
    query: () => ({
      what: what.value,
      events: events.value,
      from: timeOf(from.value),
      before: timeOf(to.value),
      provider: provider.value,
      state: state.value
    })
  };
}

/** @returns milliseconds; null when no time is chosen */
function timeOf(text: string): number | null {
  const time = text === '' ? NaN : new Date(text).getTime();
  return Number.isNaN(time) ? null : time;
}
