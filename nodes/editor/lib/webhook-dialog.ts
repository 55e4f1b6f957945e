import { comparablePath, pathFault, type PathFault } from '../../../src/webhook/express/route-path';
import { DEFAULT_PATH } from '../../webhook/webhook-fields';
import { showAddress } from '../register/public-url';
import { prepareAdvanced } from './advanced';
import { prepareSize } from './size-field';
import { chooseDefaults, isVariable, textOf } from './validators';
import { showVariables } from './variables';

/** The types of all webhook nodes. */
const WEBHOOK_TYPES = Object.keys(DEFAULT_PATH).map((provider) => `${provider}-webhook-in`);

/** The properties that the dialogs of all webhook nodes use. */
interface WebhookNode extends EditorNode {
  path?: string;
}

/** Validator of `path`. */
export const webhookPath: EditorValidator = function (value, _options) {
  if (isVariable(value)) return true;
  const path = textOf(value);
  const sharesAdminRoot =
    comparablePath(RED.settings.httpNodeRoot ?? '/') === comparablePath(window.location.pathname);
  // The runtime also accepts a path without a leading slash, but shows and compares it with one.
  const fault = path.startsWith('/') ? pathFault(path, sharesAdminRoot) : 'empty';
  if (fault !== null) return this._(`${this.type}.error.${problemKey(fault)}`);
  return isServedByAnother(this, path) ? this._(`${this.type}.error.path-twice`) : true;
};

function problemKey(fault: PathFault): string {
  if (fault === 'reserved') return 'path-editor';
  return fault === 'root' ? 'path-root' : 'path';
}

function isServedByAnother(node: EditorNode, path: string): boolean {
  let isServed = false;
  RED.nodes.eachNode((other) => {
    if (other.id === node.id || !WEBHOOK_TYPES.includes(other.type)) return;
    const isDisabled = other.d === true || RED.nodes.workspace(other.z)?.disabled === true;
    if (!isDisabled && comparablePath(textOf(other['path'])) === comparablePath(path)) isServed = true;
  });
  return isServed;
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
  showAddress(this);
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
