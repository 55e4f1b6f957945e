/**
 * Finds the innermost reason of an error, so that a log says "connect ECONNREFUSED 192.0.2.1:443"
 * instead of "fetch failed". Follows `cause` and the first entry of an `AggregateError`.
 *
 * @param error anything that was thrown
 * @returns a short text without a stack; never empty
 */
export function rootCause(error: unknown): string {
  let current = error;
  const seen = new Set<unknown>();
  while (current instanceof Error && !seen.has(current)) {
    seen.add(current);
    const inner: unknown =
      current instanceof AggregateError && current.errors.length > 0 ? current.errors[0] : current.cause;
    if (inner === undefined || inner === null) break;
    current = inner;
  }
  if (current instanceof Error) return current.message || current.name;
  return String(current);
}
