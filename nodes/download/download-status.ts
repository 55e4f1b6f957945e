import type { Retrying } from '../../src/archive/queue/jobs';
import type { CodedError } from '../../src/errors/coded-error';
import type { ProgressSummary } from '../../src/archive/archive-progress';
import type { NodeStatus, Say } from '../lib/node-status';
import type { ClusterView } from './cluster-watch';

/** The state that a download node shows. */
export interface DownloadState {
  progress: ProgressSummary;
  retrying: Retrying;
  /** The latest failure that was not followed by a success, or null. */
  failure: Pick<CodedError, 'code' | 'trouble'> | null;
  /** Null: the node works alone, or has not looked at the others yet. */
  cluster: ClusterView | null;
}

/** Codes of what was given up after retries; there, the trouble is more informative. */
const GIVEN_UP: ReadonlySet<string> = new Set(['GAVE_UP', 'REPEATED_CRASH']);
/** Seconds from which a wait is shown in minutes. */
const LONG_WAIT_S = 100;
/** Machines that are named in a status. */
const MOST_HOSTS = 2;

/**
 * Shows what a download node is doing: `2 active · 41% of 29 MB · 3 waiting`, `12 stored`, why it waits, as in
 * `retry 3/8 in 40 s: bucket unreachable`, or why the latest recording was given up. With others that
 * share the work: `2 here · 5 in 3 instances · 120 waiting`, and whose settings or folder are others.
 */
export function showDownloads(
  status: Pick<NodeStatus, 'working' | 'waiting' | 'problem' | 'ready' | 'off'>,
  say: Say,
  { progress, retrying, failure, cluster }: DownloadState
): void {
  const { active, stored } = progress;
  const others = cluster !== null && !cluster.isAway && cluster.instances > 1 ? cluster : null;
  const waiting = others?.waiting ?? progress.waiting;
  const isWorking = others === null ? active > 0 : others.here + others.running > 0;
  const waits = (): string[] => {
    // Arriving bytes are more informative than the reason why they were late.
    if (retrying.next === null || (active > 0 && retrying.next.dueInMs <= 0))
      return waitingText(say, waiting);
    return [...retryTexts(say, retrying, retrying.next), ...waitingText(say, waiting - retrying.count)];
  };
  const works = (): string[] =>
    others === null
      ? [say('active', { active }), amount(say, progress)]
      : [
          say('here', { here: others.here }),
          say('in-instances', { running: others.running, instances: others.instances })
        ];
  const doing = (): string[] => {
    if (isWorking) return [...works(), ...waits()];
    return waiting > 0 || retrying.next !== null ? waits() : [];
  };
  // Another process has taken over what was under way.
  if (failure?.code === 'STATE_IN_USE') status.problem(() => failureText(say, failure));
  else if (cluster?.folder?.kind === 'apart') {
    const { hosts } = cluster.folder;
    status.problem(() => [say('folder-apart', { hosts: hostsText(hosts) }), ...doing()].join(' · '));
  } else if (cluster !== null && isChecking(cluster))
    status.waiting(() => [say('folder-looking'), ...doing()].join(' · '));
  else if (others !== null && others.differing.length > 0)
    status.waiting(() =>
      [say('settings-differ', { hosts: hostsText(others.differing) }), ...doing()].join(' · ')
    );
  else if (cluster?.isAway === true) status.waiting(() => [say('queue-away'), ...doing()].join(' · '));
  else if (isWorking) status.working(() => doing().join(' · '));
  else if (waiting > 0 || retrying.next !== null) status.waiting(() => doing().join(' · '));
  else if (failure !== null) status.problem(() => failureText(say, failure));
  else if (stored > 0) status.ready(() => say('stored', { stored }));
  else status.off();
}

/** Whether jobs wait until all instances are known to see one folder. */
function isChecking({ folder, isAway }: ClusterView): boolean {
  return folder?.kind === 'looking' || (folder?.kind === 'unheard' && !isAway);
}

/** A status has little room; the log names all. */
function hostsText(hosts: readonly string[]): string {
  return hosts.length > MOST_HOSTS ? `${hosts.slice(0, MOST_HOSTS).join(', ')}, …` : hosts.join(', ');
}

function retryTexts(
  say: Say,
  { count }: Retrying,
  { retry, dueInMs }: NonNullable<Retrying['next']>
): string[] {
  const { trouble, attempt, of } = retry;
  const text = say('retry', {
    attempt,
    of,
    wait: waitText(say, dueInMs),
    trouble: say(`trouble.${trouble}`)
  });
  return count > 1 ? [text, say('retrying', { retrying: count })] : [text];
}

function waitText(say: Say, ms: number): string {
  if (ms <= 0) return say('now');
  const seconds = Math.ceil(ms / 1000);
  return seconds < LONG_WAIT_S
    ? say('seconds', { seconds })
    : say('minutes', { minutes: Math.ceil(seconds / 60) });
}

function waitingText(say: Say, waiting: number): string[] {
  return waiting > 0 ? [say('waiting', { waiting })] : [];
}

function failureText(say: Say, { code, trouble }: NonNullable<DownloadState['failure']>): string {
  return GIVEN_UP.has(code)
    ? say('gave-up', { trouble: say(`trouble.${trouble}`) })
    : say('failed', { code });
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
