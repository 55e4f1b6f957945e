import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { JobItem } from '../../../src/archive/queue/job';
import { StateDatabase } from '../../../src/state/state-database';
import { recordingAt } from './archive-fixture';

/** A state database in its own directory, with a clock that the test sets. */
export class StateFixture {
  readonly directory = mkdtempSync(path.join(tmpdir(), 'telnyx-state-'));
  database = this.#open();
  /** How often changes went to disk, counted before and after each time. */
  guarded = 0;
  time = Date.UTC(2026, 2, 4, 10, 0, 0);

  readonly now = (): number => this.time;

  /** As after a restart: a new database object on the same directory. */
  async reopen(): Promise<void> {
    await this.database.close();
    this.database = this.#open();
  }

  #open(): StateDatabase {
    return new StateDatabase(this.directory, { guard: () => (this.guarded += 1) });
  }

  async remove(): Promise<void> {
    await this.database.close();
    rmSync(this.directory, { recursive: true });
  }
}

/** A job for a recording of this name. */
export function jobFor(name: string): JobItem {
  const reference = recordingAt(`https://media.example.com/${name}.wav?X-Amz-Signature=geheim`);
  reference.identity = `telnyx:${name}`;
  reference.details.recording_id = name;
  return { reference, format: 'any' };
}
