/** A value of a process at a time in milliseconds. */
export interface Sample {
  at: number;
  value: number;
}

export interface Slope {
  /** Change of the value in an hour. */
  perHour: number;
  /** Its standard error. */
  error: number;
  /** The median of the values. */
  middle: number;
}

const HOUR_MS = 3_600_000;

/**
 * The straight line through the samples with the least squares.
 *
 * @throws Error for fewer than three samples
 */
export function slopeOf(samples: readonly Sample[]): Slope {
  const count = samples.length;
  if (count < 3) throw new Error('A slope needs three samples. Let the run take longer.');
  const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / count;
  const hours = samples.map(({ at }) => (at - samples[0]!.at) / HOUR_MS);
  const values = samples.map(({ value }) => value);
  const [middleHour, middleValue] = [mean(hours), mean(values)];
  const spread = hours.reduce((sum, hour) => sum + (hour - middleHour) ** 2, 0);
  const perHour =
    hours.reduce((sum, hour, index) => sum + (hour - middleHour) * (values[index]! - middleValue), 0) /
    spread;
  const rest = hours.reduce(
    (sum, hour, index) => sum + (values[index]! - middleValue - perHour * (hour - middleHour)) ** 2,
    0
  );
  const sorted = [...values].sort((a, b) => a - b);
  return { perHour, error: Math.sqrt(rest / (count - 2) / spread), middle: sorted[Math.floor(count / 2)]! };
}

/**
 * Whether values stay where they are: what the samples grow by, as far as it is not chance, is at most a twentieth of
 * their middle.
 *
 * @param hours between the first and the last sample
 */
export function isFlat({ perHour, error, middle }: Slope, hours: number): boolean {
  return (perHour - 2 * error) * hours <= middle / 20;
}
