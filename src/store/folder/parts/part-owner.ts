import {
  identityText,
  isOfAnotherBoot,
  isProvablyAlive,
  isProvablyDead,
  processIdentity,
  type ProcessTable,
  readIdentity,
  systemProcesses
} from '../../../state/process-identity';

/**
 * What is known here of another process:
 * - `alive`: it runs on this machine, or is stopped and able to resume;
 * - `ended`: it ran since this machine was started and is gone, so all it wrote is in its files;
 * - `another-boot`: of another machine, or from before a restart of this one. It may still run, and what it
 *   wrote may never have reached the disk;
 * - `unknown`: it may still run, for example in another container of this machine.
 */
export type Fate = 'alive' | 'ended' | 'another-boot' | 'unknown';

/** The process that makes partial copies, as written in their names. */
export interface PartOwner {
  /** The installation, of which only one process may work at a time: 16 hex digits. */
  readonly instance: string;
  /** Lower-case letters, digits and dots. */
  readonly process: string;
  /** @param process text from a file name */
  fateOf(process: string): Fate;
}

/** Digits of an instance's id in a name: some disks limit names to 143 characters. */
const INSTANCE_DIGITS = 16;
const NO_INSTANCE = '0'.repeat(32);

/** @param instance 32 hex digits, from the state */
export function partOwner(instance: string, table: ProcessTable = systemProcesses): PartOwner {
  return {
    instance: instance.slice(0, INSTANCE_DIGITS),
    process: ownProcess(table),
    fateOf: (process) => fateOf(process, table)
  };
}

let thisProcess: string | undefined;

/** This process as written in names, whichever instance it belongs to. */
export function ownProcess(table: ProcessTable = systemProcesses): string {
  if (table !== systemProcesses) return withoutInstance(identityText(processIdentity(NO_INSTANCE, table)));
  return (thisProcess ??= withoutInstance(identityText(processIdentity(NO_INSTANCE))));
}

export function fateOf(process: string, table: ProcessTable = systemProcesses): Fate {
  const identity = readIdentity(`${NO_INSTANCE}.${process}`);
  if (identity === null) return 'unknown';
  if (isOfAnotherBoot(identity, table)) return 'another-boot';
  if (isProvablyAlive(identity, table)) return 'alive';
  return isProvablyDead(identity, table) ? 'ended' : 'unknown';
}

function withoutInstance(text: string): string {
  return text.slice(NO_INSTANCE.length + 1);
}
