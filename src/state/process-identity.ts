import { createHash, randomBytes } from 'node:crypto';
import { linkSync, readFileSync, readlinkSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, uptime } from 'node:os';
import path from 'node:path';
import { makePrivateDirectory } from './private-directory';

/** Names one process among all that may ever have used a directory, on this machine or on another. */
export interface ProcessIdentity {
  /** 32 hex digits: the installation that the process belongs to; see `instanceId`. */
  instance: string;
  /** The start of the kernel that it runs on. */
  boot: string;
  /** The namespace of its number: containers on one kernel have their own. Empty when unknown. */
  pidNamespace: string;
  pid: number;
  /** Its start, in a unit of its platform; distinguishes it from a later process with the same number. */
  start: string;
  /** 16 random hex digits. */
  token: string;
}

/** What is asked of the operating system. */
export interface ProcessTable {
  readonly platform: NodeJS.Platform;
  readonly pid: number;
  readonly host: string;
  /** Milliseconds since 1970. */
  readonly bootedAt: number;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** The text of a file below `/proc`, or null. */
  read(file: string): string | null;
  /** Where a link below `/proc` points to, or null. */
  link(file: string): string | null;
  /** Whether there is a process with that number, even one of another user. */
  exists(pid: number): boolean;
}

const TOKEN = randomBytes(8).toString('hex');

/** Seconds by which two readings of a boot time may differ where it is computed from clocks. */
const BOOT_TOLERANCE = 60;

export const systemProcesses: ProcessTable = {
  platform: process.platform,
  pid: process.pid,
  get host() {
    return hostname();
  },
  get bootedAt() {
    return Date.now() - uptime() * 1000;
  },
  startedAt: Math.round(performance.timeOrigin),
  read: (file) => orNull(() => readFileSync(file, 'latin1')),
  link: (file) => orNull(() => readlinkSync(file)),
  exists: (pid) => {
    try {
      return process.kill(pid, 0);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code !== 'ESRCH';
    }
  }
};

/** The identity of this process; the same at every call. @param instance 32 hex digits */
export function processIdentity(
  instance: string,
  table: ProcessTable = systemProcesses,
  token: string = TOKEN
): ProcessIdentity {
  const { pid } = table;
  const entry = entryOf(pid, table);
  return {
    instance,
    boot: bootOf(table),
    // Where /proc belongs to another container, its numbers are not ours.
    pidNamespace: entry === null || !isOwnProc(table) ? '' : namespaceOf(table),
    pid,
    start: entry?.start ?? String(table.startedAt),
    token
  };
}

/**
 * Whether a process has certainly ended. False when that cannot be known from here: on another machine, in
 * another container, hidden by the system, or stopped by a signal and able to resume.
 */
export function isProvablyDead(identity: ProcessIdentity, table: ProcessTable = systemProcesses): boolean {
  const own = processIdentity(identity.instance, table);
  if (!isSameBoot(own.boot, identity.boot) || own.pidNamespace !== identity.pidNamespace) return false;
  if (table.platform === 'linux') {
    // Two containers may both have an unknown namespace.
    if (own.pidNamespace === '') return false;
    const entry = entryOf(identity.pid, table);
    if (entry !== null) return entry.start !== identity.start || entry.hasEnded;
  }
  // Also on Linux: /proc may hide the processes of other users.
  return !table.exists(identity.pid);
}

/** Whether a process certainly exists, running or stopped. False when that is unknown here. */
export function isProvablyAlive(identity: ProcessIdentity, table: ProcessTable = systemProcesses): boolean {
  const own = processIdentity(identity.instance, table);
  if (own.pidNamespace === '' || own.pidNamespace !== identity.pidNamespace || own.boot !== identity.boot)
    return false;
  const entry = entryOf(identity.pid, table);
  return entry !== null && entry.start === identity.start && !entry.hasEnded;
}

/** Whether the process ran before a restart of this machine, or on another machine. */
export function isOfAnotherBoot({ boot }: ProcessIdentity, table: ProcessTable = systemProcesses): boolean {
  return !isSameBoot(bootOf(table), boot);
}

/** Fit for a file name everywhere: lower-case letters, digits, dots; at most 140 characters. */
export function identityText(identity: ProcessIdentity): string {
  const { instance, boot, pidNamespace, pid, start, token } = identity;
  return [instance, boot, pidNamespace === '' ? 'none' : pidNamespace, pid, start, token].join('.');
}

