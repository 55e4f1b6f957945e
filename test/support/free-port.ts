import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Below the ports that the system gives to connections and to servers on port 0, so that no server or connection of another
 * test takes one of these while its program starts or restarts.
 */
const FIRST = 10_240;
const END = 32_768;

/** Test processes that run at the same time begin at different places. */
let next = FIRST + Math.floor(Math.random() * (END - FIRST));

/** A port for a program that cannot listen on port 0: nothing listens there, and this process has not given it out. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < END - FIRST; tries += 1) {
    const port = next;
    next = port + 1 < END ? port + 1 : FIRST;
    if (await isFree(port)) return port;
  }
  throw new Error(`All ports from ${FIRST} to ${END} are taken`);
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  try {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  } catch {
    return false;
  }
  server.close();
  await once(server, 'close');
  return true;
}
