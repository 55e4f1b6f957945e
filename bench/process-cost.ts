import { readFileSync, writeFileSync } from 'node:fs';

/** Milliseconds of processor time used so far by a process; NaN without /proc. */
export function processorTime(pid: number): number {
  try {
    const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
    const [user, system] = fields.split(' ').slice(11, 13).map(Number);
    return ((user ?? NaN) + (system ?? NaN)) * 10;
  } catch {
    return NaN;
  }
}

/** The resident memory of a process according to the kernel, in bytes. Linux only. */
export class ResidentMemory {
  private constructor(
    private readonly pid: number,
    /** At the start of the measurement. */
    readonly before: number
  ) {}

  /** @returns undefined where the kernel does not report it */
  static watch(pid: number): ResidentMemory | undefined {
    try {
      // Resets the peak.
      writeFileSync(`/proc/${pid}/clear_refs`, '5');
      return new ResidentMemory(pid, bytesOf(pid, 'VmRSS'));
    } catch {
      return undefined;
    }
  }

  /** The peak since then, as recorded by the kernel rather than sampled. */
  peak(): number {
    return bytesOf(this.pid, 'VmHWM');
  }
}

function bytesOf(pid: number, field: string): number {
  const found = new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (found === null) throw new Error(`The kernel does not report the ${field} of a process.`);
  return Number(found[1]) * 1024;
}
