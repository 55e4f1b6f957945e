import type { ParsedEvent } from '../event';

/** A delivery as an event, or why its body cannot be read. */
export type ParseResult =
  | { readonly ok: true; readonly event: ParsedEvent }
  | { readonly ok: false; readonly code: 'UNPARSABLE_BODY'; readonly message: string };

/** Refuses a delivery whose body is neither JSON nor a form; `reason` quotes nothing of it. */
export function unparsable(reason: string): ParseResult {
  return {
    ok: false,
    code: 'UNPARSABLE_BODY',
    message: `The delivery is verified but cannot be read: ${reason}. Check what the sender is set to send.`
  };
}
