import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createRequire } from 'node:module';
import type { Express, Router } from 'express';
import type { ExpressApp } from '../../../../src/webhook/express/express-app';

/** The Express that Node-RED itself runs on. */
export const express = createRequire(require.resolve('node-red'))('express') as {
  (): Express & ExpressApp;
  Router(): Router;
  json(): (request: unknown, response: unknown, next: () => void) => void;
  urlencoded(options: { extended: boolean }): (request: unknown, response: unknown, next: () => void) => void;
};

const servers = new Set<Server>();

/** A real server on a free port of this machine, ended by `closeServers`. @returns the port */
export async function serve(listener: RequestListener): Promise<number> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  servers.add(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** For `afterEach`: ends the servers and every connection. */
export async function closeServers(): Promise<void> {
  await Promise.all(
    [...servers].map(async (server) => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    })
  );
  servers.clear();
}

/** A promise that a test settles itself. */
export function deferred<T = void>(): {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: Error) => void;
} {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
