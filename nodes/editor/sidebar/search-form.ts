import { TEXTS } from './archive/shown';
import { button, element } from './elements';
import type { Say } from './tab';

/** Milliseconds without a key after which a search begins by itself. */
const PAUSE_MS = 350;
const LONGEST = 200;

/** The form of a search. */
export interface SearchForm {
  readonly form: HTMLElement;
  /** What the user searches for, as the runtime takes it. */
  query(): Readonly<Record<string, unknown>>;
  /** Offers the providers that there are. */
  offer(providers: readonly string[]): void;
}

/** @param onChange called when the user has submitted the form, or has changed it and paused */
export function formOf(say: Say, fields: readonly HTMLElement[], onChange: () => void): HTMLFormElement {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const change = (): void => {
    clearTimeout(timer);
    if (form.isConnected) onChange();
  };
  const form = element(
    'form',
    { class: 'telnyx-sidebar-search', role: 'search' },
    ...fields,
    button({ icon: 'search', text: say('archive.search'), class: 'wide' }, change)
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    change();
  });
  form.addEventListener('input', () => {
    clearTimeout(timer);
    timer = setTimeout(change, PAUSE_MS);
  });
  return form;
}

/** An input with its label. @param size `wide`: a row of its own */
export function field(label: string, input: HTMLElement, size = ''): HTMLLabelElement {
  return element('label', { class: `telnyx-sidebar-field ${size}` }, element('span', { text: label }), input);
}

/** An input for words to find. @param attributes that differ from those of other inputs */
export function searchInput(attributes: Readonly<Record<string, unknown>> = {}): HTMLInputElement {
  return element('input', { type: 'search', maxlength: LONGEST, autocomplete: 'off', ...attributes });
}

/** An input for any part of a number or an id. */
export function numberInput(): HTMLInputElement {
  return searchInput({ placeholder: '+1 555 010 0199' });
}

/** @param all stands for no choice. @param textOf what a value is called */
export function choice(
  all: string,
  values: readonly string[],
  textOf: (value: string) => string
): HTMLSelectElement {
  const options = values.map((value) => option(value, textOf(value)));
  return element('select', {}, option('', all), ...options);
}

/** A choice of one of the providers, which are known later. */
export function providerChoice(say: Say): { select: HTMLSelectElement; offer: SearchForm['offer'] } {
  const select = choice(say('archive.provider.all-providers'), [], String);
  return {
    select,
    offer: (providers) => {
      if (select.options.length > 1) return;
      select.append(...providers.map((name) => option(name, say(`${TEXTS.provider}${name}`))));
    }
  };
}

function option(value: string, text: string): HTMLOptionElement {
  return element('option', { value, text });
}
