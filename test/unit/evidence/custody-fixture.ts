import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CUSTODY_DIRECTORY, Custody, type CustodyOptions } from '../../../src/evidence/custody/custody';
import type { CustodyEntry } from '../../../src/evidence/custody/custody-line';

export const DAY_MS = 24 * 60 * 60 * 1000;

/** A custody log in a directory of its own, by a clock that the test sets. */
export class CustodyFixture {
  readonly state = mkdtempSync(path.join(tmpdir(), 'evidence-'));
  readonly directory = path.join(this.state, CUSTODY_DIRECTORY);
  readonly told: string[] = [];
  now = Date.UTC(2026, 10, 30, 12);
  custody: Custody | null = null;

  async open(options: Partial<CustodyOptions> = {}): Promise<Custody> {
    this.custody = await Custody.open({
      state: this.state,
      instance: 'a'.repeat(32),
      log: (text) => this.told.push(text),
      now: () => this.now,
      elapsed: () => this.now,
      ...options
    });
    return this.custody;
  }

  /** Three days with a few lines each; the last day is not signed. */
  async threeDays(entries: readonly CustodyEntry[] = [stored(1), stored(2), stored(3)]): Promise<void> {
    const custody = this.custody ?? (await this.open());
    for (let day = 0; day < 3; day += 1) {
      for (const entry of entries) await custody.append(entry);
      if (day < 2) this.now += DAY_MS;
      await custody.daily();
    }
  }

  /** The names of the files of the directory that end with something, in their order. */
  files(end = ''): string[] {
    return readdirSync(this.directory)
      .filter((name) => name.endsWith(end))
      .sort();
  }

  path(name: string): string {
    return path.join(this.directory, name);
  }

  lines(name: string): string[] {
    return readFileSync(this.path(name), 'utf8').trimEnd().split('\n');
  }

  write(name: string, lines: readonly string[]): void {
    writeFileSync(this.path(name), `${lines.join('\n')}\n`);
  }

  async end(): Promise<void> {
    await this.custody?.close().catch(() => undefined);
    rmSync(this.state, { recursive: true, force: true });
  }
}

export function stored(number: number): CustodyEntry {
  return {
    event: 'stored',
    recording: `9d1bd6a2-7f2b-4d1c-8f0a-${String(number).padStart(12, '0')}`,
    sha256: String(number % 10).repeat(64),
    actor: 'node:1'
  };
}
