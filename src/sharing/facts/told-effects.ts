import { type Effects, NO_EFFECTS } from '../../archive/effects';
import { areHeldIn } from '../../store/held-location';
import type { StoredRecording } from '../../store/stored-recording';
import { asFields } from '../../values/fields';
import {
  type Check,
  isCount,
  isFlag,
  isNumber,
  isObject,
  isText,
  listOf,
  oneOf,
  orNull,
  shape
} from '../jobs/wire/shape';

/** What one instance tells the others: effects, and recordings that a user took off the list of those given up. */
export interface Told {
  effects: Effects;
  removed: readonly { node: string; id: string }[];
}

/** Of what all versions of this package understand. */
const VERSION = 1;
/** Of files that were deleted: an earlier version passes over them. */
const REMOVED_VERSION = 2;
const VERSIONS = new Set<unknown>([VERSION, REMOVED_VERSION]);
/** Characters of one entry in Redis. */
const LONGEST = 64 * 1024;
/** Characters of the id of a node, or of a format. */
const LONGEST_NAME = 200;
/** Deeper than anything that an instance tells; more would overflow the stack of the database's encoder. */
const DEEPEST = 12;

/**
 * Spells it in JSON, without secrets: it is what sidecars hold. The text of a recording that is too long for Redis is left out, and
 * so is, as the last resort, the whole.
 *
 * @returns the entries; deleted files have one of their own, before the others. None when it is too long all the same: the others
 *   then store such a recording once more
 */
export function spellTold({ effects, removed }: Told): string[] {
  const deleted = { effects: { ...NO_EFFECTS, removed: effects.removed }, removed: [] };
  const { stored, givenUp, cleared } = effects;
  const older = { stored, givenUp, cleared };
  const hasOthers = removed.length > 0 || Object.values(older).some((changed) => changed.length > 0);
  const inParts = effects.removed.length === 0 ? [] : [JSON.stringify({ v: REMOVED_VERSION, ...deleted })];
  const others = hasOthers ? spellOlder({ effects: older, removed }) : null;
  return [...inParts, ...(others === null ? [] : [others])];
}

function spellOlder(told: Omit<Told, 'effects'> & { effects: Omit<Effects, 'removed'> }): string | null {
  const whole = JSON.stringify({ v: VERSION, ...told });
  if (whole.length <= LONGEST) return whole;
  const stored = told.effects.stored.map(({ place, file }) => ({
    place,
    file: { ...file, recording: { ...file.recording, transcription: null } satisfies StoredRecording }
  }));
  const without = JSON.stringify({ v: VERSION, ...told, effects: { ...told.effects, stored } });
  return without.length <= LONGEST ? without : null;
}

/** What becomes part of a key of the database, which must be short. */
const isName: Check = (value) =>
  typeof value === 'string' && value.length <= LONGEST_NAME && !/\p{Cc}/u.test(value);
const isTextOrNull = orNull(isText);
const isLocation = { path: isText, bucket: isText, key: isText };

const isStored = shape({
  place: isText,
  file: shape({
    identity: isText,
    wantedFormat: orNull(isName),
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

const isFailed = { node: isName, identity: isText };

const isTime: Check = (value) =>
  typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$/.test(value);

const isRemoved = shape({
  key: (value) => Array.isArray(value) && value.length === 3 && value.every((part) => isName(part)),
  tombstone: shape({
    ...{ stored_at: isTime, deleted_at: isTime, bytes: isCount, seq: isCount },
    reason: oneOf(['expired', 'erased']),
    policy: orNull(isName)
  })
});

const isOlder = {
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
};

const isTold = shape({
  effects: shape(isOlder, { removed: listOf(isRemoved) }),
  removed: listOf(shape({ node: isName, id: isName }))
});

/** @returns null when it has not the expected shape, or is of a later version; anyone who can write to Redis may have written it */
export function readTold(text: string): Told | null {
  if (text.length > LONGEST) return null;
  let value: unknown;
  try {
    value = JSON.parse(text, (name, field: unknown) => (name === '__proto__' ? undefined : field));
  } catch {
    return null;
  }
  if (!isWithin(value, DEEPEST) || !VERSIONS.has(asFields(value)?.['v']) || !isTold(value)) return null;
  const given = value as Told;
  const told: Told = { ...given, effects: { ...NO_EFFECTS, ...given.effects } };
  // An instance erases or describes a recording where its entry says.
  return told.effects.stored.every(({ place, file }) => areHeldIn(place, file.recording)) ? told : null;
}

function isWithin(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return depth > 0 && Object.values(value).every((inner) => isWithin(inner, depth - 1));
}
