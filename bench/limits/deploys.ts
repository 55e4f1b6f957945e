import { NodeRedProcess } from '../../test/support/node-red-process';
import { RedisServer } from '../../test/support/redis-server';
import { TcpRelay } from '../../test/support/tcp-relay';
import type { Proof } from '../runs/proofs';
import { flowOf } from './flow';

const ROUNDS = 5;
const LIMIT_S = 2;

/** How long a deploy of everything takes while Redis is away, in the ways in which it can be. */
export async function deploys(): Promise<Proof[]> {
  const redis = await RedisServer.startOutside();
  const way = await TcpRelay.start(redis.port);
  const flow = flowOf(way.port);
  const nodeRed = await NodeRedProcess.start({ flow });
  try {
    await nodeRed.waitForLog(/Redis \(.*\) answers/);
    const longest = async (before: () => Promise<void> | void): Promise<number> => {
      let most = 0;
      for (let round = 0; round < ROUNDS; round += 1) {
        await before();
        const begun = performance.now();
        await nodeRed.deploy(flow);
        most = Math.max(most, (performance.now() - begun) / 1000);
      }
      return most;
    };
    const connected = async (): Promise<void> => {
      const from = nodeRed.log.length;
      way.mend();
      await nodeRed.deploy(flow);
      await nodeRed.waitForLog(/Redis \(.*\) answers/, { from });
    };
    const present = await longest(() => undefined);
    const silent = await longest(async () => {
      await connected();
      way.silence();
    });
    await connected();
    way.cut();
    const refused = await longest(() => undefined);
    const proof = (what: string, seconds: number): Proof => [
      what,
      `${seconds.toFixed(2)} s`,
      `at most ${LIMIT_S} s`,
      seconds <= LIMIT_S
    ];
    return [
      ['deploy with Redis there', `${present.toFixed(2)} s`, '', true],
      proof('deploy while nothing listens there', refused),
      proof('deploy just after Redis fell silent', silent)
    ];
  } finally {
    await nodeRed.stop();
    await way.close();
    await redis.close();
  }
}
