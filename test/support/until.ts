export interface Deadline {
  /** Milliseconds to wait before giving up. */
  deadline?: number;
}

/**
 * Waits for something that gives no signal except its existence (such as a line in a file of another process).
 *
 * @param what names the awaited thing in the error
 * @param look returns the thing, or undefined or false while it does not exist yet
 * @throws Error when the deadline (default 30 s) passes
 */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  { deadline = 30_000 }: Deadline = {}
): Promise<T> {
  const end = performance.now() + deadline;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > end) throw new Error(`Waited ${deadline} ms in vain for ${what}`);
    // The pause between two checks, not the total wait.
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}
