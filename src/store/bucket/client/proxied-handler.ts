import { Agent as TlsAgent } from 'node:https';
import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { type Forward, ProxyAgents } from '../../../http/proxy/proxy-agents';
import type { ProxyChoice } from '../../../http/proxy/proxy-choice';
import { proxyRefused, proxyUnreachable } from '../../../http/proxy/proxy-fault';

/** The part of the SDK's requests that says where they go. */
interface HttpRequest {
  protocol: string;
  hostname: string;
  port?: number;
  path: string;
  headers: Record<string, string>;
}

interface HttpResponse {
  statusCode: number;
  headers: Record<string, string>;
  body?: { destroy?: () => void };
}

export interface BucketProxyOptions {
  choice: ProxyChoice;
  /** `http://…` or `https://…`; null: AWS. */
  endpoint: string | null;
  /** Milliseconds for connections to the proxy and through it. */
  connectTimeoutMs: number;
}

/** The connections of one bucket whose requests may go through a proxy. */
export class BucketProxy {
  readonly #agents: ProxyAgents;
  readonly #forward: Forward | null;

  /** @throws CodedError `BAD_SETTING` when the proxy is not set up properly */
  constructor({ choice, endpoint, connectTimeoutMs }: BucketProxyOptions) {
    this.#agents = new ProxyAgents(choice, { connectTimeoutMs });
    const isPlain = endpoint?.startsWith('http://') === true;
    this.#forward = isPlain ? this.#agents.forward(new URL(endpoint)) : null;
  }

  /** For the configuration of the SDK's client. */
  get agents(): Extract<S3ClientConfig['requestHandler'], { httpsAgent?: unknown }> {
    const forward = this.#forward;
    const https = forward?.agent instanceof TlsAgent ? forward.agent : this.#agents.https;
    return { httpsAgent: https, ...(forward && { httpAgent: forward.agent }) };
  }

  /** Hands plain-http requests of the client to the proxy; https requests take their way in the agents. */
  direct({ config }: S3Client): void {
    const forward = this.#forward;
    if (forward === null) return;
    const { server } = forward;
    const handler = config.requestHandler;
    const inner = handler.handle.bind(handler);
    handler.handle = async (request: HttpRequest, options) => {
      if (request.protocol !== 'http:') return await inner(request, options);
      const target = `${request.hostname}:${request.port ?? 80}`;
      const handled = await inner(forwarded(request, forward), options).catch((error: unknown) => {
        throw isUnconnected(error) ? proxyUnreachable(server, error) : error;
      });
      const { statusCode, headers, body } = handled.response as HttpResponse;
      if (statusCode !== 407) return handled;
      body?.destroy?.();
      throw proxyRefused(server, { status: 407, target, authenticate: headers['proxy-authenticate'] });
    };
  }

  close(): void {
    this.#agents.destroy();
  }
}

function forwarded(request: HttpRequest, { server, headers }: Forward): HttpRequest {
  const port = request.port === undefined ? '' : `:${request.port}`;
  return {
    ...request,
    protocol: server.isTls ? 'https:' : 'http:',
    hostname: server.hostname,
    port: server.port,
    path: `http://${request.hostname}${port}${request.path}`,
    headers: { ...request.headers, ...headers }
  };
}

function isUnconnected(error: unknown): boolean {
  const syscall: unknown = error instanceof Error && 'syscall' in error ? error.syscall : undefined;
  return syscall === 'connect' || syscall === 'getaddrinfo';
}
