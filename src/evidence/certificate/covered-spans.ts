import type { Span } from './period';

/** Which parts of a period are covered. Spans may come in any order, and overlap. */
export class CoveredSpans {
  readonly #period: Span;
  /** In order, and apart from one another. */
  #spans: Span[] = [];

  constructor(period: Span) {
    this.#period = period;
  }

  add({ from, to }: Span): void {
    let start = Math.max(from, this.#period.from);
    let end = Math.min(to, this.#period.to);
    // Also false for a time that is none.
    if (!(start < end)) return;
    const before: Span[] = [];
    const after: Span[] = [];
    for (const span of this.#spans)
      if (span.to < start) before.push(span);
      else if (span.from > end) after.push(span);
      else {
        start = Math.min(start, span.from);
        end = Math.max(end, span.to);
      }
    this.#spans = [...before, { from: start, to: end }, ...after];
  }

  /** What is not covered, in order. */
  gaps(): Span[] {
    const gaps: Span[] = [];
    let at = this.#period.from;
    for (const { from, to } of this.#spans) {
      if (at < from) gaps.push({ from: at, to: from });
      at = to;
    }
    if (at < this.#period.to) gaps.push({ from: at, to: this.#period.to });
    return gaps;
  }
}
