import { isReadable, type FilterDialect } from '../../src/providers/list-filter';
import { ACCOUNT_CHOICES, choiceOf, USUAL_CHOICE, type AccountChoices } from '../config/account-choices';
import { DEFAULT_FROM, LISTED, SELECTIONS } from '../list/list-fields';
import { labelStyle, nodeLabel, paletteLabel } from './lib/labels';
import { momentOf } from './lib/moments';
import { chooseOnlyAccounts } from './account/only-account';
import { prepareRunNow } from './lib/run-now';
import { makeTyped } from './lib/typed-field';
import { chooseDefaults, isChosen, textOf } from './lib/validators';

interface ListNode extends EditorNode {
  provider?: string;
  filter?: unknown;
  what?: string;
}

/** The account of the listed provider must be chosen; the others need not be. */
function accountOf(property: keyof AccountChoices): EditorValidator<ListNode> {
  return function (value, _options) {
    const choice = choiceOf(this.provider);
    const isMissing = choice.property === property && !isChosen(value);
    return isMissing ? this._(`${this.type}.error.${choice.key}`) : true;
  };
}

/** The lists of the provider through which the filter goes. */
function filteredLists({ provider, what }: ListNode): FilterDialect[] {
  const { filters, transcriptFilters = filters } = choiceOf(provider);
  if (what === 'transcripts') return [transcriptFilters];
  return what === 'both' ? [filters, transcriptFilters] : [filters];
}

/** The filter as text; handwritten flows may contain an object. */
function filterText(value: unknown): string {
  return typeof value === 'object' && value !== null ? JSON.stringify(value) : textOf(value);
}

RED.nodes.registerType<ListNode>('telnyx-recording-list', {
  category: 'telnyx',
  color: '#5AAB7C',
  icon: 'telnyx-list.svg',
  defaults: {
    name: { value: '' },
    provider: { value: USUAL_CHOICE.provider },
    account: {
      value: '',
      type: 'telnyx-account',
      validate: accountOf('account')
    },
    dailyAccount: {
      value: '',
      type: 'daily-account',
      validate: accountOf('dailyAccount')
    },
    from: { value: DEFAULT_FROM, validate: momentOf('from') },
    to: { value: '', validate: momentOf('to') },
    filter: {
      value: '',
      validate: function (value, _options) {
        const text = filterText(value).trim();
        if (filteredLists(this).every((dialect) => isReadable(text, dialect))) return true;
        const { filters } = choiceOf(this.provider);
        return this._(`${this.type}.error.${isReadable(text, filters) ? 'transcript-filter' : 'filter'}`);
      }
    },
    what: { value: LISTED[0] },
    only: { value: SELECTIONS[0] },
    health: { value: true },
    queue: { value: '', type: 'telnyx-queue', required: false }
  },
  inputs: 1,
  outputs: 2,
  outputLabels: function (index) {
    return this._(`${this.type}.${index === 0 ? 'output.recordings' : 'output.summary'}`);
  },
  paletteLabel,
  label: nodeLabel,
  labelStyle,
  onadd: chooseOnlyAccounts,
  oneditprepare: function () {
    prepareRunNow(this);
    chooseDefaults(this, ['provider', 'what', 'only']);
    makeTyped($('#node-input-filter').val(filterText(this.filter)), { types: ['json'] });
    const provider = $('#node-input-provider');
    provider
      .on('change', () => {
        const chosen = choiceOf(provider.val());
        for (const choice of ACCOUNT_CHOICES)
          $(`#telnyx-recording-list-${choice.key}-row`).toggle(choice === chosen);
      })
      .trigger('change');
  },
  oneditsave: function () {
    const text = $('#node-input-filter').typedInput('value').trim();
    $('#node-input-filter').val(text === '{}' ? '' : text);
  }
});
