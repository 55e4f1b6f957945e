import type { Outcome } from './outcomes';

export interface SpecReport {
  spec: string;
  first: Outcome;
  /** When it was repeated, alone. */
  again?: Outcome;
}

const RULE = '#'.repeat(100);

/**
 * @returns `text`: what failed, what passed only when it was repeated, and as its last line the counts of tests: of a repeated file
 *   those of the second run. `.ci/run` reads that line.
 */
export function reportOf(reports: readonly SpecReport[]): { text: string; hasPassed: boolean } {
  const failed = reports.filter(({ first, again = first }) => again.failures.length > 0);
  const repeated = reports.filter(
    ({ first, again = first }) => again.failures.length === 0 && first.failures.length > 0
  );
  const sum = (of: readonly Outcome[], count: (outcome: Outcome) => number): number =>
    of.reduce((total, outcome) => total + count(outcome), 0);
  const last = reports.map(({ first, again = first }) => again);
  const counts = [
    `${sum(last, ({ passed }) => passed)} passed`,
    `${sum(last, ({ failures }) => failures.length)} failed`,
    `${sum(last, ({ skipped }) => skipped)} skipped`
  ];
  if (repeated.length > 0) {
    const first = repeated.map((each) => each.first);
    counts.push(`${sum(first, ({ failures }) => failures.length)} only when repeated`);
  }
  const text = [
    ...block((isRepeated) => (isRepeated ? 'failed twice' : 'failed'), failed),
    ...block(
      () => 'passed only when it was repeated alone: find out what the load of others changed',
      repeated
    ),
    `== ${counts.join(', ')}`
  ].join('\n');
  return { text: `${text}\n`, hasPassed: failed.length === 0 };
}

/** @returns the lines of a block that is hard to overlook, with each failure of the first run in full; none without a file */
function block(what: (isRepeated: boolean) => string, reports: readonly SpecReport[]): string[] {
  if (reports.length === 0) return [];
  return [
    ...['', RULE],
    ...reports.map(({ spec, again }) => `# ${spec} ${what(again !== undefined)}`),
    ...[RULE, ''],
    ...reports.flatMap(({ spec, first, again }) => {
      const run = again === undefined ? '' : ', first run';
      return [`${spec}${run}:`, '', ...first.failures.flatMap((failure) => [`  ${failure}`, ''])];
    })
  ];
}
