import { RULE_KINDS, splitPatterns } from '../../../src/routing/rules';
import { textOf } from '../lib/validators';

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

/** A list of patterns, cut where the last one begins. */
export function atLastPattern(list: string): { before: string; typed: string } {
  const cut = Math.max(...[' ', ',', '\n', '\t'].map((separator) => list.lastIndexOf(separator))) + 1;
  return { before: list.slice(0, cut), typed: list.slice(cut) };
}
