import { CodedError } from '../../errors/coded-error';
import type { ParsedEvent } from '../../events/event';
import { compileRules } from '../../routing/compile-rules';
import { EVENT_CATALOGUE } from '../../routing/event-catalogue';
import { splitPatterns } from '../../routing/rules';

/** Tells whether an event is asked for. */
export type EventFilter = (event: ParsedEvent) => boolean;

/**
 * Reads which events are asked for: patterns as in a rule of the event switch (`call.*, message.received`), as one
 * text or a list of texts.
 *
 * @returns a filter, which accepts every event when there is no pattern
 * @throws CodedError `BAD_SETTING`
 */
export function readEvents(value: unknown): EventFilter {
  const texts: unknown[] = Array.isArray(value) ? value : [value ?? ''];
  const patterns = texts.flatMap((text) => {
    if (typeof text === 'string') return splitPatterns(text);
    throw new CodedError(
      'BAD_SETTING',
      '"Events" must be event types or patterns such as call.recording.saved, message.*, or a list of them.'
    );
  });
  if (patterns.length === 0) return () => true;
  const match = compileRules([{ t: 'event', patterns }], false, EVENT_CATALOGUE);
  return (event) => match(event, () => false).length > 0;
}
