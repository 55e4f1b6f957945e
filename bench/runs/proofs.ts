/** A line of the table at the end of a run. Without something wanted it only tells, and proves nothing. */
export type Proof = readonly [what: string, found: string, wanted: string, isReached: boolean];

export function isProved(proofs: readonly Proof[]): boolean {
  return proofs.every(([, , , isReached]) => isReached);
}

/** The table, as Markdown. */
export function tableOf(proofs: readonly Proof[]): string {
  const rows = proofs.map(
    ([what, found, wanted, isReached]) =>
      `| ${what} | ${found} | ${wanted} | ${wanted === '' ? '' : isReached ? 'yes' : 'NO'} |`
  );
  return ['| what | found | wanted | |', '|---|---|---|---|', ...rows].join('\n');
}
