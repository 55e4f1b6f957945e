/**
 * Does something that either of two signals ends. `AbortSignal.any` of Node.js 20 may be collected before it fires.
 *
 * @param work gets a signal that is aborted with the first of them
 * @returns what `work` returns
 */
export async function untilEither<Result>(
  signals: readonly (AbortSignal | undefined)[],
  work: (signal: AbortSignal) => Promise<Result>
): Promise<Result> {
  const either = new AbortController();
  const stop = (): void => either.abort();
  for (const signal of signals) {
    if (signal?.aborted === true) stop();
    signal?.addEventListener('abort', stop, { once: true });
  }
  try {
    return await work(either.signal);
  } finally {
    for (const signal of signals) signal?.removeEventListener('abort', stop);
  }
}
