import { createRequire } from 'node:module';
import type { NodeRedProcess } from './node-red-process';

export interface NodeStatus {
  text?: string;
  fill?: string;
  shape?: string;
}

interface Socket {
  send(text: string): void;
  close(): void;
  on(event: string, listener: (data: unknown) => void): void;
}

const fromNodeRed = createRequire(require.resolve('node-red'));
const WebSocketClient = fromNodeRed('ws') as new (url: string) => Socket;

/**
 * Waits until the status of a node in the editor meets a condition. Node-RED keeps the latest status of each
 * node, so an earlier one counts, too.
 */
export async function nodeStatus(
  nodeRed: NodeRedProcess,
  id: string,
  wanted: (status: NodeStatus) => boolean,
  deadline = 30_000
): Promise<NodeStatus> {
  const url = new URL('comms', nodeRed.editorUrl);
  url.protocol = 'ws:';
  const socket = new WebSocketClient(url.href);
  const seen: NodeStatus[] = [];
  try {
    return await new Promise<NodeStatus>((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`Status of ${id} never as wanted; it was ${JSON.stringify(seen)}`)),
        deadline
      );
      socket.on('open', () => socket.send(JSON.stringify({ subscribe: `status/${id}` })));
      socket.on('error', reject);
      socket.on('message', (data) => {
        const messages = JSON.parse(String(data)) as { topic?: string; data?: NodeStatus }[];
        for (const { topic, data: status } of messages) {
          if (topic !== `status/${id}` || !status) continue;
          seen.push(status);
          if (!wanted(status)) continue;
          clearTimeout(timer);
          resolve(status);
        }
      });
    });
  } finally {
    socket.close();
  }
}
