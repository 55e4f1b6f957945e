/** Fewer digits are part of nearly every number. */
const FEWEST_DIGITS = 3;

/**
 * The digits of what somebody searches for, so that `+1 (555) 010-0199` finds `+15550100199`. Leading zeros, as in
 * `0555 010` or `001 555`, are prefixes for dialling that stored numbers do not have, so they may be missing.
 *
 * @returns the digits to look for in a number, one after the other; none when the text is no part of a number
 */
export function numberParts(what: string): string[] {
  if (!/^[\d\s+()./-]+$/.test(what)) return [];
  const digits = what.replace(/\D+/g, '');
  if (digits.length < FEWEST_DIGITS) return [];
  const significant = digits.replace(/^0+/, '');
  return significant.length >= FEWEST_DIGITS ? [...new Set([digits, significant])] : [digits];
}
