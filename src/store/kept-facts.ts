import { asFields, fieldOf, textField, type Fields } from '../values/fields';
import { readTime } from '../values/time';

/** How long a recording is kept: computed once, when it is stored, and never shortened. */
export interface RetentionFacts {
  /** What decided. `version` changes with the settings; null: what the message asked for, and no policy. */
  policy: { name: string; version: string } | null;
  /** Not deleted before. ISO 8601 UTC; null: no such date. */
  retain_until: string | null;
  /** Deleted at the latest. ISO 8601 UTC, never before `retain_until`; null: never. */
  delete_after: string | null;
}

export const LOCK_MODES = ['governance', 'compliance'] as const;

export type LockMode = (typeof LOCK_MODES)[number];

/** The lock of one version of an object, as the store confirmed it. */
export interface LockFacts {
  mode: LockMode;
  /** ISO 8601 UTC. */
  until: string;
  /** A hold that has no end of its own. */
  hold: boolean;
  version_id: string;
  /** When the store last said so. ISO 8601 UTC. */
  confirmed_at: string;
}

/** Longer names do not come from settings. */
const LONGEST_NAME = 200;

/** @param value from a sidecar, untrusted. @returns null unless all of it can be read */
export function readRetention(value: unknown): RetentionFacts | null {
  const fields = asFields(value);
  const policy = fieldOf(fields, 'policy') === null ? null : readPolicy(fieldOf(fields, 'policy'));
  const retain_until = timeOrNull(fields, 'retain_until');
  const delete_after = timeOrNull(fields, 'delete_after');
  if (policy === undefined || retain_until === undefined || delete_after === undefined) return null;
  if (retain_until !== null && delete_after !== null && delete_after < retain_until) return null;
  return { policy, retain_until, delete_after };
}

function readPolicy(value: unknown): RetentionFacts['policy'] | undefined {
  const policy = asFields(value);
  const name = textField(policy, 'name');
  const version = textField(policy, 'version');
  if (name === null || version === null || name.length > LONGEST_NAME || version.length > LONGEST_NAME)
    return undefined;
  return { name, version };
}

/** @param value from a sidecar, untrusted. @returns null unless all of it can be read */
export function readLock(value: unknown): LockFacts | null {
  const fields = asFields(value);
  const mode = LOCK_MODES.find((known) => known === fieldOf(fields, 'mode'));
  const until = timeOrNull(fields, 'until');
  const confirmed_at = timeOrNull(fields, 'confirmed_at');
  const version_id = textField(fields, 'version_id');
  const hold = fieldOf(fields, 'hold');
  if (mode === undefined || !until || !confirmed_at || version_id === null || typeof hold !== 'boolean')
    return null;
  return { mode, until, hold, version_id, confirmed_at };
}

/** @returns undefined for anything that is neither a time nor null */
function timeOrNull(fields: Fields | null, name: string): string | null | undefined {
  const value = fieldOf(fields, name);
  if (value === null) return null;
  return typeof value === 'string' ? (readTime(value) ?? undefined) : undefined;
}
