import { type ChildProcess, spawn } from 'node:child_process';

export interface SupervisedOptions {
  /** The working directory. */
  directory: string;
  /** How the program is ended. Default KILL. */
  signal?: 'KILL' | 'TERM';
  /** Default false: the directory stays. */
  removesDirectory?: boolean;
}

const groups = new Set<number>();

process.on('exit', () => {
  for (const group of groups) endGroup(group);
});

/**
 * Starts a program that is not one of Node.js. It ends with this process, even when that is killed, because the pipe to it
 * closes. This process does not wait for it.
 */
export function supervised(
  program: string,
  args: readonly string[],
  { directory, signal = 'KILL', removesDirectory = false }: SupervisedOptions
): ChildProcess {
  const after = removesDirectory ? '; rm -rf "$PWD"' : '';
  const script = `"$@" </dev/null & cat >/dev/null; kill -${signal} $!; wait $!${after}`;
  const child = spawn('sh', ['-c', script, 'sh', program, ...args], {
    cwd: directory,
    stdio: ['pipe', 'ignore', 'ignore'],
    // A separate process group, so that shell and program end together.
    detached: true
  });
  const { pid } = child;
  if (pid !== undefined) {
    groups.add(pid);
    child.on('exit', () => groups.delete(pid));
  }
  child.unref();
  (child.stdin as unknown as { unref(): void }).unref();
  return child;
}

/** Ends a supervised program with its processes at once. */
export function endSupervised({ pid }: ChildProcess): void {
  if (pid !== undefined && groups.delete(pid)) endGroup(pid);
}

function endGroup(group: number): void {
  try {
    process.kill(-group, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
