import { TcpRelay } from './tcp-relay';
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
  const proxy = await TcpRelay.start(nodeRed.port);
  const url = `http://127.0.0.1:${proxy.port}`;
  const seen: Partial<Record<string | symbol, string>> = { url, editorUrl: `${url}/` };
  return {
    nodeRed: new Proxy(nodeRed, {
      get: (whole, name) => {
        const value = seen[name] ?? (Reflect.get(whole, name, whole) as unknown);
        return typeof value === 'function' ? (value.bind(whole) as unknown) : value;
      }
    }),
    cut: () => proxy.cut(),
    mend: () => proxy.mend(),
    close: () => proxy.close()
  };
}
