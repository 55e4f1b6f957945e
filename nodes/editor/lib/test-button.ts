import { HIDDEN_PASSWORD } from '../../config/hidden-password';
import type { TestFinding } from '../../config/dialog/test-finding';
import { told } from '../../lib/in-language';
import { markedItem } from './marks';
import { askRuntime, mayWrite } from './runtime-call';
import { textOf } from './validators';

/**
 * Makes the button `<type>-test` try the current values of the dialog, deployed or not. The findings appear in the list
 * `<type>-findings`.
 *
 * @param path of the route in the runtime
 * @param values what to send
 */
export function prepareTest(node: EditorNode, path: string, values: () => object): void {
  const { type } = node;
  const button = $(`#${type}-test`);
  if (!mayWrite()) {
    button.closest('.form-row').hide();
    return;
  }
  const test = async (): Promise<void> => {
    button.prop('disabled', true);
    const list = $(`#${type}-findings`).empty().show();
    list.append(markedItem('running', node._(`${type}.test.running`)));
    const answer = await askRuntime<{ findings: TestFinding[] }>(path, values(), {
      notPermitted: node._(`${type}.test.not-permitted`),
      notReached: node._(`${type}.test.not-reached`)
    });
    list.empty();
    if (answer.ok)
      for (const { result, said } of answer.reply.findings) list.append(markedItem(result, told(RED, said)));
    else list.append(markedItem('failed', answer.error));
    button.prop('disabled', false);
  };
  button.on('click', (event) => {
    event.preventDefault();
    void test();
  });
}

/** The value of a password field; the editor knows a password that was typed but not yet deployed. */
export function typedSecret(node: EditorNode, name: string): string {
  const shown = textOf($(`#node-config-input-${name}`).val());
  const typed = textOf(node.credentials?.[name]);
  return shown === HIDDEN_PASSWORD && typed !== '' ? typed : shown;
}
