import { button, element } from '../elements';
import type { TabContext } from '../tab';

/** A part of the tab with a heading. */
export interface Section {
  readonly element: HTMLElement;
  /** @param count behind the heading; null: none */
  head(count: string | null): void;
  hide(isHidden: boolean): void;
}

export function section(title: string, ...content: readonly Node[]): Section {
  const count = element('span', { class: 'telnyx-sidebar-count' });
  const made = element(
    'section',
    { class: 'telnyx-sidebar-section' },
    element('div', { class: 'telnyx-sidebar-heading', role: 'heading', 'aria-level': 3 }, title, ' ', count),
    ...content
  );
  return {
    element: made,
    head: (text) => setText(count, text ?? ''),
    hide: (isHidden) => {
      made.hidden = isHidden;
    }
  };
}

/** Changes a text only when it differs, so that a selection of the user stays. */
export function setText(on: HTMLElement, text: string): void {
  if (on.textContent !== text) on.textContent = text;
}

export type Tone = 'good' | 'busy' | 'waiting' | 'bad' | 'idle';

/** A dot in the colour of a state. What it means is beside it as a text. */
export function dot(): { element: HTMLElement; show(tone: Tone): void } {
  const made = element('span', { class: 'telnyx-sidebar-dot', 'aria-hidden': 'true' });
  return {
    element: made,
    show: (tone) => {
      made.dataset['tone'] = tone;
    }
  };
}

/** A button with the name of a node, which shows it in the workspace. */
export function nodeLink(
  context: TabContext,
  shownAs: (id: string) => string
): { element: HTMLElement; show(id: string): void } {
  let shown = '';
  const made = button({ class: 'telnyx-sidebar-node', label: context.say('now.show-node') }, () =>
    context.reveal(shownAs(shown))
  );
  // Read out by its name; the rest is a description.
  made.removeAttribute('aria-label');
  return {
    element: made,
    show: (id) => {
      shown = id;
      const name = context.nameOf(shownAs(id));
      setText(made, name ?? context.say('now.gone-node'));
      made.disabled = name === null;
    }
  };
}
