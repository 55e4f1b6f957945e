import { rootCause } from '../../errors/root-cause';

/**
 * What went wrong, for people at a command line: the error's text, and what is underneath when that
 * says more.
 */
export function describeError(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const reason = rootCause(error);
  return reason === text ? text : `${text}: ${reason}`;
}
