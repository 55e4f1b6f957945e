import { button, element, field, option } from './form-parts';
import { TEXTS } from './shown';
import { whenSearched } from '../search-timing';
import type { Say } from '../tab';

export interface SearchForm {
  readonly form: HTMLElement;
  /** What the user searches for, as the runtime takes it. */
  query(): Readonly<Record<string, unknown>>;
  /** Offers the providers that there are. */
  offer(providers: readonly string[]): void;
}

const KINDS = ['audio', 'video', 'fax', 'text', 'other'] as const;
const LONGEST = 200;

/** @param onChange called when the user has changed something, and paused */
export function searchForm(say: Say, onChange: () => void): SearchForm {
  const what = element('input', {
    type: 'search',
    placeholder: '+1 555 010 0199',
    maxlength: LONGEST,
    autocomplete: 'off'
  });
  const from = element('input', { type: 'date' });
  const to = element('input', { type: 'date' });
  const text = element('input', { type: 'search', maxlength: LONGEST, autocomplete: 'off' });
  const provider = element('select', {}, option('', say('archive.provider.all-providers')));
  const kind = element(
    'select',
    {},
    option('', say('archive.kind.all')),
    ...KINDS.map((value) => option(value, say(`${TEXTS.kind}${value}`)))
  );
  const form = element(
    'form',
    { class: 'telnyx-sidebar-search', role: 'search' },
    field(say('archive.what'), what, 'wide'),
    field(say('archive.from'), from),
    field(say('archive.to'), to),
    field(say('archive.provider.label'), provider),
    field(say('archive.kind.label'), kind),
    field(say('archive.text'), text, 'wide'),
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
      from: dayOf(from.value, 0),
      before: dayOf(to.value, 1),
      provider: provider.value,
      kind: kind.value,
      text: text.value
    })
  };
}

/** @param days after it. @returns midnight here, milliseconds; null when no day is chosen */
function dayOf(text: string, days: number): number | null {
  const [year = NaN, month = NaN, day = NaN] = text.split('-').map(Number);
  const time = new Date(year, month - 1, day + days).getTime();
  return Number.isNaN(time) ? null : time;
}
