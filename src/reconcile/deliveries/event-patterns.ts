import { CodedError } from '../../errors/coded-error';
import { compileRules } from '../../routing/compile-rules';
import { EVENT_CATALOGUE } from '../../routing/event-catalogue';
import type { RoutedEvent } from '../../routing/routed-event';
import { splitPatterns } from '../../routing/rules';

/** Tells whether an event is asked for. */
export type EventFilter = (event: RoutedEvent) => boolean;

/** There are some hundred types of events. More than this would only take time and memory. */
const MOST_PATTERNS = 1000;
const MOST_CHARACTERS = 20_000;

/**
 * Reads which events are asked for: patterns as in a rule of the event switch (`call.*, message.received`), as one
 * text or a list of texts.
 *
 * @returns a filter, which accepts every event when there is no pattern
 * @throws CodedError `BAD_SETTING`
 */
export function readEvents(value: unknown): EventFilter {
  const patterns = boundedTexts(Array.isArray(value) ? value : [value ?? '']).flatMap(splitPatterns);
  if (patterns.length > MOST_PATTERNS) throw tooMany();
  if (patterns.length === 0) return () => true;
  const match = compileRules([{ t: 'event', patterns }], false, EVENT_CATALOGUE);
  return (event) => match(event, () => false).length > 0;
}

function boundedTexts(values: readonly unknown[]): string[] {
  if (values.length > MOST_PATTERNS) throw tooMany();
  const texts: string[] = [];
  let characters = 0;
  for (const value of values) {
    if (typeof value !== 'string')
      throw new CodedError(
        'BAD_SETTING',
        '"Events" must be event types or patterns such as call.recording.saved, message.*, or a list of them.'
      );
    characters += value.length;
    if (characters > MOST_CHARACTERS) throw tooMany();
    texts.push(value);
  }
  return texts;
}

function tooMany(): CodedError {
  return new CodedError(
    'BAD_SETTING',
    `"Events" may have at most ${MOST_PATTERNS} event types or patterns, with ${MOST_CHARACTERS} characters altogether. ` +
      'Name more at once with patterns such as message.*, or leave it blank for all events.'
  );
}
