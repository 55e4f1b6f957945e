/** What happened to a request for the file of a recording: it came, was answered, or whoever asked went away. */
export interface MediaLine {
  id: string;
  what: 'asked' | 'sent' | 'left';
  /** Milliseconds since 1970. */
  time: number;
}

/** Connections of a process that ends are closed this soon. */
const CLOSED_WITHIN_MS = 1000;

/**
 * How long the recordings that a process was fetching when it ended waited for another one, in milliseconds. All that is
 * known of a process from outside is that its connections close when it ends.
 *
 * @param ended when the process was told to end. Milliseconds since 1970
 * @param gone when it had ended
 * @returns one number for each recording; `Infinity` where nobody came
 */
export function waits(lines: readonly MediaLine[], ended: number, gone: number): number[] {
  const left = new Map<string, number>();
  const found: number[] = [];
  for (const { id, what, time } of lines) {
    if (what === 'left' && time >= ended && time <= gone + CLOSED_WITHIN_MS) left.set(id, time);
    else if (what === 'asked' && left.delete(id)) found.push(time - ended);
  }
  return [...found, ...[...left.values()].map(() => Infinity)];
}
