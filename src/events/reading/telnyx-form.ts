import { fieldOf, textField } from '../../values/fields';
import { firstTime } from '../../values/time';
import { type BodyReading, UNKNOWN_TYPE, decodeClientState, emptyReading, firstId } from '../build-event';
import type { Shape } from '../shapes';
import { readTexml } from '../texml';
import type { FormFields } from './parse-body';

/** A form body: a TeXML callback, a form that carries an event type, or unknown. */
export function readForm(fields: FormFields): BodyReading {
  return (
    readTexml(fields, 'texml-form') ??
    readFlattened(fields, 'texml-form') ??
    unknownForm(fields, 'texml-form')
  );
}

/**
 * The query string of a GET. Call Control sends events this way if configured, in an undocumented format, so a
 * name that is or ends in `event_type` comes first; then the TeXML rules.
 */
export function readQuery(fields: FormFields): BodyReading {
  return (
    readFlattened(fields, 'texml-query') ??
    readTexml(fields, 'texml-query') ??
    unknownForm(fields, 'texml-query')
  );
}

function unknownForm(fields: FormFields, shape: Shape): BodyReading {
  return emptyReading(UNKNOWN_TYPE, shape, fields);
}

/** An event whose nesting was flattened into names: `data[event_type]`, `data.event_type`, `event_type`. */
function readFlattened(fields: FormFields, shape: Shape): BodyReading | undefined {
  const names = Object.keys(fields);
  const typeName =
    names.find((name) => name === 'event_type') ?? names.find((name) => /event_type\]?$/.test(name));
  const event_type = typeName === undefined ? null : textField(fields, typeName);
  if (typeName === undefined || event_type === null) return undefined;
  // The fields beside the type have the same name except for its last part.
  const beside = (name: string) => fieldOf(fields, typeName.replace('event_type', name));
  const nested = typeName !== 'event_type';
  const payload = (name: string) =>
    beside(`payload][${name}`) ?? beside(`payload.${name}`) ?? fieldOf(fields, `payload[${name}]`);
  return {
    ...emptyReading(event_type, shape, fields),
    // A plain `id` may be the flow author's own query parameter, the same on every delivery.
    own_id: nested ? firstId(beside('id')) : null,
    record_type: nested
      ? textField(fields, typeName.replace('event_type', 'record_type'))
      : textField(fields, 'record_type'),
    occurred_at: firstTime(beside('occurred_at'), payload('occurred_at')),
    client_state: decodeClientState(payload('client_state') ?? beside('client_state')),
    discriminator: nested ? { field: typeName, value: event_type } : null
  };
}
