import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { NodeRedProcess } from './node-red-process';
import { until } from './until';

const FILE = 'event-loop.json';

/** Options of a Node-RED whose event loop is watched. @param directory for the output of the probe */
export function watchedEventLoop(directory: string): { nodeArgs: string[]; env: Record<string, string> } {
  return {
    nodeArgs: ['--require', path.join(__dirname, 'event-loop-probe.cjs')],
    env: { EVENT_LOOP_FILE: path.join(directory, FILE) }
  };
}

/** The longest time that the event loop was blocked since the last call, in milliseconds. */
export async function longestStall(nodeRed: NodeRedProcess, directory: string): Promise<number> {
  const file = path.join(directory, FILE);
  const told = (): { asked: number; longest: number } =>
    existsSync(file)
      ? (JSON.parse(readFileSync(file, 'utf8')) as { asked: number; longest: number })
      : { asked: 0, longest: 0 };
  const before = told().asked;
  process.kill(nodeRed.pid, 'SIGCONT');
  return until(
    'the time of the longest stall',
    () => {
      const { asked, longest } = told();
      return asked === before ? undefined : longest;
    },
    { deadline: 60_000 }
  );
}
