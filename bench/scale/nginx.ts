import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '../../test/support/free-port';
import { findProgram } from '../../test/support/real-parts';
import { endSupervised, supervised } from '../../test/support/supervised';
import { until } from '../../test/support/until';

/** nginx in front of one or two receivers, with a port for each order in which it may ask them. */
export class Nginx {
  readonly #directory = mkdtempSync(path.join(tmpdir(), 'telnyx-nginx-'));
  #child: ChildProcess | undefined;

  /** @param ports by the route */
  private constructor(readonly ports: { any: number; first: number; second: number }) {
    process.on('exit', () => rmSync(this.#directory, { recursive: true, force: true }));
  }

  /**
   * @param receivers ports of the receivers
   * @throws Error when it is not installed
   */
  static async start(receivers: readonly number[]): Promise<Nginx> {
    const program = findProgram('nginx', '/usr/sbin/nginx');
    const nginx = new Nginx({ any: await freePort(), first: await freePort(), second: await freePort() });
    writeFileSync(path.join(nginx.#directory, 'nginx.conf'), configuration(receivers, nginx.ports));
    nginx.#child = supervised(program, ['-p', '.', '-c', 'nginx.conf', '-e', 'error.log'], {
      directory: nginx.#directory,
      signal: 'TERM'
    });
    await until('nginx', () => answers(nginx.ports.any));
    return nginx;
  }

  async close(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    endSupervised(child);
    await ended;
  }
}

/** As the guide of many instances says. A 503 and a dead receiver lead to the other one. */
function configuration(receivers: readonly number[], ports: Nginx['ports']): string {
  const [first = 0, second = first] = receivers;
  const upstream = (name: string, one: number, other: number, more: string): string =>
    other === one
      ? `upstream ${name} { server 127.0.0.1:${one} max_fails=0; keepalive 32; }`
      : `upstream ${name} { server 127.0.0.1:${one} max_fails=0; server 127.0.0.1:${other} max_fails=0${more}; keepalive 32; }`;
  const server = (name: string, port: number): string => `server {
    listen 127.0.0.1:${port};
    location / {
      proxy_pass http://${name};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
      proxy_connect_timeout 2s;
      proxy_read_timeout 15s;
      proxy_next_upstream error timeout http_503 non_idempotent;
    }
  }`;
  return `daemon off;
worker_processes 1;
pid nginx.pid;
events { worker_connections 1024; }
http {
  access_log off;
  client_max_body_size 2m;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  ${upstream('any', first, second, '')}
  ${upstream('first', first, second, ' backup')}
  ${upstream('second', second, first, ' backup')}
  ${server('any', ports.any)}
  ${server('first', ports.first)}
  ${server('second', ports.second)}
}
`;
}

function answers(port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(undefined));
  });
}
