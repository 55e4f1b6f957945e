import { seededNumbers } from '../../test/support/seeded-numbers';
import { sha256 } from '../../test/support/media';
import type { Proof } from '../runs/proofs';
import type { Verdict } from './check';
import type { Instance } from './instance';
import type { Plan, PlannedRequest } from './plan';
import { receiving } from './receiving';
import type { End, Run } from './run';

const KILLS = 10;
const KILL_EVERY_MS = 10_000;
const TAKEOVER_MS = 20_000;
const HAND_OVER_MS = 1000;
const REDIS_KILLS = 3;
const AWAY_MS = 60_000;
const FROZEN_MS = 30_000;
/** Between the return of Redis and duplicates of what was accepted before. */
const REFILL_MS = 10_000;
const LATE_DUPLICATES = 20;
const LISTED = 40;

export interface StepOptions {
  recordings: number;
  rate: number;
  /** Deliveries a second while something is broken. */
  strainRate: number;
  /** Deliveries of the comparison with a receiver that has no queue. */
  deliveries: number;
}

/** A part of the run: what happens, and the proofs of it. */
export type Step = (run: Run, options: StepOptions) => Promise<Proof[]>;

/** By the names that `--only` knows, in their order. The comparison comes first: both receivers remember nothing yet. */
export const STEPS: Readonly<Record<string, Step>> = {
  receiving: compare,
  calm,
  kills,
  handover: handOver,
  receiver,
  redis,
  frozen,
  cut,
  lists
};

/** The parts that make sense for one instance that shares nothing. */
export const STEPS_ALONE = ['calm'];

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function calm(run: Run, { recordings, rate }: StepOptions): Promise<Proof[]> {
  const { failures } = run.ledger;
  const plan = run.plan({ name: 'calm', recordings });
  const begun = performance.now();
  await run.load(plan, rate);
  const seconds = (performance.now() - begun) / 1000;
  const { proofs } = await run.check(plan, true, failures);
  const shares = [...run.ledger.shares()].sort().map(([name, count]) => `${name}: ${count}`);
  return [
    ['calm run', `${recordings} recordings in ${seconds.toFixed(0)} s; ${shares.join(', ')}`, '', true],
    ...proofs
  ];
}

async function compare(run: Run, { deliveries }: StepOptions): Promise<Proof[]> {
  const alone = await run.cluster.startAlone();
  return await receiving(run.cluster.receivers[0]!, alone, {
    count: deliveries,
    sends: (id) => run.overlook(id)
  });
}

async function kills(run: Run, { strainRate }: StepOptions): Promise<Proof[]> {
  const random = seededNumbers(run.options.seed);
  const ends: End[] = [];
  const starting = new Set<Promise<void>>();
  const { proofs } = await strained(run, 'kills', strain(strainRate, KILLS * KILL_EVERY_MS), async () => {
    for (let kill = 0; kill < KILLS; kill += 1) {
      await pause(KILL_EVERY_MS);
      const alive = run.cluster.archivers.filter(({ nodeRed }) => nodeRed.alive);
      const victim = alive[Math.floor(random.next().value * alive.length)]!;
      ends.push(await end(run, victim, 'SIGKILL'));
      const start = victim.nodeRed.start().finally(() => starting.delete(start));
      starting.add(start);
    }
    await Promise.all(starting);
  });
  return [...proofs, run.waited(`taken over after ${KILLS} kills`, ends, TAKEOVER_MS)];
}

async function handOver(run: Run, { strainRate }: StepOptions): Promise<Proof[]> {
  const ends: End[] = [];
  const { proofs } = await strained(run, 'handover', strain(strainRate, 30_000), async () => {
    for (const archiver of run.cluster.archivers) {
      await pause(5000);
      ends.push(await end(run, archiver, 'SIGTERM'));
      await archiver.nodeRed.start();
    }
  });
  return [...proofs, run.waited('handed over after SIGTERM', ends, HAND_OVER_MS)];
}

async function end(run: Run, { name, nodeRed }: Instance, signal: NodeJS.Signals): Promise<End> {
  run.say(`${signal} for ${name}`);
  const told = Date.now();
  await nodeRed.kill(signal);
  return { name, told, gone: Date.now() };
}

/** Killed between 200 and lending: once because Redis is out of reach, once right after the first answer. */
async function receiver(run: Run, { strainRate }: StepOptions): Promise<Proof[]> {
  const lone = run.plan({ name: 'lone', recordings: 20, duplicates: 0, forged: 0, faulty: 0 });
  const { failures } = run.ledger;
  const { proofs } = await strained(run, 'receiver', strain(strainRate, 20_000), async () => {
    const victim = run.cluster.receivers[0]!;
    const { port } = victim.nodeRed;
    victim.way?.cut();
    for (const request of lone.requests.slice(0, 10)) run.senders.sendOne(request, port);
    await run.wait('ten answers', () =>
      lone.recordings.slice(0, 10).every(({ id }) => run.senders.answers.has(id))
    );
    await end(run, victim, 'SIGKILL');
    victim.way?.mend();
    await victim.nodeRed.start();
    await pause(5000);
    for (const request of lone.requests.slice(10)) run.senders.sendOne(request, port);
    await run.wait('an answer', () =>
      lone.recordings.slice(10).some(({ id }) => run.senders.answers.has(id))
    );
    await end(run, victim, 'SIGKILL');
    await victim.nodeRed.start();
  });
  await run.settle(lone);
  return [...proofs, summary('receiver killed after 200', await run.check(lone, false, failures))];
}

