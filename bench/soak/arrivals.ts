import { createHash } from 'node:crypto';
import { createReadStream, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { LineFile } from '../runs/line-file';
import { DELIVERED, FAILED, STORED } from './flow';

interface Line {
  at: string;
  id: string;
}

/** What the flow got and what it stored, followed while a run goes on. */
export class Arrivals {
  /** How often each delivery came to the flow. */
  readonly delivered = new Map<string, number>();
  /** How often the download node sent a message for each recording. */
  readonly stored = new Map<string, number>();
  /** Recordings whose file is what its sidecar and its link say. */
  readonly proved = new Set<string>();
  readonly problems: string[] = [];
  readonly #lines: LineFile<Line>;
  #failed = 0;

  /**
   * @param file the probe's
   * @param archive the folder of the recordings
   * @param sizes those of the announced recordings, in bytes
   */
  constructor(
    file: string,
    private readonly archive: string,
    private readonly sizes: ReadonlyMap<string, number>
  ) {
    this.#lines = new LineFile(file);
  }

  get failed(): number {
    return this.#failed;
  }

  /** Reads what was written since the last call. */
  read(): void {
    for (const { at, id } of this.#lines.added()) {
      if (at === FAILED) this.#failed += 1;
      const times = at === DELIVERED ? this.delivered : at === STORED ? this.stored : undefined;
      times?.set(id, (times.get(id) ?? 0) + 1);
    }
  }

  /**
   * Checks each new file of the archive and removes it, so that the disk holds a run of any length. A recording's file
   * has its own id in it.
   */
  async proveFiles(): Promise<void> {
    const sidecars = readdirSync(this.archive, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.wav.json')
    );
    for (const name of sidecars) await this.#prove(path.join(this.archive, name));
  }

  async #prove(sidecarFile: string): Promise<void> {
    const sidecar = JSON.parse(readFileSync(sidecarFile, 'utf8')) as Record<string, unknown>;
    const id = String(sidecar['recording_id']);
    // The sidecar is older than the message, and the flow still has to get that one.
    if (!this.stored.has(id) || !this.sizes.has(id)) return;
    const file = sidecarFile.slice(0, -'.json'.length);
    const hash = createHash('sha256');
    let size = 0;
    const head: Buffer[] = [];
    await pipeline(createReadStream(file), async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        if (size === 0) head.push(chunk);
        size += chunk.length;
        hash.update(chunk);
      }
    });
    const isOwn = head[0]?.includes(id) ?? false;
    if (!isOwn || size !== this.sizes.get(id) || hash.digest('hex') !== sidecar['sha256'])
      this.problems.push(`${path.basename(file)} is not what it says`);
    else if (this.proved.has(id))
      this.problems.push(`${path.basename(file)} is a second file of its recording`);
    else this.proved.add(id);
    rmSync(file);
    rmSync(sidecarFile);
  }
}
