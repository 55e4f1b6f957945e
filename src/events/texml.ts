import { firstTime } from '../values/time';
import { fieldOf, type Fields } from '../values/fields';
import type { BodyReading } from './reading/body-reading';
import { emptyReading } from './reading/body-reading';
import type { Shape } from './shapes';
import type { TexmlFields } from './texml-rules';
import { TEXML_RULES } from './texml-rules';

/**
 * Derives the event type of a TeXML callback (or of a TwiML-compatible message callback) from its
 * fields. TeXML sends no event type: the names `texml.…` are this package's own, the field that told
 * the type is kept as `discriminator`. A value that no page names still gives a stable type.
 *
 * TeXML has neither an identity nor a client_state of its own.
 *
 * @param fields - the fields of a form or query string, or a JSON object with the same names
 * @param shape - how they arrived
 * @returns undefined when no rule matches
 */
export function readTexml(fields: Fields, shape: Shape): BodyReading | undefined {
  const reader = texmlFields(fields);
  for (const rule of TEXML_RULES) {
    const match = rule(reader);
    if (match === undefined) continue;
    return {
      ...emptyReading(match.event_type, shape, fields),
      occurred_at: firstTime(fieldOf(fields, 'Timestamp'), fieldOf(fields, 'OccurredAt')),
      discriminator: match.discriminator
    };
  }
  return undefined;
}

function texmlFields(fields: Fields): TexmlFields {
  return {
    names: Object.keys(fields),
    has: (name) => Object.hasOwn(fields, name),
    text: (name) => {
      const value = fieldOf(fields, name);
      if (typeof value === 'string') return value;
      return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
    }
  };
}
