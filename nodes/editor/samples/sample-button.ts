import { mayWrite } from '../lib/runtime-call';
import { SamplePanel } from './sample-panel';

/** Makes the button of a webhook dialog open the panel for samples. */
export function prepareSampleButton(node: EditorNode): void {
  const { type } = node;
  const say = (key: string, values?: Record<string, string | number>): string =>
    node._(`${type}.sample.${key}`, values);
  const place = $(`#${type}-sample`).hide();
  const button = $(`#${type}-sample-open`);
  if (!mayWrite()) {
    button.closest('.form-row').hide();
    return;
  }
  let panel: SamplePanel | null = null;
  button.on('click', () => {
    if (panel === null) {
      panel = new SamplePanel({ type, node: () => node.id, text: say });
      place.append($('<p></p>').text(say('deployed')), panel.element);
    }
    place.toggle();
    const isOpen = place.is(':visible');
    button.attr('aria-expanded', String(isOpen));
    if (isOpen) panel.focus();
  });
}
