import { DIRECTIONS } from '../../../src/retention/policy-fields';
import { isUsableRule } from '../../config/retention/retention-fields';
import { textOf } from '../lib/validators';

/** A rule as a flow holds it; what is blank does not matter. */
export interface SavedRetentionRule {
  when?: Partial<Record<Condition, string>>;
  keepUntil?: string | number;
  deleteAfter?: string | number;
}

type Condition = 'events' | 'direction' | 'number' | 'property';

const LIST = '#node-config-input-rules-list';
const CLASS = 'telnyx-retention-rule';
const CONDITIONS = ['events', 'direction', 'number', 'property'] as const;
const PERIODS = ['keepUntil', 'deleteAfter'] as const;

/** Fills the list of rules. The first that applies counts, so their order can be changed. */
export function offerRules(node: EditorNode, rules: readonly SavedRetentionRule[]): void {
  const say = (key: string): string => node._(`${node.type}.${key}`);

  const textField = (name: string, value: unknown): JQuery => {
    const label = node._(`${node.type}.rule.${name}`);
    const field = $('<input>', { type: 'text', class: `${CLASS}-${name}`, spellcheck: 'false' });
    field.attr({
      'aria-label': label,
      title: label,
      placeholder: node._(`${node.type}.placeholder.${name}`)
    });
    return field.css({ flex: '1 1 40%', width: 'auto', 'min-width': 0 }).val(textOf(value));
  };
  const directionField = (value: unknown): JQuery => {
    const label = say('rule.direction');
    const select = $('<select>', { class: `${CLASS}-direction`, 'aria-label': label, title: label });
    for (const each of ['', ...DIRECTIONS])
      select.append($('<option>', { value: each }).text(node._(`${node.type}.direction.${each || 'any'}`)));
    return select.css({ flex: '1 1 40%', width: 'auto', 'min-width': 0 }).val(textOf(value));
  };
  const daysField = (name: 'keepUntil' | 'deleteAfter', value: unknown): JQuery => {
    const field = $('<input>', { type: 'text', class: `${CLASS}-${name}` }).css({ width: '70px' });
    return $('<label>')
      .css({ flex: '1 1 40%', width: 'auto', margin: 0 })
      .append($('<span>').text(node._(`${node.type}.rule.${name}`)), ' ', field.val(textOf(value)), ' ')
      .append($('<span>').text(say('unit.days')));
  };

  const list = $(LIST).css({ 'min-height': '280px' });
  list.editableList<{ rule?: SavedRetentionRule }>({
    sortable: true,
    removable: true,
    addItem: (row, _index, { rule = {} }) => {
      const { when = {}, keepUntil, deleteAfter } = rule;
      row.css({ display: 'flex', 'flex-wrap': 'wrap', 'align-items': 'center', gap: '5px' });
      // Node-RED makes a dialog at least as wide as all fields of a row beside each other.
      row.css('contain', 'inline-size');
      row.append(textField('events', when.events), directionField(when.direction));
      row.append(textField('number', when.number), textField('property', when.property));
      row.append(daysField('keepUntil', keepUntil), daysField('deleteAfter', deleteAfter));
      row.on('change', () => row.find('input').toggleClass('input-error', !isUsableRule(readRow(row))));
      row.siblings('.red-ui-editableList-item-remove').attr('aria-label', say('rule.remove'));
      row.trigger('change');
    }
  });
  for (const rule of rules) list.editableList('addItem', { rule });
}

/** The rules as the list shows them now. */
export function offeredRules(): SavedRetentionRule[] {
  return $(LIST)
    .editableList('items')
    .toArray()
    .map((row) => readRow($(row)));
}

function readRow(row: JQuery): SavedRetentionRule {
  const shown = (name: string): string => textOf(row.find(`.${CLASS}-${name}`).val()).trim();
  const when: NonNullable<SavedRetentionRule['when']> = {};
  for (const name of CONDITIONS) if (shown(name) !== '') when[name] = shown(name);
  const [keepUntil, deleteAfter] = PERIODS.map(shown);
  return { when, keepUntil: keepUntil ?? '', deleteAfter: deleteAfter ?? '' };
}
