import { type Effects, NO_EFFECTS } from '../effects';
import type { LocalFacts } from '../index/local-facts';
import type { Job } from './job';

/**
 * What to note when a job is struck off because its download node is gone: its recordings were given up. Those that are in the
 * archive were not: another Node-RED that has the node may have run the job.
 *
 * @param at milliseconds since 1970
 */
export function effectsOfOrphan(
  node: string,
  { items }: Pick<Job, 'items'>,
  { recordings }: Pick<LocalFacts, 'recordings'>,
  at: number
): Effects {
  const givenUp = items
    .filter(({ reference: { identity } }) => recordings.find(identity).length === 0)
    .map(({ reference: { identity, details } }) => ({
      ...{ node, identity, details, at, attempts: 0, code: 'GAVE_UP' },
      message: 'The download node was deleted or disabled before the recording was stored.'
    }));
  return { ...NO_EFFECTS, givenUp };
}
