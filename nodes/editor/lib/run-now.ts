import { RUN_LIST_PATH } from '../../config/dialog/run-list';
import { icon } from './marks';
import { askRuntime, mayWrite } from './runtime-call';

/** Milliseconds between two looks at the status of the node, while its dialog is open. */
const INTERVAL_MS = 500;

/** Makes the button "Run now" start the deployed node, and shows its status beside it. */
export function prepareRunNow(node: EditorNode): void {
  const { type } = node;
  const button = $(`#${type}-run`);
  const place = $(`#${type}-run-status`);
  if (!mayWrite()) {
    button.closest('.form-row').hide();
    return;
  }
  let problem = '';
  const show = (): void => {
    if (!document.contains(place[0] ?? null)) return;
    const text = problem || (RED.nodes.node(node.id)?.status?.text ?? '');
    if (place.text() !== text) {
      place.empty();
      if (problem !== '') place.append(icon('failed'), ' ');
      place.append($('<span></span>').text(text));
    }
    setTimeout(show, INTERVAL_MS);
  };
  button.on('click', () => {
    button.prop('disabled', true);
    problem = '';
    const texts = {
      notPermitted: node._(`${type}.run.not-permitted`),
      notReached: node._(`${type}.run.not-reached`)
    };
    void askRuntime<object>(RUN_LIST_PATH, { id: node.id }, texts).then((answer) => {
      if (!answer.ok) problem = answer.error;
      button.prop('disabled', false);
    });
  });
  show();
}
