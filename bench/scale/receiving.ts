import { randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';
import { holdEvent } from '../../test/support/deliveries';
import type { Proof } from '../runs/proofs';
import { KEY, signedDelivery } from '../runs/signed-deliveries';
import type { Instance } from './instance';

const WARM_UP = 300;
const EVERY_MS = 10;
const MOST_MORE_MS = 5;

/**
 * Sends deliveries to a receiver and to one without a queue, in turns, so that both meet the same machine.
 *
 * @param count deliveries to each
 * @param sends told the id of each
 */
export async function receiving(
  shared: Instance,
  alone: Instance,
  { count, sends }: { count: number; sends: (id: string) => void }
): Promise<Proof[]> {
  const agent = new Agent({ keepAlive: true });
  const times: Record<'shared' | 'alone', number[]> = { shared: [], alone: [] };
  const under: Promise<void>[] = [];
  try {
    for (let at = -WARM_UP; at < count; at += 1) {
      for (const [which, { nodeRed }] of [
        ['shared', shared],
        ['alone', alone]
      ] as const) {
        const id = randomUUID();
        sends(id);
        under.push(
          answerTime(agent, nodeRed.port, id).then((time) => {
            if (at >= 0) times[which].push(time);
          })
        );
        // The pace of the run itself.
        await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
      }
    }
    await Promise.all(under);
  } finally {
    agent.destroy();
  }
  const [with99, without99] = [percentile(times.shared, 0.99), percentile(times.alone, 0.99)];
  const [with50, without50] = [percentile(times.shared, 0.5), percentile(times.alone, 0.5)];
  return [
    [`answer to a delivery, p50 of ${count}`, `${ms(with50)}, without a queue ${ms(without50)}`, '', true],
    [
      `answer to a delivery, p99 of ${count}`,
      `${ms(with99)}, without a queue ${ms(without99)}`,
      `at most ${MOST_MORE_MS} ms more`,
      with99 <= without99 + MOST_MORE_MS
    ]
  ];
}

/** @returns milliseconds; @throws Error when it is refused */
function answerTime(agent: Agent, port: number, id: string): Promise<number> {
  const { body, headers } = signedDelivery(holdEvent(id), KEY);
  const begun = performance.now();
  return new Promise((resolve, reject) => {
    request({ port, path: '/telnyx', host: '127.0.0.1', method: 'POST', headers, agent }, (response) => {
      response.resume();
      response.on('end', () => {
        if (response.statusCode === 200) resolve(performance.now() - begun);
        else reject(new Error(`A delivery was answered with ${response.statusCode}.`));
      });
    })
      .on('error', reject)
      .end(body);
  });
}

function percentile(values: readonly number[], part: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? NaN;
}

function ms(value: number): string {
  return `${value.toFixed(1)} ms`;
}
