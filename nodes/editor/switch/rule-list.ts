import { completeTypes } from '../../../src/routing/complete-types';
import { doubtfulPatterns } from '../../../src/routing/doubtful-patterns';
import type { RuleChoices } from '../../../src/routing/event-catalogue';
import { RULE_KINDS } from '../../../src/routing/rules';
import { icon } from '../lib/marks';
import { textOf } from '../lib/validators';
import { type ComboGroup, makeCombobox } from './combobox';
import { atLastPattern, problemOf, type SavedRule } from './rules';

/** A row of the list; a new one has no rule yet. */
interface Row {
  rule?: SavedRule;
  /** The output of the row when the dialog opened, or a new number. */
  port?: number;
}

/** Ports of new rows in the map of outputs; higher than any output that a node can have had. */
const FIRST_NEW_PORT = 1_000_000;

const LIST = '#node-input-rules-list';

/**
 * Fills the list of rules and keeps the outputs numbered.
 *
 * @param comparesTypes whether the rules are about event types, rather than about some other text
 */
export function offerRules(
  node: EditorNode,
  rules: readonly SavedRule[],
  comparesTypes: () => boolean
): { offer: (choices: RuleChoices) => void; check: () => void } {
  const say = (key: string, values?: Record<string, string | number>): string =>
    node._(`${node.type}.${key}`, values);
  const list = $(LIST);
  let choices: RuleChoices = { types: [], families: [] };
  const removedPorts: number[] = [];
  let nextNewPort = FIRST_NEW_PORT;
  let isFilling = true;

  // The editor moves wires by this map: old output → new output, -1 for one that is gone.
  const numberRows = (): void => {
    if (isFilling) return;
    const ports: Record<number, number> = {};
    for (const port of removedPorts) ports[port] = -1;
    list.editableList('items').each((index, element) => {
      const row = $(element);
      const { port } = row.data('data') as Row;
      if (port !== undefined) ports[port] = index;
      const number = { number: index + 1 };
      const shown = row.find('.telnyx-event-switch-number');
      shown.text(index + 1).attr('title', say('rule.output', number));
      row.find('.telnyx-event-switch-kind').attr('aria-label', say('rule.kind', number));
      row.find('.telnyx-event-switch-event').attr('aria-label', say('rule.patterns', number));
      row.find('.telnyx-event-switch-family').attr('aria-label', say('rule.families', number));
      row.siblings('.red-ui-editableList-item-remove').attr('aria-label', say('rule.remove', number));
    });
    $('#node-input-outputs').val(JSON.stringify(ports));
  };

  const offerFamilies = (select: JQuery): void => {
    const chosen = textOf(select.val()) || textOf(select.data('chosen'));
    const isListed = choices.families.some(({ family }) => family === chosen);
    const offered: { family: string; label?: string }[] = [...choices.families];
    if (chosen !== '' && !isListed) offered.push({ family: chosen });
    select.empty().append($('<option>', { value: '' }).text(say('rule.choose')));
    for (const { family, label } of offered) {
      const text = label === undefined || label === '' ? family : `${family} – ${label}`;
      select.append($('<option>', { value: family }).text(text));
    }
    select.val(chosen);
  };

  const providerName = (provider: string): string => node._(`${node.type}.provider.${provider}`);

  const complete = (list: string): { groups: ComboGroup[]; isSearch: boolean } => {
    const { before, typed } = atLastPattern(list);
    const groups = completeTypes(typed, choices.types).map(({ label, providers, choices: types }) => ({
      title: `${providers.map(providerName).join(', ')} · ${label}`,
      options: types.map(({ type, description }) => ({
        text: type,
        note: description,
        value: before + type
      }))
    }));
    return { groups, isSearch: typed !== '' };
  };

  const warn = (row: JQuery): void => {
    const place = row.find('.telnyx-event-switch-doubts').empty();
    const { t, v } = readRow(row);
    if (t !== 'event' || choices.types.length === 0 || !comparesTypes()) return;
    const event = row.find('.telnyx-event-switch-event');
    for (const { pattern, nearest } of doubtfulPatterns(textOf(v), choices.types)) {
      const line = $('<div></div>').css('margin-top', '4px').append(icon('warning'), ' ').appendTo(place);
      const key = pattern.includes('*') ? 'fits-nothing' : 'not-known';
      line.append($('<span></span>').text(say(`rule.${key}`, { pattern })));
      if (nearest === null) continue;
      const use = $('<button type="button" class="red-ui-button red-ui-button-small"></button>');
      use.text(say('rule.nearest', { type: nearest })).css('margin-left', '6px');
      use.on('click', () => {
        event
          .val(replaced(textOf(event.val()), pattern, nearest))
          .trigger('change')
          .trigger('focus');
      });
      line.append(use);
    }
  };

  const addRow = (row: JQuery, data: Row): void => {
    const isNew = data.rule === undefined;
    const rule = data.rule ?? { t: 'event', v: '' };
    if (isNew) data.port = nextNewPort++;
    row.css({ display: 'flex', 'flex-wrap': 'wrap', 'align-items': 'center', gap: '5px' });

    const kind = $('<select>', { class: 'telnyx-event-switch-kind' });
    kind.css({ flex: '0 1 38%', 'min-width': 0 });
    for (const each of RULE_KINDS) kind.append($('<option>', { value: each }).text(say(`rule.${each}`)));
    const event = $('<input>', { type: 'text', class: 'telnyx-event-switch-event' });
    event.attr('placeholder', say('placeholder.event')).val(rule.t === 'event' ? textOf(rule.v) : '');
    makeCombobox(event, { label: say('rule.known'), offer: complete });
    const family = $('<select>', { class: 'telnyx-event-switch-family' });
    family.data('chosen', rule.t === 'family' ? textOf(rule.v) : '');
    offerFamilies(family);
    const value = $('<div>').css({ flex: '1 1 0', 'min-width': 0 }).append(event, family);
    value.children().css({ width: '100%' });
    const arrow = $('<span>').append('<i class="fa fa-long-arrow-right"></i> ');
    arrow.append($('<span>', { class: 'telnyx-event-switch-number' }));
    const doubts = $('<div>', { class: 'telnyx-event-switch-doubts', role: 'status' });
    doubts.css({ flex: '1 0 100%', 'overflow-wrap': 'anywhere' });
    row.append(kind, value, arrow, doubts);

    kind.on('change', () => {
      event.toggle(kind.val() === 'event');
      family.toggle(kind.val() === 'family');
    });
    kind.val(rule.t).trigger('change');
    row.on('change', () => {
      const problem = problemOf(readRow(row));
      event.toggleClass('input-error', problem === 'error.no-event');
      family.toggleClass('input-error', problem === 'error.no-family');
      warn(row);
    });
    numberRows();
    // A new row is not marked invalid before the user can fill it in.
    if (isNew) event.trigger('focus');
    else row.trigger('change');
  };

  list.css('min-height', '150px').editableList<Row>({
    sortable: true,
    removable: true,
    addItem: (row, _index, data) => addRow(row, data),
    removeItem: ({ port }) => {
      if (port !== undefined && port < FIRST_NEW_PORT) removedPorts.push(port);
      numberRows();
    },
    sortItems: numberRows
  });
  for (const [port, rule] of rules.entries()) list.editableList('addItem', { rule, port });
  isFilling = false;
  numberRows();
  const checkAll = (): void => {
    list.editableList('items').each((_index, row) => warn($(row)));
  };

  return {
    offer: (offered) => {
      choices = offered;
      list.find('.telnyx-event-switch-family').each((_index, select) => offerFamilies($(select)));
      checkAll();
      // The field that has the focus already shows them, too.
      list.find('.telnyx-event-switch-event:focus').trigger('input');
    },
    check: checkAll
  };
}

/** Replaces a pattern of a list, and keeps its separators. */
function replaced(list: string, pattern: string, by: string): string {
  return list
    .split(/([\s,]+)/)
    .map((piece) => (piece === pattern ? by : piece))
    .join('');
}

/** The rules as the list shows them now. */
export function offeredRules(): SavedRule[] {
  return $(LIST)
    .editableList('items')
    .toArray()
    .map((row) => readRow($(row)));
}

function readRow(row: JQuery): SavedRule {
  const kind = textOf(row.find('.telnyx-event-switch-kind').val());
  if (kind === 'event') return { t: kind, v: textOf(row.find('.telnyx-event-switch-event').val()).trim() };
  if (kind === 'family') return { t: kind, v: textOf(row.find('.telnyx-event-switch-family').val()) };
  return { t: kind };
}
