import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Finds a port for Node-RED, which cannot choose one itself.
 *
 * @param wanted 0: any
 * @returns a port on 127.0.0.1 that was free a moment ago
 * @throws Error when the wanted port is taken
 */
export async function freePort(wanted: number): Promise<number> {
  const server = createServer();
  const listening = once(server, 'listening');
  server.listen(wanted, '127.0.0.1');
  try {
    await listening;
  } catch (error) {
    throw new Error(`Port ${wanted} is taken; name another one with --port`, { cause: error });
  }
  const address = server.address();
  const closed = once(server, 'close');
  server.close();
  await closed;
  if (address === null || typeof address === 'string') throw new Error('No port is available');
  return address.port;
}
