import path from 'node:path';
import { runMocha } from './mocha-process';
import type { Outcome } from './outcomes';
import { reportOf, type SpecReport } from './report';

export interface SpecPlan {
  /** Two files at a time. */
  together: readonly string[];
  /** One after another, beside those. */
  beside?: readonly string[];
  /** One after another, after all those. */
  alone?: readonly string[];
}

/** More failed files than this are not the fault of the load, and would take long. */
const MOST_REPEATED = 10;

/**
 * Runs spec files, and those that failed once more, each alone, at the end. A file has failed when it fails twice. One that passes
 * then is reported with its first failure: what fails under load may be a defect.
 *
 * @param plan paths, absolute or relative to the working directory
 * @param write called with all that is to be read; without it, stdout
 * @returns whether each file passed, at once or when repeated
 */
export async function runSpecs(plan: SpecPlan, write?: (text: string) => void): Promise<boolean> {
  const say = write === undefined ? {} : { write };
  const [together, beside, alone] = [plan.together, plan.beside ?? [], plan.alone ?? []].map((specs) =>
    specs.map((spec) => path.resolve(spec))
  ) as [string[], string[], string[]];
  const oneByOne = async (specs: readonly string[]): Promise<Map<string, Outcome>[]> => {
    const outcomes = [];
    for (const spec of specs) outcomes.push(await runMocha([spec], say));
    return outcomes;
  };

  const meanwhile = await Promise.all([
    together.length === 0 ? new Map<string, Outcome>() : runMocha(together, { jobs: 2, ...say }),
    oneByOne(beside)
  ]);
  // These run even if others failed: one run shows everything that is wrong.
  const outcomes = [...meanwhile.flat(), ...(await oneByOne(alone))].flatMap((each) => [...each]);

  const reports: SpecReport[] = outcomes.map(([spec, first]) => ({ spec: path.relative('', spec), first }));
  const failed = reports.filter(({ first }) => first.failures.length > 0);
  if (failed.length <= MOST_REPEATED) {
    for (const report of failed) {
      const spec = path.resolve(report.spec);
      const again = (await runMocha([spec], say)).get(spec);
      if (again !== undefined) report.again = again;
    }
  }
  const { text, hasPassed } = reportOf(reports);
  (write ?? ((last: string) => void process.stdout.write(last)))(text);
  return hasPassed;
}
