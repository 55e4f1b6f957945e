/** Where the webhook nodes put the type of an event in a message. */
export const TYPE_PROPERTY = 'event.event_type';

/** What a rule can match, in the order of the dialog. */
export const RULE_KINDS = ['event', 'family', 'recording', 'unknown', 'else'] as const;

export type RuleKind = (typeof RULE_KINDS)[number];

/** One rule of the switch. The rule's position is the number of its output, both counted from 0. */
export type SwitchRule =
  | { readonly t: 'event'; readonly patterns: readonly string[] }
  | { readonly t: 'family'; readonly family: string }
  | { readonly t: 'recording' }
  | { readonly t: 'unknown' }
  | { readonly t: 'else' };

export type RulesResult =
  | { readonly ok: true; readonly rules: readonly SwitchRule[] }
  /** `rule` is counted from 1, as in the editor; 0 when there is no rule at all. */
  | { readonly ok: false; readonly code: 'BAD_SETTING'; readonly rule: number; readonly message: string };

/**
 * Reads the rules as a flow file holds them: `[{t: 'event', v: 'call.hangup, conference.*'}, …]`. Stops at the
 * first invalid rule, so that no route appears to exist when it does not.
 *
 * @param rules the node's `rules` property, untrusted
 * @param isFamily whether the catalogue has a family of that name
 */
export function readRules(rules: unknown, isFamily: (family: string) => boolean): RulesResult {
  if (!Array.isArray(rules) || rules.length === 0) {
    return bad(0, 'The event switch has no rules. Open the node and add at least one rule.');
  }
  const read: SwitchRule[] = [];
  for (const [index, rule] of rules.entries()) {
    const result = readRule(rule, isFamily);
    if (typeof result === 'string') return bad(index + 1, `Rule ${index + 1} of the event switch ${result}`);
    read.push(result);
  }
  return { ok: true, rules: read };
}

/** Splits a list of patterns at commas and white space, including line breaks. */
export function splitPatterns(list: string): string[] {
  return list.split(/[\s,]+/).filter((pattern) => pattern !== '');
}

/** @returns the rule, or what is wrong with it */
function readRule(rule: unknown, isFamily: (family: string) => boolean): SwitchRule | string {
  const { t, v } = isRecord(rule) ? rule : {};
  switch (t) {
    case 'event': {
      const patterns = typeof v === 'string' ? splitPatterns(v) : [];
      if (patterns.length > 0) return { t, patterns };
      return 'has no event type. Enter one or more, e.g. call.recording.saved or conference.*';
    }
    case 'family': {
      const family = typeof v === 'string' ? v.trim() : '';
      if (family === '') return 'has no family. Choose one from the list.';
      if (isFamily(family)) return { t, family };
      return `asks for the family "${clip(family)}", which does not exist. Choose one from the list.`;
    }
    case 'recording':
    case 'unknown':
    case 'else':
      return { t };
    default:
      return (
        `is of the kind "${clip(String(t))}". Expected event, family, recording, unknown or else. ` +
        'Open the node and choose the rule again.'
      );
  }
}

function bad(rule: number, message: string): RulesResult {
  return { ok: false, code: 'BAD_SETTING', rule, message };
}

function clip(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
