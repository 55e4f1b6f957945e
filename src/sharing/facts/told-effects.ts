import type { Effects } from '../../archive/effects';
import type { StoredRecording } from '../../store/stored-recording';
import { asFields } from '../../values/fields';
import { isCount, isFlag, isNumber, isObject, isText, listOf, orNull, shape } from '../jobs/wire/shape';

/** What one instance tells the others: effects, and recordings that a user took off the list of those given up. */
export interface Told {
  effects: Effects;
  removed: readonly { node: string; id: string }[];
}

const VERSION = 1;
/** Characters of one entry in Redis. */
const LONGEST = 64 * 1024;

/**
 * Spells it in JSON, without secrets: it is what sidecars hold. The text of a recording that is too long for Redis is left out, and
 * so is, as the last resort, the whole.
 *
 * @returns null when it is too long all the same; the others then store such a recording once more
 */
export function spellTold(told: Told): string | null {
  const whole = JSON.stringify({ v: VERSION, ...told });
  if (whole.length <= LONGEST) return whole;
  const stored = told.effects.stored.map(({ place, file }) => ({
    place,
    file: { ...file, recording: { ...file.recording, transcription: null } satisfies StoredRecording }
  }));
  const without = JSON.stringify({ v: VERSION, ...told, effects: { ...told.effects, stored } });
  return without.length <= LONGEST ? without : null;
}

const isTextOrNull = orNull(isText);
const isLocation = { path: isText, bucket: isText, key: isText };

const isStored = shape({
  place: isText,
  file: shape({
    identity: isText,
    wantedFormat: isTextOrNull,
    order: isText,
    recording: shape(
      { sha256: isText, stored_at: isText, transcription: isTextOrNull, deleted_at_source: isTextOrNull },
      {
        ...isLocation,
        ...{
          size: isCount,
          content_type: isText,
          destination: isText,
          sidecar: isTextOrNull,
          resumed: isFlag
        },
        ...{ transcription_file: isText, transcribed_at: isText, version_id: isTextOrNull }
      }
    )
  })
});

const isFailed = { node: isText, identity: isText };

const isTold = shape({
  effects: shape({
    stored: listOf(isStored),
    cleared: listOf(shape(isFailed)),
    givenUp: listOf(
      shape({
        ...isFailed,
        at: isNumber,
        code: isText,
        message: isText,
        attempts: isCount,
        details: isObject
      })
    )
  }),
  removed: listOf(shape({ node: isText, id: isText }))
});

/** @returns null when it has not the expected shape, or is of a later version; whoever can write to Redis may have written it */
export function readTold(text: string): Told | null {
  if (text.length > LONGEST) return null;
  let value: unknown;
  try {
    value = JSON.parse(text, (name, field: unknown) => (name === '__proto__' ? undefined : field));
  } catch {
    return null;
  }
  return asFields(value)?.['v'] === VERSION && isTold(value) ? (value as Told) : null;
}
