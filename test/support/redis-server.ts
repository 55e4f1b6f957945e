import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from './free-port';
import { findProgram, requireProgram } from './real-parts';
import { until } from './until';

export interface RedisServerOptions {
  password?: string;
  /** Whether it keeps its data over a crash; `always` syncs each write. Default: it keeps nothing. */
  sync?: 'always' | 'everysec';
  /** More arguments of the program, such as `--maxmemory`, `100mb`. */
  more?: readonly string[];
}

const PROGRAMS = ['redis-server', 'valkey-server', '/usr/bin/redis-server'];
const running = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** A real Redis on a port of its own, with faults on demand. Skips the test where it is not installed. */
export class RedisServer {
  readonly #program: string;
  readonly #directory = mkdtempSync(path.join(tmpdir(), 'telnyx-redis-'));
  readonly #options: RedisServerOptions;
  #child: ChildProcess | undefined;

  private constructor(
    program: string,
    readonly port: number,
    options: RedisServerOptions
  ) {
    this.#program = program;
    this.#options = options;
  }

  static async start(context: Mocha.Context, options: RedisServerOptions = {}): Promise<RedisServer> {
    return await RedisServer.#started(requireProgram(context, ...PROGRAMS), options);
  }

  /**
   * The same outside a test.
   *
   * @throws Error when it is not installed
   */
  static async startOutside(options: RedisServerOptions = {}): Promise<RedisServer> {
    return await RedisServer.#started(findProgram(...PROGRAMS), options);
  }

  static async #started(program: string, options: RedisServerOptions): Promise<RedisServer> {
    const server = new RedisServer(program, await freePort(), options);
    await server.run();
    return server;
  }

  /** `redis://127.0.0.1:<port>`, without the password. */
  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it, at first or after `kill`; what it kept is there again. */
  async run(): Promise<void> {
    const { password, sync, more = [] } = this.#options;
    const child = spawn(
      this.#program,
      [
        ...['--port', String(this.port), '--bind', '127.0.0.1', '--dir', this.#directory, '--save', ''],
        ...(sync === undefined ? [] : ['--appendonly', 'yes', '--appendfsync', sync]),
        ...(password === undefined ? [] : ['--requirepass', password]),
        ...more
      ],
      { stdio: 'ignore' }
    );
    this.#child = child;
    running.add(child);
    child.once('exit', () => running.delete(child));
    await until('redis-server', async () => {
      if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}`);
      return (await this.#answer('PING').catch(() => '')).startsWith('+PONG');
    });
  }

  /** SIGKILL, as when its machine fails. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  /** It accepts connections, and answers nothing. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  /** All data are gone; connections stay. */
  async flush(): Promise<void> {
    await this.say('FLUSHALL');
  }

  /**
   * Sends a command on a connection of its own.
   *
   * @param command one line, as in `redis-cli`; arguments cannot hold blanks
   * @returns the answer as it is on the wire (RESP)
   * @throws Error when Redis answers with an error
   */
  async say(command: string): Promise<string> {
    const answer = await this.#answer(command);
    if (answer.startsWith('-')) throw new Error(answer.trim());
    return answer;
  }

  /** Bytes that Redis uses for its data and its own work (`used_memory`). */
  async memory(): Promise<number> {
    const [, bytes] = /^used_memory:(\d+)/m.exec(await this.say('INFO memory')) ?? [];
    return Number(bytes);
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true });
  }

  async #answer(command: string): Promise<string> {
    const { password } = this.#options;
    const socket = connect(this.port, '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.write(`${password === undefined ? '' : `AUTH ${password}\r\n`}${command}\r\nQUIT\r\n`);
    // Rejects when there is no connection. QUIT makes Redis end it after the answers.
    await once(socket, 'close');
    const whole = Buffer.concat(chunks).toString();
    const answer = password === undefined ? whole : whole.slice(whole.indexOf('\r\n') + 2);
    return answer.endsWith('+OK\r\n') ? answer.slice(0, -'+OK\r\n'.length) : answer;
  }
}
