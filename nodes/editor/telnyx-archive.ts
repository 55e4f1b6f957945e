import { ACTIONS } from '../archive/archive-fields';
import { labelStyle, nodeLabel, paletteLabel } from './lib/labels';
import { chooseDefaults } from './lib/validators';

interface ArchiveNode extends EditorNode {
  action?: string;
}

const ALL: readonly unknown[] = ACTIONS;
/** The actions that delete. */
const DELETING: readonly unknown[] = ['sweep', 'erase'];

RED.nodes.registerType<ArchiveNode>('telnyx-archive', {
  category: 'telnyx',
  color: '#5AAB7C',
  icon: 'telnyx-archive.svg',
  defaults: {
    name: { value: '' },
    action: {
      value: ACTIONS[0],
      validate: function (value, _options) {
        const isKnown = value === undefined || value === '' || ALL.includes(value);
        return isKnown ? true : this._(`${this.type}.error.action`);
      }
    },
    folder: { value: '' },
    bucket: { value: '', type: 'telnyx-bucket', required: false }
  },
  inputs: 1,
  outputs: 1,
  outputLabels: function () {
    return this._(`${this.type}.output.result`);
  },
  paletteLabel,
  label: nodeLabel,
  labelStyle,
  oneditprepare: function () {
    chooseDefaults(this, ['action']);
    const action = $('#node-input-action');
    action
      .on('change', () => {
        $('#telnyx-archive-dry-run-tip').toggle(DELETING.includes(action.val()));
      })
      .trigger('change');
  }
});
