import { CodedError } from '../../errors/coded-error';

/** Why a delivery is not accepted. */
export function notRecorded(directory: string, cause: unknown): CodedError {
  if (cause instanceof CodedError) return cause;
  return new CodedError(
    'NOT_RECORDED',
    `A delivery could not be written to the log in ${directory}. Look at the free space and at the permissions there.`,
    { cause, retryable: true }
  );
}
