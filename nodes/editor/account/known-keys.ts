import { KNOWN_KEYS_PATH, type KnownKeys } from '../../config/dialog/known-keys';

/** @returns null when the runtime does not answer, or the user may not ask */
export function knownKeys(asked: { id?: string; names?: string }): Promise<KnownKeys | null> {
  return new Promise((resolve) => {
    void $.getJSON(KNOWN_KEYS_PATH.slice(1), asked)
      .done((known: KnownKeys) => resolve(known))
      .fail(() => resolve(null));
  });
}
