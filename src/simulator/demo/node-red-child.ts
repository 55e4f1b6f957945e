import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { lastLines } from './program';

export interface NodeRedOptions {
  /** Path of Node-RED's red.js. */
  program: string;
  userDir: string;
  port: number;
  env: NodeJS.ProcessEnv;
}

const STARTED = /Started flows/;
const LISTENING = /Server now running at/;
const POLL_MS = 50;
const KILL_AFTER_MS = 15_000;

/** Node-RED as a child process that never outlives this one. */
export class NodeRedChild {
  readonly url: string;
  readonly #child: ChildProcess;
  #log = '';
  #ended = false;

  constructor({ program, userDir, port, env }: NodeRedOptions) {
    this.url = `http://127.0.0.1:${port}`;
    this.#child = spawn(
      process.execPath,
      [
        ...['--require', path.join(__dirname, 'end-with-parent.js')],
        ...[program, '--userDir', userDir, '--settings', path.join(userDir, 'settings.js')],
        ...['--port', String(port)]
      ],
      { cwd: userDir, env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] }
    );
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#log += text));
    }
    this.#child.once('exit', () => (this.#ended = true));
    this.#child.once('error', (error) => {
      this.#ended = true;
      this.#log += `${error.message}\n`;
    });
  }

  /** The end of what Node-RED logged. */
  logTail(lines = 25): string {
    return lastLines(this.#log, lines);
  }

  /**
   * Waits until the port listens and the flows run.
   *
   * @throws Error with the log when Node-RED ends first or the deadline passes
   */
  async started(deadlineMs: number, signal: AbortSignal): Promise<void> {
    const end = performance.now() + deadlineMs;
    while (!(STARTED.test(this.#log) && LISTENING.test(this.#log))) {
      if (this.#ended) throw new Error(`Node-RED ended while it started. It logged:\n${this.logTail()}`);
      if (performance.now() > end) {
        throw new Error(
          `Node-RED did not start within ${deadlineMs / 1000} s. It logged:\n${this.logTail()}`
        );
      }
      await wait(POLL_MS, undefined, { signal });
    }
  }

  /**
   * Resolves when Node-RED ends.
   *
   * @throws Error `AbortError` when the signal fires first
   */
  async ended(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (!this.#ended) await once(this.#child, 'exit', { signal });
  }

  /** Ends Node-RED cleanly, or by force when it takes too long. */
  async stop(): Promise<void> {
    if (this.#ended) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    const force = setTimeout(() => this.kill(), KILL_AFTER_MS);
    await exit;
    clearTimeout(force);
  }

  /** Kills Node-RED, for when this process is ending. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }
}
