import { type Socket, connect, createServer } from 'node:net';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { NodeRedProcess } from './node-red-process';

/** A network between a browser and Node-RED that breaks on demand. */
export interface BreakableNetwork {
  /** As the browser sees it. */
  nodeRed: NodeRedProcess;
  /** All connections end, and none can be opened. */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
}

export async function breakableNetwork(nodeRed: NodeRedProcess): Promise<BreakableNetwork> {
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((near) => {
    near.on('error', () => undefined);
    if (isCut) return void near.destroy();
    const far = connect({ port: nodeRed.port, host: '127.0.0.1' });
    far.on('error', () => near.destroy());
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.once('close', () => {
        sockets.delete(socket);
        (socket === near ? far : near).destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const seen: Partial<Record<string | symbol, string>> = { url, editorUrl: `${url}/` };
  const end = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    nodeRed: new Proxy(nodeRed, {
      get: (whole, name) => {
        const value = seen[name] ?? (Reflect.get(whole, name, whole) as unknown);
        return typeof value === 'function' ? (value.bind(whole) as unknown) : value;
      }
    }),
    cut: () => {
      isCut = true;
      end();
    },
    mend: () => {
      isCut = false;
    },
    close: async () => {
      end();
      server.close();
      await once(server, 'close');
    }
  };
}
