import { CodedError } from '../errors/coded-error';
import { splitPatterns } from '../routing/rules';
import { LOCK_MODES, type LockMode } from '../store/kept-facts';
import { type Fields, asFields, fieldOf } from '../values/fields';
import {
  type Direction,
  type WantedProperty,
  DIRECTIONS,
  isNumberStart,
  LONGEST_TEXT,
  MOST_DAYS,
  readDays,
  readProperty
} from './policy-fields';

/** Days; null: no such date. */
export interface Periods {
  keepUntil: number | null;
  deleteAfter: number | null;
}

/** What a message has to be for a rule to apply; what is blank or null does not matter. */
export interface RuleConditions {
  /** Event types, `*` for any characters. */
  events: readonly string[];
  direction: Direction | null;
  /** The beginning of the caller's or the called number: digits, perhaps after a `+`. */
  number: string | null;
  /** Such as `customer.tier`. */
  property: WantedProperty | null;
}

export interface RetentionRule extends Periods {
  when: RuleConditions;
}

export interface PolicySettings extends Periods {
  /** The name under which recordings say which policy they are kept by. */
  policy: string;
  lockMode: LockMode | 'none';
  /** The first one that applies counts, else the periods of the policy. */
  rules: readonly RetentionRule[];
}

export const MOST_RULES = 200;

/**
 * Reads the settings as a flow file holds them. A word that is not known is an error, because a recording that should
 * have been kept is gone for good.
 *
 * @param given the properties of the node, untrusted
 * @throws CodedError `BAD_SETTING` that names what is wrong
 */
export function readPolicySettings(given: Fields): PolicySettings {
  const policy = text(given['policy'], '"Policy"');
  if (policy === null) throw bad('"Policy" must have a name: recordings say by it how they are kept.');
  return {
    policy,
    ...periods(given, ''),
    lockMode: choice(given['lockMode'], ['none', ...LOCK_MODES], '"Lock"') ?? 'none',
    rules: rulesOf(given['rules'])
  };
}

function rulesOf(rules: unknown): RetentionRule[] {
  if (rules === undefined || rules === null || rules === '') return [];
  if (!Array.isArray(rules) || rules.length > MOST_RULES)
    throw bad(`The rules must be a list of at most ${MOST_RULES}.`);
  return rules.map((rule: unknown, index) => ruleOf(rule, `Rule ${index + 1}: `));
}

function ruleOf(value: unknown, where: string): RetentionRule {
  const rule = asFields(value);
  if (rule === null) throw bad(`${where}it must be an object. Open the node and enter it again.`);
  refuseOthers(rule, ['when', 'keepUntil', 'deleteAfter'], where);
  const when = rule['when'] === undefined ? {} : asFields(rule['when']);
  if (when === null) throw bad(`${where}"when" must be an object. Open the node and enter the rule again.`);
  refuseOthers(when, ['events', 'direction', 'number', 'property'], where);
  const events = text(when['events'], `${where}the event types`);
  return {
    when: {
      events: events === null ? [] : splitPatterns(events),
      direction: choice(when['direction'], DIRECTIONS, `${where}the direction`),
      number: numberOf(when['number'], where),
      property: propertyOf(when['property'], where)
    },
    ...periods(rule, where)
  };
}

function numberOf(value: unknown, where: string): string | null {
  const number = text(value, `${where}the number`);
  if (number === null || isNumberStart(number)) return number;
  throw bad(`${where}a number must begin with digits, or with "+" and digits, such as +49.`);
}

/** `name` or `name=value`. */
function propertyOf(value: unknown, where: string): RuleConditions['property'] {
  const property = text(value, `${where}the property`);
  if (property === null) return null;
  const wanted = readProperty(property);
  if (wanted === null)
    throw bad(
      `${where}a property is written as its name, such as customer.tier, or with its value: customer.tier=gold.`
    );
  return wanted;
}

function periods(fields: Fields, where: string): Periods {
  const keepUntil = days(fields['keepUntil'], `${where}"Keep"`);
  const deleteAfter = days(fields['deleteAfter'], `${where}"Delete"`);
  if (keepUntil !== null && deleteAfter !== null && deleteAfter < keepUntil)
    throw bad(
      `${where}recordings would be deleted after ${deleteAfter} days, and kept for ${keepUntil}. Delete them later.`
    );
  return { keepUntil, deleteAfter };
}

function days(value: unknown, name: string): number | null {
  const number = readDays(value);
  if (number !== undefined) return number;
  throw bad(`${name} must be a whole number of days from 1 to ${MOST_DAYS}, or blank.`);
}

function choice<Choice extends string>(
  value: unknown,
  choices: readonly Choice[],
  name: string
): Choice | null {
  if (value === undefined || value === null || value === '') return null;
  const found = choices.find((candidate) => candidate === value);
  if (found === undefined) throw bad(`${name} must be one of ${choices.join(', ')}.`);
  return found;
}

/** Blank is null. */
function text(value: unknown, name: string): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string' || value.length > LONGEST_TEXT || !value.isWellFormed())
    throw bad(`${name} must be text of at most ${LONGEST_TEXT} characters.`);
  const trimmed = value.trim();
  return trimmed === '' ? null : trimmed;
}

function refuseOthers(fields: Fields, known: readonly string[], where: string): void {
  if (Object.keys(fields).some((name) => fieldOf(fields, name) !== undefined && !known.includes(name)))
    throw bad(`${where}it may have ${known.join(', ')} and nothing else.`);
}

function bad(message: string): CodedError {
  return new CodedError('BAD_SETTING', message);
}
