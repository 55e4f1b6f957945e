// Several Node-REDs with one archive, while parts of them are killed and cut off: `npm run scale`. Needs `npm run build`,
// Linux, nginx, redis-server and the S3 server of the tests. Ends with a table of what was found, and with exit code 1 when
// a part of it is not as promised.
import { parseArgs } from 'node:util';
import { isProved, type Proof, tableOf } from '../runs/proofs';
import { checkSigner } from '../runs/signed-deliveries';
import { checkBuilt, Cluster } from './cluster';
import { Run } from './run';
import { STEPS, STEPS_ALONE } from './steps';

const SHOWN_PROBLEMS = 40;
const SHOWN_LOG = 5000;

const { values: options } = parseArgs({
  options: {
    recordings: { type: 'string', default: '10000' },
    rate: { type: 'string', default: '40' },
    'strain-rate': { type: 'string', default: '6' },
    deliveries: { type: 'string', default: '3000' },
    settle: { type: 'string', default: '300' },
    seed: { type: 'string', default: String(Date.now() % 10_000) },
    only: { type: 'string' },
    alone: { type: 'boolean', default: false }
  }
});

function number(name: 'recordings' | 'rate' | 'strain-rate' | 'deliveries' | 'settle' | 'seed'): number {
  const value = Number(options[name]);
  if (!(value >= 0)) throw new Error(`--${name} is a number, not ${options[name]}.`);
  return value;
}

function wantedSteps(): string[] {
  const names = options.only?.split(',') ?? (options.alone ? STEPS_ALONE : Object.keys(STEPS));
  const strange = names.find((name) => !Object.hasOwn(STEPS, name));
  if (strange !== undefined)
    throw new Error(`--only knows ${Object.keys(STEPS).join(', ')}, not ${strange}.`);
  return names;
}

async function scale(): Promise<boolean> {
  const steps = wantedSteps();
  checkBuilt();
  checkSigner();
  const isShared = !options.alone;
  const cluster = await Cluster.start({ receivers: isShared ? 2 : 1, archivers: isShared ? 3 : 0, isShared });
  const run = new Run(cluster, { seed: number('seed'), settleMs: number('settle') * 1000 });
  try {
    run.say(`seed ${options.seed}, ${cluster.instances.length} instances, Node.js ${process.version}`);
    const proofs = await prove(run, steps);
    console.log(`\n${tableOf(proofs)}`);
    for (const problem of run.problems.slice(0, SHOWN_PROBLEMS)) console.log(problem);
    if (isProved(proofs)) return true;
    for (const { name, nodeRed } of cluster.instances)
      console.log(`\n${name} wrote at last:\n${nodeRed.log.slice(-SHOWN_LOG)}`);
    return false;
  } finally {
    run.close();
    await cluster.close();
  }
}

async function prove(run: Run, names: readonly string[]): Promise<Proof[]> {
  const proofs: Proof[] = [];
  for (const name of names) {
    run.say(`== ${name}`);
    const found = await STEPS[name]!(run, {
      recordings: number('recordings'),
      rate: number('rate'),
      strainRate: number('strain-rate'),
      deliveries: number('deliveries')
    });
    for (const proof of found)
      console.log(`   ${proof.slice(0, 3).join(' | ')} | ${proof[3] ? 'yes' : 'NO'}`);
    proofs.push(...found);
  }
  if (names.length < 2) return proofs;
  run.say('== all together');
  const { proofs: last } = await run.checkAll();
  return [...proofs, ...last.map(([what, ...rest]): Proof => [`in the end: ${what}`, ...rest])];
}

// What this process has started ends with it, by the handlers of `exit`.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(130));

scale().then(
  (isGood) => process.exit(isGood ? 0 : 1),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  }
);
