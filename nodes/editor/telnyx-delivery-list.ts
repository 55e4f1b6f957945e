import { DEFAULT_FROM, OUTCOMES, SENDERS, SOURCES } from '../delivery-list/delivery-list-fields';
import { SELECTIONS } from '../list/list-fields';
import { labelStyle, nodeLabel, paletteLabel } from './lib/labels';
import { momentOf } from './lib/moments';
import { chooseOnlyAccounts } from './account/only-account';
import { prepareRunNow } from './lib/run-now';
import { chooseDefaults, isChosen } from './lib/validators';

interface DeliveryListNode extends EditorNode {
  source?: string;
}

RED.nodes.registerType<DeliveryListNode>('telnyx-delivery-list', {
  category: 'telnyx',
  color: '#5AAB7C',
  icon: 'telnyx-deliveries.svg',
  defaults: {
    name: { value: '' },
    source: { value: SOURCES[0] },
    account: {
      value: '',
      type: 'telnyx-account',
      validate: function (value, _options) {
        const isMissing = this.source === 'telnyx' && !isChosen(value);
        return isMissing ? this._(`${this.type}.error.account`) : true;
      }
    },
    from: { value: DEFAULT_FROM, validate: momentOf('from') },
    to: { value: '', validate: momentOf('to') },
    events: { value: '' },
    provider: { value: SENDERS[0] },
    only: { value: SELECTIONS[0] },
    outcome: { value: OUTCOMES[0] },
    sentTo: { value: '' },
    queue: { value: '', type: 'telnyx-queue', required: false }
  },
  inputs: 1,
  outputs: 2,
  outputLabels: function (index) {
    return this._(`${this.type}.${index === 0 ? 'output.deliveries' : 'output.summary'}`);
  },
  paletteLabel,
  label: nodeLabel,
  labelStyle,
  onadd: chooseOnlyAccounts,
  oneditprepare: function () {
    prepareRunNow(this);
    chooseDefaults(this, ['source', 'provider', 'only', 'outcome']);
    const source = $('#node-input-source');
    source
      .on('change', () => {
        for (const one of SOURCES) $(`.telnyx-delivery-list-${one}-row`).toggle(source.val() === one);
      })
      .trigger('change');
  }
});
