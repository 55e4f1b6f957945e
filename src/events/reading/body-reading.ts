import type { Discriminator } from '../event';
import type { Shape } from '../shapes';

/** What the fields of a body say, before the catalogue is asked about the type. */
export interface BodyReading {
  event_type: string;
  shape: Shape;
  payload: unknown;
  own_id: string | null;
  record_type: string | null;
  occurred_at: string | null;
  attempt: number | null;
  delivered_to: string | null;
  client_state: string | null;
  discriminator: Discriminator | null;
}

/** The type of a body that tells none. Never in the catalogue. */
export const UNKNOWN_TYPE = 'unknown';

/** A reading of a body that tells nothing but its type. */
export function emptyReading(event_type: string, shape: Shape, payload: unknown): BodyReading {
  return {
    event_type,
    shape,
    payload,
    own_id: null,
    record_type: null,
    occurred_at: null,
    attempt: null,
    delivered_to: null,
    client_state: null,
    discriminator: null
  };
}
