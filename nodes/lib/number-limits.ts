/** What a number in a setting may be. The runtime and the dialogs read the same limits. */
export interface NumberLimits {
  /** Stands in for a blank setting. */
  fallback: number;
  min: number;
  max: number;
  /** Default true: no fractions. */
  whole?: boolean;
}