const TEXT =
  /^([0-9a-f]{32})\.(b[0-9a-f]{16}|h[0-9a-f]{16}t\d{1,12})\.(\d{1,20}|none)\.(\d{1,10})\.(\d{1,20})\.([0-9a-f]{16})$/;

/** @returns null for text that `identityText` did not make */
export function readIdentity(text: string): ProcessIdentity | null {
  const match = TEXT.exec(text);
  if (match === null) return null;
  const [, instance = '', boot = '', namespace = '', pid = '', start = '', token = ''] = match;
  return {
    instance,
    boot,
    pidNamespace: namespace === 'none' ? '' : namespace,
    pid: Number(pid),
    start,
    token
  };
}

/** Tells this run of the kernel from all others; null where the system has no such name. */
export function kernelBoot(table: ProcessTable = systemProcesses): string | null {
  const id = table.read('/proc/sys/kernel/random/boot_id')?.trim();
  return id === undefined || id === '' ? null : `b${shortHash(id)}`;
}

function bootOf(table: ProcessTable): string {
  const id = kernelBoot(table);
  if (id !== null) return id;
  return `h${shortHash(table.host)}t${Math.max(0, Math.round(table.bootedAt / 1000))}`;
}

function isSameBoot(one: string, other: string): boolean {
  if (one === other) return true;
  const [host, since] = one.split('t');
  const [otherHost, otherSince] = other.split('t');
  if (since === undefined || otherSince === undefined || host !== otherHost) return false;
  return Math.abs(Number(since) - Number(otherSince)) <= BOOT_TOLERANCE;
}

function isOwnProc(table: ProcessTable): boolean {
  return table.read('/proc/self/stat')?.startsWith(`${table.pid} `) === true;
}

/** The digits of `pid:[4026531836]`. */
function namespaceOf(table: ProcessTable): string {
  return /^pid:\[(\d{1,20})\]$/.exec(table.link('/proc/self/ns/pid') ?? '')?.[1] ?? '';
}

/** Positions in /proc/<pid>/stat after the name (proc(5): fields 3, 20 and 22). */
const STATE = 0;

const THREADS = 17;

const START = 19;

function entryOf(pid: number, table: ProcessTable): { start: string; hasEnded: boolean } | null {
  if (table.platform !== 'linux') return null;
  const text = table.read(`/proc/${pid}/stat`);
  if (text === null) return null;
  // The name of a program may hold blanks and brackets.
  const fields = text
    .slice(text.lastIndexOf(')') + 1)
    .trim()
    .split(' ');
  const start = fields[START];
  if (start === undefined || !/^\d{1,20}$/.test(start)) return null;
  // Killed and not collected by its parent. While it has threads, one of them may still be writing.
  const hasEnded = /^[ZXx]$/.test(fields[STATE] ?? '') && Number(fields[THREADS]) <= 1;
  return { start, hasEnded };
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

function orNull<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}

const FILE = 'instance';

/**
 * The name of this installation: created once and kept beside the state, so that files of its processes
 * elsewhere can be distinguished from those of others.
 *
 * @param directory of the state; created when missing
 * @param id its known name, when the file may have been removed
 * @returns 32 hex digits
 * @throws an error of the file system when the name can be neither read nor kept
 */
export function instanceId(directory: string, id?: string): string {
  const file = path.join(directory, FILE);
  makePrivateDirectory(directory);
  return readId(file) ?? keepId(file, id ?? randomBytes(16).toString('hex'));
}

function readId(file: string): string | null {
  try {
    return /^([0-9a-f]{32})\n?$/.exec(readFileSync(file, 'latin1'))?.[1] ?? null;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

function keepId(file: string, id: string): string {
  const draft = `${file}-${id}`;
  try {
    writeFileSync(draft, `${id}\n`, { flush: true, flag: 'wx', mode: 0o600 });
    return claim(draft, file, id);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Complete from the moment it has its name; if two processes begin together, both use the id of one. */
function claim(draft: string, file: string, id: string): string {
  try {
    linkSync(draft, file);
    return id;
  } catch (error) {
    const known = readId(file);
    if (known !== null) return known;
    const { code } = error as NodeJS.ErrnoException;
    // A power cut has left an empty one, or the file system has no hard links.
    if (code !== 'EEXIST' && code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS') throw error;
    renameSync(draft, file);
    return readId(file) ?? id;
  }
}
