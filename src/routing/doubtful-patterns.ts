import type { EventChoice } from './event-catalogue';
import { compileGlob } from './glob-index';
import { splitPatterns } from './rules';

/** A pattern that fits no type that the catalogue knows. */
export interface DoubtfulPattern {
  pattern: string;
  /** A known type that is spelled much like it; null when there is none. */
  nearest: string | null;
}

/** Longer ones are no misspelled type. */
const LONGEST = 80;
const MOST_REPORTED = 3;
/** Changed, missing, additional or swapped characters. */
const MOST_EDITS = 4;

/**
 * The patterns of a rule that fit no known type, at most three. They may be right nevertheless: the catalogue does
 * not know what a provider invents tomorrow.
 */
export function doubtfulPatterns(list: string, types: readonly EventChoice[]): DoubtfulPattern[] {
  const doubtful: DoubtfulPattern[] = [];
  const names = new Set(types.flatMap(({ type, aliases }) => [type, ...aliases]));
  for (const pattern of new Set(splitPatterns(list))) {
    if (doubtful.length === MOST_REPORTED) break;
    if (!fitsAny(pattern, names)) doubtful.push({ pattern, nearest: nearestOf(pattern, names) });
  }
  return doubtful;
}

function fitsAny(pattern: string, names: ReadonlySet<string>): boolean {
  if (!pattern.includes('*')) return names.has(pattern);
  const fits = compileGlob(pattern);
  for (const name of names) if (fits(name)) return true;
  return false;
}

function nearestOf(pattern: string, names: ReadonlySet<string>): string | null {
  if (pattern.includes('*') || pattern.length > LONGEST) return null;
  const wanted = pattern.toLowerCase();
  let limit = Math.min(MOST_EDITS, Math.ceil(wanted.length / 4)) + 1;
  let nearest: string | null = null;
  for (const name of names) {
    const edits = editsBetween(wanted, name.toLowerCase(), limit);
    if (edits >= limit) continue;
    limit = edits;
    nearest = name;
  }
  return nearest;
}

/**
 * How many characters must be changed, added, removed or swapped with their neighbour to make one text of another.
 *
 * @param limit the answer is this, too, when there are more
 */
export function editsBetween(one: string, other: string, limit: number): number {
  if (Math.abs(one.length - other.length) >= limit) return limit;
  let before: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let row = 1; row <= one.length; row++) {
    const now = [row];
    for (let column = 1; column <= other.length; column++) {
      const isSame = one.charAt(row - 1) === other.charAt(column - 1);
      let edits = Math.min(
        at(last, column) + 1,
        at(now, column - 1) + 1,
        at(last, column - 1) + (isSame ? 0 : 1)
      );
      const isSwapped =
        one.charAt(row - 1) === other.charAt(column - 2) && one.charAt(row - 2) === other.charAt(column - 1);
      if (row > 1 && column > 1 && isSwapped) edits = Math.min(edits, at(before, column - 2) + 1);
      now.push(edits);
    }
    if (Math.min(...now) >= limit) return limit;
    [before, last] = [last, now];
  }
  return Math.min(limit, at(last, other.length));
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
