/**
 * Processor time of this process. Unlike the clock, it does not run while a busy machine works for other programs.
 *
 * @param begun what `process.cpuUsage()` returned
 * @returns milliseconds
 */
export function processorMsSince(begun: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1000;
}
