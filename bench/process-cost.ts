import { readFileSync, writeFileSync } from 'node:fs';

/** Milliseconds of processor time that a process has used so far; NaN where there is no /proc. */
export function processorTime(pid: number): number {
  try {
    const [, fields = ''] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ');
    const [user, system] = fields.split(' ').slice(11, 13).map(Number);
    return ((user ?? NaN) + (system ?? NaN)) * 10;
  } catch {
    return NaN;
  }
}

/** What the kernel says of the resident memory of a process, in bytes. Linux only. */
export class ResidentMemory {
  private constructor(
    private readonly pid: number,
    /** When the watch began. */
    readonly before: number
  ) {}

  /** @returns undefined where the kernel does not tell */
  static watch(pid: number): ResidentMemory | undefined {
    try {
      // Forgets the peak so far.
      writeFileSync(`/proc/${pid}/clear_refs`, '5');
      return new ResidentMemory(pid, bytesOf(pid, 'VmRSS'));
    } catch {
      return undefined;
    }
  }

  /** The highest that it ever was since then: not sampled, the kernel keeps it. */
  peak(): number {
    return bytesOf(this.pid, 'VmHWM');
  }
}

function bytesOf(pid: number, field: string): number {
  const found = new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  if (found === null) throw new Error(`The kernel does not tell the ${field} of a process.`);
  return Number(found[1]) * 1024;
}
