/** The valid range of a numeric setting, shared by the runtime and the dialogs. */
export interface NumberLimits {
  /** Used for a blank setting. */
  fallback: number;
  min: number;
  max: number;
  /** Default true: no fractions. */
  whole?: boolean;
}
