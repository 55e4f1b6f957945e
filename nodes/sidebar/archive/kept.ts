import type { Hold } from '../../../src/evidence/deletion/holds';
import type { StoredRecording } from '../../../src/store/stored-recording';

/** What a row of the list tells of how long a file is kept. */
export function keptOf(
  { retention, lock }: Pick<StoredRecording, 'retention' | 'lock'>,
  cases: readonly Hold[]
): object {
  return {
    policy: retention?.policy?.name ?? null,
    keepUntil: retention?.retain_until ?? null,
    deleteAfter: retention?.delete_after ?? null,
    lockedUntil: lock?.until ?? null,
    lockMode: lock?.mode ?? null,
    cases: cases.map(({ id }) => id)
  };
}
