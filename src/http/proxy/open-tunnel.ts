import { type ClientRequest, type IncomingMessage, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import type { Socket } from 'node:net';
import { type ConnectionOptions, socketLookup } from '../http-agents';
import { proxyGarbled, proxyRefused, proxyUnreachable } from './proxy-fault';
import { type ProxyServer, serverName } from './proxy-server';

/** As for all responses; Node's own default, which its command line can change. */
const MOST_HEADER_BYTES = 16 * 1024;

export interface TunnelOptions {
  server: ProxyServer;
  /** `host:port` of the target. */
  target: string;
  connection: Pick<ConnectionOptions, 'resolve' | 'ca'>;
  /**
   * Called once.
   *
   * @param tunnel what is sent to it arrives at the target unchanged
   */
  opened: (tunnel: Socket) => void;
  /** Called once, instead of `opened`. @param error CodedError */
  failed: (error: Error) => void;
}

/**
 * Asks a proxy for a connection to a target (RFC 9110, 9.3.6: CONNECT).
 *
 * @returns the request; `destroy(error)` ends it, with that error for `failed` as the fault of the proxy
 */
export function openTunnel({ server, target, connection, opened, failed }: TunnelOptions): ClientRequest {
  const { hostname, port, isTls } = server;
  const authorization = server.authorization();
  const request = (isTls ? tlsRequest : plainRequest)({
    method: 'CONNECT',
    hostname,
    port,
    path: target,
    headers: { host: target, ...(authorization !== undefined && { 'proxy-authorization': authorization }) },
    agent: false,
    // Otherwise TLS with the proxy would expect the certificate of the target, whose name is in `host`.
    ...(isTls && { servername: serverName(hostname) }),
    ...(isTls && connection.ca !== undefined && { ca: connection.ca }),
    lookup: socketLookup(connection.resolve),
    maxHeaderSize: MOST_HEADER_BYTES,
    insecureHTTPParser: false
  });
  let isOver = false;
  const fail = (error: Error): void => {
    if (isOver) return;
    isOver = true;
    request.destroy();
    failed(error);
  };
  request.on('error', (error) => fail(proxyUnreachable(server, error)));
  request.on('close', () => fail(proxyGarbled(server, 'it closed the connection')));
  // Node takes every response to CONNECT for the end of HTTP on this connection, whatever its status.
  request.on('connect', (response: IncomingMessage, socket: Socket, early: Buffer) => {
    socket.on('error', () => undefined);
    const { statusCode: status = 0, headers } = response;
    if (isOver) socket.destroy();
    else if (status < 200 || status > 299) {
      socket.destroy();
      fail(
        status < 300
          ? proxyGarbled(server, `it sends the status ${String(status).padStart(3, '0')}`)
          : proxyRefused(server, { status, target, authenticate: headers['proxy-authenticate'] })
      );
    } else if (early.length > 0) {
      socket.destroy();
      fail(proxyGarbled(server, 'it sends data before the connection to the host is used'));
    } else {
      isOver = true;
      opened(socket);
    }
  });
  request.end();
  return request;
}
