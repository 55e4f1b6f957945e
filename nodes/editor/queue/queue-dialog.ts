import { HIDDEN_PASSWORD } from '../../config/hidden-password';
import { isEncryptionKey, KEY_BYTES } from '../../config/queue/queue-fields';
import type { QueueTestRequest } from '../../config/queue/queue-test-request';
import { typedSecret } from '../lib/test-button';
import { isVariable, textOf } from '../lib/validators';

/** The current values of the dialog, deployed or not. */
export function shownQueue(node: EditorNode): QueueTestRequest {
  const shown = (name: string): string => textOf($(`#node-config-input-${name}`).val()).trim();
  return {
    id: node.id,
    url: shown('url'),
    prefix: shown('prefix'),
    password: typedSecret(node, 'password'),
    encryptionKey: typedSecret(node, 'encryptionKey')
  };
}

/** Whether a key is usable, as far as the editor knows it. */
export function isTypedKey(text: string): boolean {
  const key = text.trim();
  return key === '' || key === HIDDEN_PASSWORD || isVariable(key) || isEncryptionKey(key);
}

/** Makes the button fill in a new key, which stays legible until the dialog is closed. */
export function offerKey(node: EditorNode): void {
  const tip = $(`#${node.type}-key-tip`).hide();
  $(`#${node.type}-make-key`).on('click', (event) => {
    event.preventDefault();
    const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
    const key = btoa(String.fromCharCode(...bytes));
    $('#node-config-input-encryptionKey').attr('type', 'text').val(key).trigger('change');
    tip.show();
  });
}
