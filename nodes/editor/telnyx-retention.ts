import { readDays } from '../../src/retention/policy-fields';
import { isOutOfOrder, isShort, isUsableRule } from '../config/retention/retention-fields';
import { offeredRules, offerRules, type SavedRetentionRule } from './retention/retention-rules';
import { isVariable, textOf } from './lib/validators';

interface RetentionNode extends EditorNode {
  policy?: string;
  keepUntil?: string;
  rules?: SavedRetentionRule[];
}

RED.nodes.registerType<RetentionNode>('telnyx-retention', {
  category: 'config',
  defaults: {
    name: { value: '' },
    policy: {
      value: '',
      required: true,
      validate: function (value, _options) {
        const isNamed = textOf(value).trim() !== '' && isShort(value);
        return isNamed ? true : this._(`${this.type}.error.policy`);
      }
    },
    keepUntil: {
      value: '',
      validate: function (value, _options) {
        const isRight = isVariable(value) || readDays(value) !== undefined;
        return isRight ? true : this._(`${this.type}.error.keep-until`);
      }
    },
    deleteAfter: {
      value: '',
      validate: function (deleteAfter, _options) {
        if (isVariable(deleteAfter)) return true;
        if (readDays(deleteAfter) === undefined) return this._(`${this.type}.error.delete-after`);
        const isEarly = isOutOfOrder({ keepUntil: this.keepUntil, deleteAfter });
        return isEarly ? this._(`${this.type}.error.order`) : true;
      }
    },
    lockMode: { value: 'none' },
    timestampUrl: {
      value: '',
      validate: function (value, _options) {
        const text = textOf(value).trim();
        const isUrl =
          text === '' || isVariable(text) || /^https?:\/\/[^\s/@?#]+(?:[/?#][^\s@]*)?$/i.test(text);
        return isUrl ? true : this._(`${this.type}.error.timestamp-url`);
      }
    },
    rules: {
      value: [],
      validate: function (rules, _options) {
        if (rules === undefined || rules === '') return true;
        if (!Array.isArray(rules)) return this._(`${this.type}.error.rule`, { number: 1 });
        const problems = rules.flatMap((rule: unknown, index) =>
          isUsableRule(rule) ? [] : [this._(`${this.type}.error.rule`, { number: index + 1 })]
        );
        return problems.length === 0 ? true : problems;
      }
    }
  },
  label: function () {
    return this.name || this.policy || this._(`${this.type}.label.policy`);
  },
  oneditprepare: function () {
    const lock = $('#node-config-input-lockMode');
    if (!lock.val()) lock.val('none');
    lock
      .on('change', () => {
        $('#telnyx-retention-compliance-tip').toggle(lock.val() === 'compliance');
      })
      .trigger('change');
    offerRules(this, this.rules ?? []);
  },
  oneditsave: function () {
    this.rules = offeredRules();
  }
});
