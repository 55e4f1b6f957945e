import { PROVIDERS, type Provider } from '../events/provider';
import { compileGlob, GlobIndex } from './glob-index';
import type { RoutedEvent, RoutingCatalogue } from './routed-event';
import type { SwitchRule } from './rules';

/**
 * Finds the rules that match an event.
 *
 * @param event what the message is about; null when it is about no event (only `else` matches then)
 * @param carriesRecording whether the download node could store something of the message; asked at
 *   most once, and only when the answer decides
 * @returns the positions of the matching rules from 0, ascending; at most one unless `checkAll`
 */
export type RuleMatcher = (event: RoutedEvent | null, carriesRecording: () => boolean) => number[];

/**
 * Prepares rules once, at deploy, so that a message costs a few look-ups however many rules there are:
 * plain types and families by hash, patterns by one prefix tree.
 *
 * @param checkAll false: stop at the first rule that matches; true: find all of them. Either way, an
 *   `else` matches when no rule before it did.
 */
export function compileRules(
  rules: readonly SwitchRule[],
  checkAll: boolean,
  catalogue: RoutingCatalogue
): RuleMatcher {
  const index = indexRules(rules, catalogue);
  const firstElse = rules.findIndex((rule) => rule.t === 'else');
  const find = checkAll ? findAll : findFirst;
  return (event, carriesRecording) => find(index, firstElse, event, carriesRecording);
}

interface RuleIndex {
  /** Plain names, and the names that they are aliases of. What an alias resolves to depends on the provider. */
  readonly literals: Record<Provider, Map<string, number[]>>;
  readonly globs: GlobIndex;
  readonly families: Map<string, number[]>;
  readonly recording: number[];
  readonly unknown: number[];
  readonly count: number;
}

function indexRules(rules: readonly SwitchRule[], catalogue: RoutingCatalogue): RuleIndex {
  const names = [...catalogue.names];
  const index: RuleIndex = {
    literals: { telnyx: new Map(), daily: new Map() },
    globs: new GlobIndex(),
    families: new Map(),
    recording: [],
    unknown: [],
    count: rules.length
  };
  rules.forEach((rule, position) => {
    if (rule.t === 'event') {
      for (const pattern of new Set(rule.patterns))
        addPattern(index, pattern, position, { names, catalogue });
    } else if (rule.t === 'family') {
      append(index.families, rule.family, position);
    } else if (rule.t !== 'else') {
      index[rule.t].push(position);
    }
  });
  return index;
}

interface KnownNames {
  names: readonly { provider: Provider; name: string; canonical: string }[];
  catalogue: RoutingCatalogue;
}

function addPattern(index: RuleIndex, pattern: string, rule: number, { names, catalogue }: KnownNames): void {
  if (!pattern.includes('*')) {
    for (const provider of PROVIDERS) {
      append(index.literals[provider], pattern, rule);
      append(index.literals[provider], catalogue.resolveAlias(provider, pattern), rule);
    }
    return;
  }
  index.globs.add(pattern, rule);
  // `call.siprec.*` fits only aliases, no name that arrives today, so it stands for the events behind the
  // aliases. `call.*` fits canonical names and keeps to them: it must not take `siprec.started` from `siprec.*`.
  const fits = compileGlob(pattern);
  const fitting = names.filter(({ name }) => fits(name));
  if (fitting.some(({ name, canonical }) => name === canonical)) return;
  for (const { provider, canonical } of fitting) append(index.literals[provider], canonical, rule);
}

/** Reports the rules that match the event's names, its family or its being unknown; unordered, perhaps repeatedly. */
function collect(index: RuleIndex, event: RoutedEvent, found: (rule: number) => void): void {
  const literals = index.literals[event.provider];
  literals.get(event.event_type)?.forEach(found);
  index.globs.collect(event.event_type, found);
  if (event.canonical_type !== event.event_type) {
    literals.get(event.canonical_type)?.forEach(found);
    index.globs.collect(event.canonical_type, found);
  }
  index.families.get(event.family)?.forEach(found);
  if (!event.known) index.unknown.forEach(found);
}

function findFirst(
  index: RuleIndex,
  firstElse: number,
  event: RoutedEvent | null,
  carriesRecording: () => boolean
): number[] {
  let first = firstElse === -1 ? Infinity : firstElse;
  if (event !== null) {
    collect(index, event, (rule) => {
      if (rule < first) first = rule;
    });
    const recording = index.recording[0] ?? Infinity;
    if (recording < first && carriesRecording()) first = recording;
  }
  return first === Infinity ? [] : [first];
}

function findAll(
  index: RuleIndex,
  firstElse: number,
  event: RoutedEvent | null,
  carriesRecording: () => boolean
): number[] {
  const met = new Set<number>();
  if (event !== null) {
    collect(index, event, (rule) => met.add(rule));
    if (index.recording.length > 0 && carriesRecording()) index.recording.forEach((rule) => met.add(rule));
  }
  const matching = [...met].sort((a, b) => a - b);
  // Only the first `else` can match: where it does not, neither can a later one.
  if (firstElse !== -1 && firstElse < (matching[0] ?? Infinity)) matching.unshift(firstElse);
  return matching;
}

function append(lists: Map<string, number[]>, key: string, rule: number): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [rule]);
  else if (list.at(-1) !== rule) list.push(rule);
}
