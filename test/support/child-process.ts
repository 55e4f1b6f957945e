import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { type Deadline, until } from './until';

const LIFETIME = path.join(__dirname, 'child-lifetime.cjs');
const running = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface ChildOptions {
  cwd?: string;
  env?: Record<string, string>;
  /** Options for node itself, such as `--max-old-space-size=64`. */
  nodeArgs?: string[];
  /** The binary of Node.js. Default: the one that runs the tests. */
  node?: string;
}

/** A Node.js program under test, with its output as text and a guaranteed end. */
export class Child {
  #output = '';
  #exit: { code: number | null; signal: NodeJS.Signals | null } | undefined;
  readonly #child: ChildProcess;

  constructor(program: string, args: string[], options: ChildOptions = {}) {
    this.#child = spawn(
      options.node ?? process.execPath,
      [...(options.nodeArgs ?? []), '--require', LIFETIME, program, ...args],
      {
        cwd: options.cwd,
        env: { ...inheritedEnvironment(), ...options.env },
        stdio: ['ignore', 'pipe', 'pipe', 'ipc']
      }
    );
    running.add(this.#child);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.#output += text));
    }
    this.#child.on('exit', (code, signal) => {
      running.delete(this.#child);
      this.#exit = { code, signal };
    });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('The process could not be started');
    return this.#child.pid;
  }

  /** Everything written to stdout and stderr so far. */
  get output(): string {
    return this.#output;
  }

  get alive(): boolean {
    return this.#exit === undefined;
  }

  get exitCode(): number | null {
    return this.#exit?.code ?? null;
  }

  /**
   * Waits for a text in the output.
   *
   * @param from offset in `output` at which to start looking
   * @throws Error with the output when the deadline passes or the process ends first
   */
  async waitForOutput(pattern: RegExp, { from = 0, deadline = 30_000 }: Deadline & { from?: number } = {}) {
    const look = () => {
      const match = pattern.exec(this.#output.slice(from));
      if (match) return match;
      if (!this.alive) throw new Error(`The process ended before it wrote ${String(pattern)}`);
      return undefined;
    };
    try {
      return await until(String(pattern), look, { deadline });
    } catch (error) {
      throw new Error(`${(error as Error).message}. It wrote:\n${this.#output.slice(from)}`, {
        cause: error
      });
    }
  }

  /** Sends a signal and waits for the end; kills when the process does not end within the deadline. */
  async end(signal: NodeJS.Signals = 'SIGTERM', deadline = 20_000): Promise<void> {
    if (!this.alive) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill(signal);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), deadline);
    await ended;
    clearTimeout(timer);
  }
}

/** The environment without variables that would change the program under test. */
function inheritedEnvironment(): NodeJS.ProcessEnv {
  const environment = { ...process.env };
  for (const name of Object.keys(environment)) {
    if (/^(TELNYX_|DAILY_|NODE_RED_|REDIS_URL$|NODE_OPTIONS$|PORT$)/.test(name)) {
      Reflect.deleteProperty(environment, name);
    }
  }
  return environment;
}
