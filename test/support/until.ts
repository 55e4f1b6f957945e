export interface Deadline {
  /** Milliseconds to wait before giving up. */
  deadline?: number;
}

/**
 * Waits for something that announces itself in no other way than by being there (a line in a file
 * that another process writes).
 *
 * @param what names the awaited thing in the error
 * @param look returns the thing, or undefined while it is not there yet
 * @throws Error when the deadline (default 10 s) passed
 */
export async function until<T>(
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  { deadline = 10_000 }: Deadline = {}
): Promise<T> {
  const end = performance.now() + deadline;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > end) throw new Error(`Waited ${deadline} ms in vain for ${what}`);
    // The pause between two looks, not the time that is waited.
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}
