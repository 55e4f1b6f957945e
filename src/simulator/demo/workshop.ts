import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { NodeRedChild, type NodeRedOptions } from './node-red-child';

/** Something that is started, and stopped at the end. */
interface Startable {
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Owns what a run has started and made, and cleans it up, even when this process ends abruptly. */
export class Workshop {
  #nodeRed: NodeRedChild | undefined;
  readonly #standIns: Startable[] = [];
  #temporary: string | undefined;
  readonly #atExit = () => {
    this.#nodeRed?.kill();
    this.#removeFolder();
  };

  constructor() {
    process.once('exit', this.#atExit);
  }

  /** A new folder that is deleted at the end, unless it is kept. */
  temporaryFolder(keep: boolean): string {
    const folder = mkdtempSync(path.join(tmpdir(), 'telnyx-npm-start-'));
    if (!keep) this.#temporary = folder;
    return folder;
  }

  startNodeRed(options: NodeRedOptions): NodeRedChild {
    this.#nodeRed = new NodeRedChild(options);
    return this.#nodeRed;
  }

  async start(standIn: Startable): Promise<void> {
    this.#standIns.push(standIn);
    await standIn.start();
  }

  async clear(): Promise<void> {
    await this.#nodeRed?.stop();
    for (const standIn of this.#standIns) await standIn.stop();
    this.#removeFolder();
    process.removeListener('exit', this.#atExit);
  }

  #removeFolder(): void {
    if (this.#temporary !== undefined) rmSync(this.#temporary, { recursive: true, force: true });
  }
}
