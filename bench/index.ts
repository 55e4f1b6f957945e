import type { BenchResult } from './bench-result';

type Bench = { run(): Promise<BenchResult | BenchResult[]> };

const BENCHES: Record<string, () => Promise<Bench>> = {
  deliveries: () => import('./deliveries.js'),
  log: () => import('./log.js'),
  hooks: () => import('./other-flows.js'),
  transfer: () => import('./transfer.js'),
  archive: () => import('./archive.js'),
  memory: () => import('./memory.js'),
  index: () => import('./stored-index.js'),
  search: () => import('./archive-search.js'),
  'delivery-search': () => import('./delivery-search.js'),
  evidence: () => import('./evidence.js')
};

/** Runs the benches named on the command line, or all; exits with 1 when a target is missed. */
async function main(names: string[]): Promise<void> {
  const unknown = names.filter((name) => !(name in BENCHES));
  if (unknown.length > 0) {
    throw new Error(`No bench is named ${unknown.join(', ')}. There are: ${Object.keys(BENCHES).join(', ')}`);
  }
  const results: BenchResult[] = [];
  for (const [name, load] of Object.entries(BENCHES)) {
    if (names.length > 0 && !names.includes(name)) continue;
    console.log(`Measuring ${name} …`);
    const told = await (await load()).run();
    for (const result of [told].flat()) {
      results.push(result);
      for (const detail of result.details) console.log(`  ${detail}`);
    }
  }
  console.log(`\n   ratio  target          claim`);
  for (const result of results) console.log(row(result));
  if (results.some((result) => verdict(result) === 'MISSED')) process.exitCode = 1;
}

function row(result: BenchResult): string {
  const ratio = result.ratio === null ? '–' : result.ratio.toFixed(2);
  return `${ratio.padStart(8)}  ${result.target.toFixed(2).padStart(6)}  ${verdict(result).padEnd(6)}  ${result.name}`;
}

function verdict({ ratio, target }: BenchResult): 'met' | 'MISSED' | 'no run' {
  if (ratio === null) return 'no run';
  return ratio >= target ? 'met' : 'MISSED';
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
