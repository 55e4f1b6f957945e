import type { ProgressSummary } from '../../src/archive/archive-progress';
import type { NodeStatus } from './node-status';

/** Translates a key below `<type>.status.`. */
export type Say = (key: string, values?: Record<string, string | number>) => string;

/**
 * Shows what a download node is doing: `2 active · 41% of 29 MB · 3 waiting`, `12 stored`, or why the
 * latest recording was given up.
 *
 * @param failure code of the latest failure that no success has followed, or null
 */
export function showDownloads(
  status: Pick<NodeStatus, 'working' | 'waiting' | 'problem' | 'ready' | 'off'>,
  say: Say,
  progress: ProgressSummary,
  failure: string | null
): void {
  const { active, waiting, stored } = progress;
  if (active > 0) {
    status.working(() => {
      const parts = [say('active', { active }), amount(say, progress)];
      if (waiting > 0) parts.push(say('waiting', { waiting }));
      return parts.join(' · ');
    });
  } else if (waiting > 0) status.waiting(() => say('waiting', { waiting }));
  else if (failure !== null) status.problem(() => say('failed', { code: failure }));
  else if (stored > 0) status.ready(() => say('stored', { stored }));
  else status.off();
}

function amount(say: Say, { received, total }: ProgressSummary): string {
  if (total === null || total === 0) return bytesText(received);
  return say('percent', { percent: Math.floor((100 * received) / total), total: bytesText(total) });
}

/** Decimal units, as disks and browsers count. */
function bytesText(bytes: number): string {
  const unit = [
    { size: 1e9, name: 'GB' },
    { size: 1e6, name: 'MB' },
    { size: 1e3, name: 'kB' }
  ].find(({ size }) => bytes >= size);
  if (unit === undefined) return `${bytes} B`;
  const count = bytes / unit.size;
  return `${count < 10 ? count.toFixed(1) : Math.round(count)} ${unit.name}`;
}
