import type { Print } from '../cli/print';

/**
 * Shows a step when it starts, and its result.
 *
 * @param work runs the step and returns a remark about it
 */
export async function step(print: Print, title: string, work: () => Promise<string>): Promise<void> {
  print(`- ${title} …`);
  const started = performance.now();
  const result = await work();
  print(`  ${result} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
}
