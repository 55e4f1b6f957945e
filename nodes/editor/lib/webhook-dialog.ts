import { comparablePath, pathFault, type PathFault } from '../../../src/webhook/express/route-path';
import type { Provider } from '../../../src/events/provider';
import {
  DEFAULT_PATH,
  DUPLICATES,
  KEEP,
  MAX_BODY,
  REPLIES,
  REPLY_TIMEOUT,
  TOLERANCE
} from '../../webhook/webhook-fields';
import { neededAccount } from '../account/account-choice';
import { publicUrl } from '../register/public-url-rule';
import { showWebhookFacts } from '../register/webhook-facts';
import { prepareSampleButton } from '../samples/sample-button';
import { prepareAdvanced } from './advanced';
import { servedBy } from '../register/path-conflict';
import { prepareSize } from './size-field';
import { chooseDefaults, isVariable, numberWithin, textOf } from './validators';
import { showVariables } from './variables';

/** The properties that the dialogs of all webhook nodes use. */
interface WebhookNode extends EditorNode {
  path?: string;
}

/** The properties that all webhook nodes have. */
export function webhookDefaults(provider: Provider): EditorDefinition<WebhookNode>['defaults'] {
  return {
    name: { value: '' },
    account: { value: '', type: `${provider}-account`, validate: neededAccount },
    path: { value: DEFAULT_PATH[provider], required: true, validate: webhookPath },
    publicUrl: { value: '', validate: publicUrl },
    reply: { value: REPLIES[0] },
    replyTimeout: {
      value: String(REPLY_TIMEOUT.fallback),
      validate: numberWithin(REPLY_TIMEOUT, 'reply-timeout')
    },
    tolerance: {
      value: String(TOLERANCE[provider].fallback),
      validate: numberWithin(TOLERANCE[provider], 'tolerance')
    },
    duplicates: { value: DUPLICATES[0] },
    maxBody: { value: String(MAX_BODY.fallback), validate: numberWithin(MAX_BODY, 'max-body') },
    keep: { value: String(KEEP.fallback), validate: numberWithin(KEEP, 'keep') },
    health: { value: true },
    rawBody: { value: false },
    rejectedOutput: { value: false },
    queue: { value: '', type: 'telnyx-queue', required: false },
    outputs: { value: 1 }
  };
}

/** Validator of `path`. */
const webhookPath: EditorValidator = function (value, _options) {
  if (isVariable(value)) return true;
  const path = textOf(value);
  const sharesAdminRoot =
    comparablePath(RED.settings.httpNodeRoot ?? '/') === comparablePath(window.location.pathname);
  // The runtime also accepts a path without a leading slash, but shows and compares it with one.
  const fault = path.startsWith('/') ? pathFault(path, sharesAdminRoot) : 'empty';
  if (fault !== null) return this._(`${this.type}.error.${problemKey(fault)}`);
  const other = servedBy(this, path);
  return other === null
    ? true
    : this._(`${this.type}.error.path-twice`, { name: RED.utils.getNodeLabel(other, other.id) });
};

function problemKey(fault: PathFault): string {
  if (fault === 'reserved') return 'path-editor';
  return fault === 'root' ? 'path-root' : 'path';
}

/** Names the node that has the path already, with a way there. */
function showConflict(node: EditorNode): void {
  const field = $('#node-input-path');
  const place = $('<div role="status"></div>').css('margin-left', '104px').appendTo(field.parent());
  field
    .on('input change', () => {
      place.empty();
      const path = textOf(field.val());
      const other = isVariable(path) ? null : servedBy(node, path);
      if (other === null) return;
      const name = RED.utils.getNodeLabel(other, other.id);
      const go = $('<button type="button" class="red-ui-button red-ui-button-small"></button>');
      go.text(node._(`${node.type}.button.go`, { name })).on('click', () => RED.view.reveal(other.id));
      place.append(go.attr('id', `${node.type}-conflict`));
    })
    .trigger('change');
}

export function nodeLabel(this: WebhookNode): string {
  return this.name || this.path || this._(`${this.type}.palette`);
}

export function outputLabel(this: WebhookNode, index: number): string {
  return this._(`${this.type}.${index === 0 ? 'output.events' : 'output.rejected'}`);
}

export function prepareDialog(this: WebhookNode): void {
  chooseDefaults(this, ['reply', 'duplicates', 'keep']);
  prepareSize(this, 'maxBody');
  prepareAdvanced(this);
  showVariables(this);
  showConflict(this);
  showWebhookFacts(this);
  prepareSampleButton(this);
  const reply = $('#node-input-reply');
  reply
    .on('change', () => {
      $(`#${this.type}-reply-timeout-row`).toggle(reply.val() === 'flow');
    })
    .trigger('change');
}

export function saveDialog(this: WebhookNode): void {
  $('#node-input-outputs').val($('#node-input-rejectedOutput').is(':checked') ? 2 : 1);
}
