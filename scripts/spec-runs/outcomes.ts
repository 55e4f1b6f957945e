/** What a process of mocha writes down while it runs; a spec is the path of its file. */
export type SpecEvent =
  | { kind: 'passed' | 'skipped'; spec: string }
  | { kind: 'failed'; spec: string; text: string }
  | { kind: 'ended' };

/** The tests of one spec file. */
export interface Outcome {
  passed: number;
  skipped: number;
  /** Each failed test, failed hook, or death of the process, as mocha writes it. */
  failures: string[];
}

/** How a process of mocha ended. */
export interface End {
  code: number | null;
  signal: string | null;
  /** What it said last, or where to find it. */
  said: string;
}

/**
 * @param specs the files that the process was to run
 * @param record the lines that it wrote down (see recorder.ts)
 * @returns the outcome of each file, also of those that it did not come to
 */
export function outcomesOf(specs: readonly string[], record: string, end: End): Map<string, Outcome> {
  const outcomes = new Map(specs.map((spec) => [spec, newOutcome()]));
  const only = specs.length === 1 ? specs[0] : undefined;
  const begun = new Set<string>();
  let last: string | undefined;
  let hasEnded = false;
  // A process that is killed may leave half a line.
  const lines = record.split('\n').slice(0, -1);
  for (const event of lines.map((line) => JSON.parse(line) as SpecEvent)) {
    if (event.kind === 'ended') {
      hasEnded = true;
      continue;
    }
    const spec = only ?? event.spec;
    const outcome = outcomes.get(spec) ?? newOutcome();
    outcomes.set(spec, outcome);
    begun.add(spec);
    last = spec;
    if (event.kind === 'failed') outcome.failures.push(event.text);
    else outcome[event.kind]++;
  }

  const hasFailures = [...outcomes.values()].some(({ failures }) => failures.length > 0);
  const isExplained = end.code === 0 || hasFailures;
  if (hasEnded && isExplained) return outcomes;
  // Which file ended it is not known: one that did not report, or the last one, which may not have reported all.
  const suspects = hasEnded ? specs : specs.filter((spec) => !begun.has(spec) || spec === last);
  const how = end.signal === null ? `exit code ${String(end.code)}` : end.signal;
  for (const spec of suspects)
    outcomes.get(spec)?.failures.push(`The process of the tests ended early (${how}).\n${end.said}`);
  return outcomes;
}

function newOutcome(): Outcome {
  return { passed: 0, skipped: 0, failures: [] };
}
