import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from './free-port';
import { requireProgram } from './real-parts';
import { until } from './until';

/** Debian's tinyproxy, a real HTTP proxy, on a port of its own. Skips the test when it is not installed. */
export class TinyProxy {
  readonly #program: string;
  readonly #directory = mkdtempSync(path.join(tmpdir(), 'telnyx-proxy-'));
  #child: ChildProcess | undefined;
  #log = '';

  private constructor(
    program: string,
    readonly port: number
  ) {
    this.#program = program;
  }

  /** @param login `user` and `password` that it demands; none: it serves this machine */
  static async start(context: Mocha.Context, login?: { user: string; password: string }): Promise<TinyProxy> {
    const program = requireProgram(context, 'tinyproxy', '/usr/bin/tinyproxy', '/usr/sbin/tinyproxy');
    const proxy = new TinyProxy(program, await freePort());
    const lines = [
      `Port ${proxy.port}`,
      'Listen 127.0.0.1',
      'Allow 127.0.0.1',
      'Timeout 60',
      'LogLevel Connect',
      ...(login === undefined ? [] : [`BasicAuth ${login.user} ${login.password}`])
    ];
    writeFileSync(proxy.#configuration, `${lines.join('\n')}\n`);
    await proxy.run();
    return proxy;
  }

  /** `http://127.0.0.1:<port>` */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** What it was asked for: `CONNECT 192.0.2.1:443`, `GET http://…` without the query. */
  get requests(): string[] {
    return [...this.#log.matchAll(/: (CONNECT|GET|PUT|POST|HEAD|DELETE) ([^ ?]+)/g)].map(
      ([, method = '', target = '']) => `${method} ${target}`
    );
  }

  /** Starts it, at first or after `kill`. */
  async run(): Promise<void> {
    const child = spawn(this.#program, ['-d', '-c', this.#configuration], {
      stdio: ['ignore', 'pipe', 'pipe']
    });
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (this.#log += text));
    await until('tinyproxy', () => this.#answers());
  }

  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  async close(): Promise<void> {
    await this.kill();
    rmSync(this.#directory, { recursive: true });
  }

  get #configuration(): string {
    return path.join(this.#directory, 'tinyproxy.conf');
  }

  #answers(): Promise<true | undefined> {
    return new Promise((resolve) => {
      const socket = connect(this.port, '127.0.0.1');
      socket.once('connect', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(undefined));
    });
  }
}
