import { element } from '../elements';

export { button, element, icon } from '../elements';

export function option(value: string, text: string): HTMLOptionElement {
  return element('option', { value, text });
}

/** An input with its label. @param size `wide`: a row of its own */
export function field(label: string, input: HTMLElement, size = ''): HTMLLabelElement {
  return element('label', { class: `telnyx-sidebar-field ${size}` }, element('span', { text: label }), input);
}
