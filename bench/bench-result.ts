/** One claim about speed, as a ratio against a rival of the same run. */
export interface BenchResult {
  name: string;
  /** How many times as good as the rival; null when the rival cannot run here. */
  ratio: number | null;
  /** The required ratio. */
  target: number;
  details: string[];
}

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}
