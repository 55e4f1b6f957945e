import type { EventChoice } from './event-catalogue';

/** What flows are usually about, the likeliest first: these are offered before all others. */
export const LIKELY_TYPES: readonly string[] = [
  'call.recording.saved',
  'recording.ready-to-download',
  'call.initiated',
  'call.answered',
  'call.hangup',
  'message.received',
  'message.finalized',
  'conference.recording.saved',
  'texml.recording.completed',
  'call.recording.transcription.saved',
  'fax.received',
  'transcript.ready-to-download'
];

/** Event types of one family, best first. */
export interface ChoiceGroup {
  family: string;
  label: string;
  providers: readonly string[];
  choices: EventChoice[];
}

/**
 * The event types that contain what was typed, in groups by family and provider. The group with the best type comes
 * first. A word that begins like the text counts more than a word that contains it.
 *
 * @param typed a part of a name, in any case; blank: all types
 */
export function completeTypes(typed: string, types: readonly EventChoice[]): ChoiceGroup[] {
  const wanted = typed.trim().toLowerCase();
  const fitting = types
    .map((choice) => ({ choice, score: scoreOf(choice.type, wanted) }))
    .filter(({ score }) => score !== null)
    .sort((a, b) => compare(a.score ?? [], b.score ?? []));
  const groups = new Map<string, ChoiceGroup>();
  for (const { choice } of fitting) {
    const { family, label, providers } = choice;
    const key = [family, ...providers].join(' ');
    const group = groups.get(key) ?? { family, label, providers, choices: [] };
    groups.set(key, group);
    group.choices.push(choice);
  }
  return [...groups.values()];
}

/** Lower is better, the first difference decides; null when the type does not fit. */
function scoreOf(type: string, wanted: string): number[] | null {
  const name = type.toLowerCase();
  const at = name.indexOf(wanted);
  if (at === -1) return null;
  const startsWord = at === 0 || isWordStart(name, wanted);
  const likely = startsWord ? LIKELY_TYPES.indexOf(type) : -1;
  return [
    name === wanted ? 0 : 1,
    likely === -1 ? LIKELY_TYPES.length : likely,
    startsWord ? 0 : 1,
    at,
    wanted === '' ? 0 : name.length
  ];
}

function isWordStart(name: string, wanted: string): boolean {
  return ['.', '-', '_'].some((separator) => name.includes(separator + wanted));
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (const [place, one] of a.entries()) {
    const difference = one - (b[place] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
