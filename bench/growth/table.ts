import { KINDS } from './kinds';
import type { Measured, Results } from './results';

const HEAD = [
  '| What | Entries | Start | After a power cut | Look-up | Memory | Disk | Pruning all of them | Longest pause meanwhile |',
  '| --- | --: | --: | --: | --: | --: | --: | --: | --: |'
];

/** The table of docs/growth.md (Markdown). */
export function growthTable(results: Results, sizes: readonly number[]): string {
  const rows = Object.entries(KINDS).flatMap(([kind, { label }]) =>
    sizes.flatMap((count) => {
      const measured = results.of(kind, count);
      return measured === undefined ? [] : [rowOf(label, measured)];
    })
  );
  return [...HEAD, ...rows].join('\n');
}

function rowOf(label: string, { count, start, afterCrash, pruning }: Measured): string {
  const cells = [
    label,
    withBlanks(count),
    time(start?.start),
    time(afterCrash),
    start === undefined ? '?' : `${rounded(start.lookUp)} µs`,
    start === undefined ? '?' : `${rounded(start.memory)} MiB`,
    start === undefined ? '?' : `${rounded(start.disk)} MiB`,
    pruning === null ? 'kept for good' : time(pruning && pruning.seconds * 1000),
    pruning === null ? '' : time(pruning?.longest)
  ];
  return `| ${cells.join(' | ')} |`;
}

/** @param ms undefined: not measured */
function time(ms: number | undefined): string {
  if (ms === undefined) return '?';
  return ms < 1000 ? `${rounded(ms)} ms` : `${rounded(ms / 1000)} s`;
}

/** Two digits are as much as such a measurement is worth. */
function rounded(value: number): string {
  return withBlanks(Number(Math.max(0, value).toPrecision(2)));
}

export function withBlanks(value: number): string {
  return value.toLocaleString('en-US');
}
