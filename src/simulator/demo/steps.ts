/** Takes one line for the user. */
export type Print = (line: string) => void;

/**
 * Shows a step when it begins and how it ended.
 *
 * @param work does the step and returns what is worth saying about it
 * @returns what `work` returned
 */
export async function step<T extends string>(
  print: Print,
  title: string,
  work: () => Promise<T>
): Promise<T> {
  print(`- ${title} …`);
  const started = performance.now();
  const result = await work();
  print(`  ${result} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  return result;
}
