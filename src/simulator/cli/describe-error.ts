import { rootCause } from '../../errors/root-cause';

/** Describes an error on a command line: its text, and its cause if that says more. */
export function describeError(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const reason = rootCause(error);
  return reason === text ? text : `${text}: ${reason}`;
}
