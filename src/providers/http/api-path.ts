import { CodedError } from '../../errors/coded-error';

const LONGEST_ID = 256;

/**
 * What would end or leave a path segment once somebody on the way decodes it: separators, escapes,
 * control characters, and what stands for half a character. No id of Telnyx or Daily has any of them.
 */
const LEAVES_SEGMENT = /[/\\%?#;\p{Cc}\p{Cs}\p{Co}]/u;

/**
 * An id from outside as one segment of an API path. Ids come in events and messages: one that is
 * really a path (`../phone_numbers`) must never reach another endpoint, least of all with DELETE.
 *
 * @returns the id, percent-encoded
 * @throws CodedError `NO_RECORDING` when no API can know such an id
 */
export function idSegment(id: string): string {
  if (id.length > LONGEST_ID || /^\.*$/.test(id) || LEAVES_SEGMENT.test(id))
    throw new CodedError(
      'NO_RECORDING',
      `Expected the id of a recording, but ${shown(id)} is none, so the API was not asked. Take the id from the event.`
    );
  return encodeURIComponent(id);
}

function shown(id: string): string {
  return id === '' ? 'an empty text' : `"${id.slice(0, 40).replace(/[^\w.:/-]/g, '�')}"`;
}