async function redis(run: Run, { strainRate }: StepOptions): Promise<Proof[]> {
  const { redis } = run.cluster;
  const late: PlannedRequest[] = [];
  const seconds = REDIS_KILLS * (AWAY_MS + 30_000);
  const { proofs } = await strained(run, 'redis', strain(strainRate, seconds), async (plan) => {
    for (let kill = 0; kill < REDIS_KILLS; kill += 1) {
      await pause(10_000);
      const isOnce = ({ kind, recording: { id } }: PlannedRequest): boolean =>
        kind === 'genuine' && run.ledger.timesDelivered(id) === 1;
      const before = plan.requests.filter(isOnce);
      run.say('SIGKILL for Redis');
      await redis.kill();
      await pause(AWAY_MS);
      await redis.run();
      run.say('Redis is back, and empty');
      await pause(REFILL_MS);
      // While Redis was away, a planned duplicate may have come to a receiver that could not know of it.
      run.read();
      const some = before.filter(isOnce).slice(-LATE_DUPLICATES);
      late.push(...some);
      for (const request of some)
        for (const { nodeRed } of run.cluster.receivers)
          run.senders.sendOne({ ...request, kind: 'duplicate' }, nodeRed.port);
    }
  });
  const again = late.filter(({ recording: { id } }) => run.ledger.timesDelivered(id) > 1);
  const found = `${again.length} of ${late.length}`;
  return [
    ...proofs,
    [
      'late duplicates that came to a flow, after Redis was empty',
      found,
      '0',
      late.length > 0 && again.length === 0
    ]
  ];
}

async function frozen(run: Run, { strainRate }: StepOptions): Promise<Proof[]> {
  const { proofs } = await strained(run, 'frozen', strain(strainRate, FROZEN_MS + 10_000), async () => {
    await pause(5000);
    const victim = run.cluster.archivers[0]!;
    run.say(`SIGSTOP for ${victim.name}`);
    victim.freeze();
    await pause(FROZEN_MS);
    victim.resume();
    run.say(`${victim.name} goes on`);
  });
  return proofs;
}

async function cut(run: Run, { strainRate }: StepOptions): Promise<Proof[]> {
  const { proofs } = await strained(run, 'cut', strain(strainRate, AWAY_MS + 10_000), async () => {
    await pause(5000);
    // Of one nothing comes through any more, and the other knows that it is cut off.
    const silent = run.cluster.archivers.at(-1)!;
    const alone = run.cluster.receivers.at(-1)!;
    run.say(`${silent.name} and ${alone.name} are cut off from Redis`);
    silent.way?.silence();
    alone.way?.cut();
    await pause(AWAY_MS);
    silent.way?.mend();
    alone.way?.mend();
    run.say('both have Redis again');
  });
  return proofs;
}

/** Each instance gets two triggers at once, and the API answers no earlier than when all have theirs. */
async function lists(run: Run): Promise<Proof[]> {
  const { standIn, apiWay, instances } = run.cluster;
  const { failures } = run.ledger;
  const expected = new Map<string, string>();
  for (let count = 0; count < LISTED; count += 1) {
    const createdAt = Date.now() - 3_600_000 - count * 1000;
    const recording = standIn.addRecording({
      formats: ['wav'],
      seconds: 1,
      createdAt,
      startedAt: createdAt - 60_000
    });
    const link = standIn.link(recording, 'wav') ?? '';
    expected.set(recording.id, sha256(Buffer.from(await (await fetch(link)).arrayBuffer())));
  }
  run.expect(expected);
  apiWay.silence();
  const triggers = [...instances, ...instances].map(({ nodeRed }) =>
    fetch(`${nodeRed.url}/list`, { method: 'POST' })
  );
  await Promise.all(triggers);
  apiWay.mend();
  await run.wait('the recordings of the list', () => {
    run.read();
    return run.ledger.lists.length > 0 && [...expected.keys()].every((id) => run.ledger.hasOutput(id));
  });
  const verdict = await run.checkListed(failures);
  const ran = run.ledger.lists.length;
  return [
    [`lists that ran after ${triggers.length} triggers at once`, String(ran), '1', ran === 1],
    summary('recordings of the list', verdict)
  ];
}

/** How many recordings a step of this length takes. */
function strain(rate: number, ms: number): { rate: number; recordings: number } {
  return { rate, recordings: Math.ceil((rate * ms) / 1000) };
}

/** Deliveries come all the time while something breaks; a part of the transfers takes seconds. */
async function strained(
  run: Run,
  name: string,
  { rate, recordings }: { rate: number; recordings: number },
  breaks: (plan: Plan) => Promise<void>
): Promise<{ proofs: Proof[] }> {
  const { failures } = run.ledger;
  const plan = run.plan({ name, recordings, long: 0.2 });
  const settled = await run.load(plan, rate, () => breaks(plan));
  const verdict = await run.check(plan, false, failures);
  return { proofs: [summary(`${name}, settled after ${(settled / 1000).toFixed(0)} s`, verdict)] };
}

/** One line for all proofs of a plan. */
function summary(name: string, { proofs, problems }: Verdict): Proof {
  const of = (what: string): string => proofs.find(([each]) => each === what)?.[1] ?? '?';
  const found = [
    `${of('objects with the right bytes')} objects`,
    `${of('sidecars that say so')} sidecars`,
    `${of('other objects, such as a second copy')} others`,
    `${of('recordings with an output')} with an output, ${of('recordings with two outputs')} of them twice`,
    `${of('recordings that failed')} failed`,
    ...(problems.length === 0 ? [] : [`${problems.length} problems, such as "${problems[0] ?? ''}"`])
  ];
  const wanted = proofs.find(([each]) => each === 'objects with the right bytes')?.[2] ?? '?';
  return [
    name,
    found.join(', '),
    `${wanted} objects, sidecars, outputs; 0 others, failed`,
    problems.length === 0
  ];
}
