import { CATALOGUE_PATH } from '../../src/webhook/express/route-path';
import type { RuleChoices } from '../../src/routing/event-catalogue';
import { splitPatterns, TYPE_PROPERTY } from '../../src/routing/rules';
import { PROPERTY_TYPES } from '../lib/property-types';
import { labelStyle, nodeLabel, paletteLabel } from './lib/labels';
import { makeTyped } from './lib/typed-field';
import { textOf } from './lib/validators';
import { offeredRules, offerRules } from './switch/rule-list';
import { problemOf, type SavedRule } from './switch/rules';

interface SwitchNode extends EditorNode {
  propertyType?: string;
  rules?: SavedRule[];
  checkall?: string;
}

/** Where messages have names that the catalogue knows. */
const TYPES_AT = [TYPE_PROPERTY, 'event.canonical_type', 'topic'];

RED.nodes.registerType<SwitchNode>('telnyx-event-switch', {
  category: 'telnyx',
  color: '#5AAB7C',
  icon: 'telnyx-switch.svg',
  defaults: {
    name: { value: '' },
    property: {
      value: TYPE_PROPERTY,
      required: true,
      validate: RED.validators.typedInput('propertyType', false)
    },
    propertyType: { value: PROPERTY_TYPES[0] },
    rules: {
      value: [{ t: 'recording' }],
      validate: function (rules, _options) {
        if (!Array.isArray(rules) || rules.length === 0) return this._(`${this.type}.error.no-rules`);
        const problems = rules.flatMap((rule: unknown, index) => {
          const problem = problemOf(rule);
          return problem === null ? [] : [this._(`${this.type}.${problem}`, { number: index + 1 })];
        });
        return problems.length === 0 ? true : problems;
      }
    },
    checkall: { value: 'false' },
    outputs: { value: 1 }
  },
  inputs: 1,
  outputs: 1,
  paletteLabel,
  label: nodeLabel,
  labelStyle,
  outputLabels: function (index) {
    const rule = this.rules?.[index];
    if (rule === undefined) return undefined;
    if (rule.t === 'event') return splitPatterns(textOf(rule.v)).join(', ');
    if (rule.t === 'family') return this._(`${this.type}.output.family`, { family: textOf(rule.v) });
    return this._(`${this.type}.rule.${rule.t}`);
  },
  oneditprepare: function () {
    const property = makeTyped($('#node-input-property'), {
      default: this.propertyType ?? PROPERTY_TYPES[0],
      types: PROPERTY_TYPES,
      typeField: $('#node-input-propertyType')
    });
    if (!this.checkall) $('#node-input-checkall').val('false');
    const comparesTypes = (): boolean =>
      property.typedInput('type') === 'msg' && TYPES_AT.includes(property.typedInput('value').trim());
    const list = offerRules(this, this.rules ?? [], comparesTypes);
    property.on('change', list.check);
    // Relative: the editor may be below another root.
    if (RED.user.hasPermission('telnyx.read'))
      void $.getJSON(CATALOGUE_PATH.slice(1), { lng: RED.i18n.lang() }, (catalogue: RuleChoices) =>
        list.offer(catalogue)
      );
  },
  oneditsave: function () {
    this.rules = offeredRules();
  },
  oneditresize: function (size) {
    let height = size.height;
    $('#dialog-form > .form-row:not(.telnyx-event-switch-rules-row)').each((_index, row) => {
      height -= $(row).outerHeight(true) ?? 0;
    });
    const row = $('#dialog-form > .telnyx-event-switch-rules-row');
    height -= (row.outerHeight(true) ?? 0) - (row.height() ?? 0);
    $('#node-input-rules-list').editableList('height', Math.max(150, height));
  }
});
