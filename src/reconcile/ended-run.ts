import type { ListRun } from '../evidence/certificate/list-runs';
import type { RunSummary } from './reconcile';

type Told = Pick<ListRun, 'node' | 'provider' | 'account' | 'from' | 'to' | 'startedAt' | 'isWhole'>;

/**
 * What is kept of a run that has ended.
 *
 * @param told whose run it was, and its span; milliseconds since 1970
 */
export function listRunOf(summary: RunSummary, told: Told): ListRun {
  const { complete, errors, listed, stored, deleted, missing, not_ready, without_file, verify } = summary;
  return {
    ...told,
    endedAt: Date.parse(summary.ended_at ?? summary.started_at),
    complete,
    errors: [...new Set(errors.map(({ code }) => code))],
    ...{ listed, stored, deleted, missing, notReady: not_ready, withoutFile: without_file },
    verify: verify === undefined ? null : { ...verify }
  };
}
