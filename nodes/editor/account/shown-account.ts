import { typedSecret } from '../lib/test-button';
import { isChosen, textOf } from '../lib/validators';

/** What the Test button of an account sends: the current values of the dialog. */
export function shownAccount(node: EditorNode): Record<'id' | 'apiUrl' | 'proxy' | 'apiKey', string> {
  const proxy = $('#node-config-input-proxy').val();
  return {
    id: node.id,
    apiUrl: textOf($('#node-config-input-apiUrl').val()).trim(),
    proxy: isChosen(proxy) ? textOf(proxy) : '',
    apiKey: typedSecret(node, 'apiKey')
  };
}
