import { addressFault, webhookUrl, type AddressFault } from '../../webhook/public-address';
import type { AddressValues } from '../../config/webhooks/webhooks-request';
import { icon } from '../lib/marks';
import { knownAddress } from './known-address';
import { isVariable, textOf } from '../lib/validators';

/** The public address of this Node-RED, in the open dialog of a webhook node. */
export interface ShownAddress extends AddressValues {
  /** The webhook URL, as far as the editor knows it. */
  url: string;
  /** Why no provider can reach it as it is; null when it may work. */
  fault: AddressFault | null;
  /** Whether the user has typed it, here or in another node. */
  isTyped: boolean;
}

export function shownAddress(node: EditorNode): ShownAddress {
  const typed = textOf($('#node-input-publicUrl').val()).trim() || addressWithout(node);
  const base = typed || window.location.origin;
  const path = textOf($('#node-input-path').val()).trim();
  return {
    base,
    path,
    url: webhookUrl(base, RED.settings.httpNodeRoot ?? '/', path),
    fault: isVariable(base) ? null : addressFault(base),
    isTyped: typed !== ''
  };
}

/** The address that counts while "Public URL" of the node is blank. */
function addressWithout(node: EditorNode): string {
  return knownAddress(node, textOf($('#node-input-account').val()));
}

/**
 * Shows the webhook URL and what is wrong with it, while path and address are typed.
 *
 * @param onShown gets what is shown
 */
export function showAddress(node: EditorNode, onShown: (address: ShownAddress) => void): void {
  const field = $('#node-input-publicUrl');
  const fault = $(`#${node.type}-url-fault`);
  const show = (): void => {
    field.attr('placeholder', addressWithout(node) || window.location.origin);
    const address = shownAddress(node);
    $(`#${node.type}-url`).text(address.url);
    const problem = address.isTyped || address.fault !== 'private' ? address.fault : 'local';
    fault.empty().toggle(problem !== null);
    if (problem !== null)
      fault.append(icon('warning'), ' ', $('<span></span>').text(node._(`${node.type}.address.${problem}`)));
    onShown(address);
  };
  field.on('input change', show);
  $('#node-input-account').on('change', show);
  $('#node-input-path').on('input change', show).trigger('change');
}
