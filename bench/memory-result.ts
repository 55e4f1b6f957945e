import type { BenchResult } from './bench-result';

const MIB = 1024 ** 2;
const LIMIT = 64 * MIB;

/**
 * The claim that memory grows by less than 64 MB, whatever is received.
 *
 * @param memory bytes before and at the peak; undefined where unknown
 */
export function memoryResult(
  what: string,
  memory: { before: number; peak(): number } | undefined,
  details: string[]
): BenchResult {
  const name = `memory for ${what}, how many times in ${LIMIT / MIB} MB`;
  if (memory === undefined) return { name, ratio: null, target: 1, details };
  const growth = memory.peak() - memory.before;
  const text = `memory grew by ${mebibytes(growth)} MB at most, from ${mebibytes(memory.before)} MB`;
  return { name, ratio: LIMIT / Math.max(growth, 1), target: 1, details: [text, ...details] };
}

function mebibytes(bytes: number): string {
  return (bytes / MIB).toFixed(1);
}
