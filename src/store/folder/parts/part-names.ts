import { join } from 'node:path';
import type { PartOwner } from './part-owner';

/** Hidden, beside the archive: on the same file system, so that a finished copy only needs a name. */
export const PARTIAL_DIRECTORY = '.telnyx-partial';

export const JOB_ID = /^[0-9a-zA-Z_-]{1,100}$/;

/** The names that one attempt has in the hidden directory. No other attempt, of whichever process, uses them. */
export interface PartPaths {
  /** Being written. After a power cut its content is not to be trusted. */
  part: string;
  /** Put aside by `suspend`, after a sync. The one name that the processes of an instance hand on. */
  held: string;
  /** See `publish-file.ts`. */
  claim: string;
  /** See `sidecar-ahead.ts`. */
  sidecar: string;
}

export type PartKind = keyof PartPaths;

export interface PartName {
  jobId: string;
  kind: PartKind;
  /** Null in the names of former versions, which told neither instance nor process. */
  instance: string | null;
  /** Null for what is `held`: nobody has it open. */
  process: string | null;
}

// Written out, because a pattern that is made at run time is seen by no lint rule.
const OWNED =
  /^([0-9a-zA-Z_-]{1,100})\.([0-9a-f]{16})(?:\.([0-9a-z.]{1,120})\.[0-9a-z]{1,8})?\.(part|held|claim|sidecar)$/;
const FORMER = /^([0-9a-zA-Z_-]{1,128})\.(part|held|claim|sidecar)$/;

let attempts = 0;

/** @returns new names at every call; `held` is the same for all attempts of a job */
export function partPaths(directory: string, jobId: string, { instance, process }: PartOwner): PartPaths {
  const path = join(directory, `${jobId}.${instance}`);
  const attempt = `${path}.${process}.${(attempts++).toString(36)}`;
  return {
    part: `${attempt}.part`,
    held: `${path}.held`,
    claim: `${attempt}.claim`,
    sidecar: `${attempt}.sidecar`
  };
}

/** @returns null for what this package has not named */
export function readPartName(name: string): PartName | null {
  const owned = OWNED.exec(name);
  if (owned !== null) {
    const [, jobId = '', instance = '', process, kind = ''] = owned;
    if ((kind === 'held') !== (process === undefined)) return null;
    return { jobId, kind: kind as PartKind, instance, process: process ?? null };
  }
  const former = FORMER.exec(name);
  if (former === null) return null;
  const [, jobId = '', kind = ''] = former;
  return { jobId, kind: kind as PartKind, instance: null, process: null };
}
