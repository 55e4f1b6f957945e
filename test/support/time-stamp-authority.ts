import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface AuthorityOptions {
  /** Extended key usage of its certificate, as OpenSSL writes it; null: none. */
  usage?: string | null;
  /** Arguments of `openssl req` that choose the kind of key. */
  key?: readonly string[];
}

/** A time-stamping authority made with `openssl ts`, behind a real HTTP server. */
export class TimeStampAuthority {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'authority-'));
  readonly #server: Server;
  readonly queries: Buffer[] = [];
  /** Answers in its place; undefined: it answers as it should. */
  answer: ((query: Buffer, response: ServerResponse) => void) | undefined;

  private constructor({ usage = 'critical,timeStamping', key = ['rsa:2048'] }: AuthorityOptions) {
    this.#write(
      'root.cnf',
      '[req]\ndistinguished_name=dn\n[dn]\n[ca]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n'
    );
    this.#write(
      'tsa.ext',
      `basicConstraints=critical,CA:FALSE\n${usage === null ? '' : `extendedKeyUsage=${usage}\n`}`
    );
    this.#write(
      'tsa.cnf',
      '[tsa]\ndefault_tsa=a\n[a]\nserial=serial\nsigner_digest=sha256\ndefault_policy=1.2.3.4.1\ndigests=sha256\n' +
        'ess_cert_id_alg=sha256\naccuracy=secs:1\n'
    );
    this.#write('serial', '01\n');
    this.#openssl(
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      'root.key',
      '-out',
      'root.pem',
      '-days',
      '30',
      '-subj',
      '/CN=Test Root',
      '-config',
      'root.cnf',
      '-extensions',
      'ca'
    );
    this.#openssl(
      'req',
      '-newkey',
      ...key,
      '-nodes',
      '-keyout',
      'tsa.key',
      '-out',
      'tsa.csr',
      '-subj',
      '/CN=Test Authority',
      '-config',
      'root.cnf'
    );
    this.#openssl(
      'x509',
      '-req',
      '-in',
      'tsa.csr',
      '-CA',
      'root.pem',
      '-CAkey',
      'root.key',
      '-set_serial',
      '4660',
      '-out',
      'tsa.pem',
      '-days',
      '20',
      '-extfile',
      'tsa.ext'
    );
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  static async start(options: AuthorityOptions = {}): Promise<TimeStampAuthority> {
    const authority = new TimeStampAuthority(options);
    await new Promise<void>((resolve) => authority.#server.listen(0, '127.0.0.1', resolve));
    return authority;
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/tsr`);
  }

  /** Of its root certificate (PEM). */
  get roots(): string {
    return path.join(this.folder, 'root.pem');
  }

  /** @param query DER. @returns its reply, DER */
  reply(query: Buffer): Buffer {
    writeFileSync(path.join(this.folder, 'query.tsq'), query);
    this.#openssl(
      'ts',
      '-reply',
      '-queryfile',
      'query.tsq',
      '-inkey',
      'tsa.key',
      '-signer',
      'tsa.pem',
      '-config',
      'tsa.cnf',
      '-out',
      'reply.tsr'
    );
    return readFileSync(path.join(this.folder, 'reply.tsr'));
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const query = Buffer.concat(chunks);
    this.queries.push(query);
    if (this.answer !== undefined) this.answer(query, response);
    else response.writeHead(200, { 'content-type': 'application/timestamp-reply' }).end(this.reply(query));
  }

  #write(name: string, text: string): void {
    writeFileSync(path.join(this.folder, name), text);
  }

  #openssl(...args: string[]): void {
    execFileSync('openssl', args, { cwd: this.folder, stdio: 'pipe' });
  }
}
