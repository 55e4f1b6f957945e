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
import { TEXTS } from './shown';

const KINDS = ['audio', 'video', 'fax', 'text', 'other'] as const;

/** @param onChange called when the user has changed something, and paused */
export function archiveForm(say: Say, onChange: () => void): SearchForm {
  const what = numberInput();
  const from = element('input', { type: 'date' });
  const to = element('input', { type: 'date' });
  const text = searchInput();
  const provider = providerChoice(say);
  const kind = choice(say('archive.kind.all'), KINDS, (value) => say(`${TEXTS.kind}${value}`));
  const fields = [
    field(say('archive.what'), what, 'wide'),
    field(say('archive.from'), from),
    field(say('archive.to'), to),
    field(say('archive.provider.label'), provider.select),
    field(say('archive.kind.label'), kind),
    field(say('archive.text'), text, 'wide')
  ];
  return {
    form: formOf(say, fields, onChange),
    offer: provider.offer,
    query: () => ({
      what: what.value,
      from: dayOf(from.value, 0),
      before: dayOf(to.value, 1),
      provider: provider.select.value,
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
