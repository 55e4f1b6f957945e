import { element } from '../elements';
import {
  choice,
  field,
  formOf,
  numberInput,
  providerChoice,
  type SearchForm,
  searchInput
} from '../search-form';
import type { Say } from '../tab';

const LONGEST_EVENTS = 2000;
const STATES = ['handed-over', 'waiting', 'duplicate'] as const;

/** @param onChange called when the user has changed something, and paused */
export function deliveryForm(say: Say, onChange: () => void): SearchForm {
  const what = numberInput();
  const events = searchInput({
    placeholder: 'call.*, message.received',
    maxlength: LONGEST_EVENTS,
    spellcheck: 'false'
  });
  const from = element('input', { type: 'datetime-local' });
  const to = element('input', { type: 'datetime-local' });
  const provider = providerChoice(say);
  const state = choice(say('deliveries.state.all'), STATES, (value) => say('deliveries.state.' + value));
  const fields = [
    field(say('deliveries.what'), what, 'wide'),
    field(say('deliveries.events'), events, 'wide'),
    field(say('archive.from'), from, 'telnyx-sidebar-time'),
    field(say('archive.to'), to, 'telnyx-sidebar-time'),
    field(say('archive.provider.label'), provider.select),
    field(say('deliveries.state.label'), state)
  ];
  return {
    form: formOf(say, fields, onChange),
    offer: provider.offer,
    query: () => ({
      what: what.value,
      events: events.value,
      from: timeOf(from.value),
      before: timeOf(to.value),
      provider: provider.select.value,
      state: state.value
    })
  };
}

/** @returns milliseconds; null when no time is chosen */
function timeOf(text: string): number | null {
  const time = text === '' ? NaN : new Date(text).getTime();
  return Number.isNaN(time) ? null : time;
}
