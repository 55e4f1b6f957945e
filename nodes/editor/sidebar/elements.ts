/** What an element has: `class`, `text`, listeners (`onclick`), and attributes; undefined and false leave it out. */
export interface Traits {
  class?: string;
  /** Shown as it is, whatever it contains. */
  text?: string;
  onclick?: (event: MouseEvent) => void;
  [attribute: string]: unknown;
}

/** Makes an element. Texts never become markup, so they may come from anywhere. */
export function element<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  traits: Traits = {},
  ...children: readonly (Node | string | null)[]
): HTMLElementTagNameMap[Name] {
  const made = document.createElement(name);
  const { class: names, text, onclick, ...attributes } = traits;
  if (names !== undefined) made.className = names;
  if (text !== undefined) made.textContent = text;
  if (onclick !== undefined) made.addEventListener('click', onclick as EventListener);
  setAttributes(made, attributes);
  made.append(...children.filter((child) => child !== null));
  return made;
}

/** As `element`, for SVG; `class` is an attribute there. */
export function svg(
  name: string,
  attributes: Readonly<Record<string, unknown>> = {},
  ...children: Node[]
): SVGElement {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  setAttributes(made, attributes);
  made.append(...children);
  return made;
}

/** An icon of the font that Node-RED brings; screen readers skip it. */
export function icon(name: string): HTMLElement {
  return element('i', { class: `fa fa-${name}`, 'aria-hidden': 'true' });
}

/** A button of Node-RED's look with an icon, or a text, or both. @param label read out, and shown when there is no text */
export function button(
  {
    icon: name,
    text,
    label,
    class: extra = ''
  }: { icon?: string; text?: string; label?: string; class?: string },
  onclick: () => void
): HTMLButtonElement {
  return element(
    'button',
    {
      type: 'button',
      class: `red-ui-button red-ui-button-small ${extra}`,
      title: label,
      'aria-label': label,
      onclick
    },
    name === undefined ? null : icon(name),
    text === undefined ? null : ` ${text}`
  );
}

function setAttributes(made: Element, attributes: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'string' || typeof value === 'number') made.setAttribute(name, String(value));
    else if (value === true) made.setAttribute(name, '');
  }
}
