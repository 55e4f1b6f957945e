import { RULE_KINDS, splitPatterns } from '../../src/routing/rules';
import { textOf } from './lib/validators';

/** A rule as a flow holds it. */
export interface SavedRule {
  t: string;
  v?: string;
}

/** What is wrong with a rule, as the key of a text below the type; null when it is valid. */
export function problemOf(rule: unknown): 'error.bad-kind' | 'error.no-event' | 'error.no-family' | null {
  const { t, v } = (rule ?? {}) as Partial<SavedRule>;
  if (!RULE_KINDS.some((kind) => kind === t)) return 'error.bad-kind';
  if (t === 'event' && splitPatterns(textOf(v)).length === 0) return 'error.no-event';
  return t === 'family' && textOf(v) === '' ? 'error.no-family' : null;
}

interface EventChoice {
  type: string;
  description: string;
}

const MOST_COMPLETIONS = 50;

/** Event types that can complete the last pattern of a list, best first. */
export function completions(list: string, types: readonly EventChoice[]): { value: string; label: JQuery }[] {
  const cut = Math.max(...[' ', ',', '\n', '\t'].map((separator) => list.lastIndexOf(separator))) + 1;
  const before = list.slice(0, cut);
  const typed = list.slice(cut).toLowerCase();
  if (typed === '') return [];
  return types
    .map((choice) => ({ choice, at: choice.type.toLowerCase().indexOf(typed) }))
    .filter(({ at }) => at !== -1)
    .sort((a, b) => a.at - b.at || a.choice.type.length - b.choice.type.length)
    .slice(0, MOST_COMPLETIONS)
    .map(({ choice: { type, description } }) => {
      const label = $('<div>').append($('<div>').text(type));
      label.append($('<div>').css('color', 'var(--red-ui-tertiary-text-color)').text(description));
      return { value: before + type, label };
    });
}
