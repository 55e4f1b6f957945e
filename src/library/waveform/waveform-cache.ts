import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { asFields } from '../../values/fields';
import type { Peaks } from './wav-peaks';

/** Waveforms that are kept, of some 10 kB each. */
const MOST = 2000;

/**
 * Waveforms in files of a folder, by the SHA-256 of their recordings. They can be computed again, so no fault of the
 * disk matters.
 */
export class WaveformCache {
  readonly #folder: string;
  readonly #most: number;

  /** @param folder absolute; created when it is needed */
  constructor(folder: string, most = MOST) {
    this.#folder = folder;
    this.#most = most;
  }

  /** @param sha256 hex. Never rejects */
  async get(sha256: string): Promise<Peaks | null> {
    try {
      return readPeaks(JSON.parse(await readFile(this.#file(sha256), 'utf8')));
    } catch {
      return null;
    }
  }

  /** @param sha256 hex. Never rejects */
  async put(sha256: string, peaks: Peaks): Promise<void> {
    const draft = `${this.#file(sha256)}.${process.pid}`;
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await this.#makeRoom();
      await writeFile(draft, JSON.stringify(peaks), { mode: 0o600 });
      await rename(draft, this.#file(sha256));
    } catch {
      await rm(draft, { force: true }).catch(() => undefined);
    }
  }

  async #makeRoom(): Promise<void> {
    const names = await readdir(this.#folder);
    if (names.length < this.#most) return;
    const ages = await Promise.all(
      names.map(async (name) => ({ name, at: (await stat(path.join(this.#folder, name))).mtimeMs }))
    );
    ages.sort((one, other) => one.at - other.at);
    // A tenth at once, so that the folder is not read for every file.
    const old = ages.slice(0, names.length - this.#most + Math.ceil(this.#most / 10));
    await Promise.all(old.map(({ name }) => rm(path.join(this.#folder, name), { force: true })));
  }

  #file(sha256: string): string {
    return path.join(this.#folder, `${sha256}.json`);
  }
}

function readPeaks(value: unknown): Peaks | null {
  const fields = asFields(value);
  const { channels, duration } = fields ?? {};
  const isList = (list: unknown): list is number[] =>
    Array.isArray(list) && list.every((peak) => typeof peak === 'number');
  if (!Array.isArray(channels) || !channels.every(isList) || typeof duration !== 'number') return null;
  return { channels, duration };
}
