import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { type Peaks, WavPeaks } from './wav-peaks';

/** What the worker answers to each piece: whether it wants more, the result, or why there is none. */
export type PeaksReply = { wants: true } | { peaks: Peaks } | { error: string };

/** Bytes of the file. A piece, or null at its end. */
export interface PeaksData {
  size: number;
}

if (parentPort !== null) serve(parentPort, new WavPeaks((workerData as PeaksData).size));

function serve(port: MessagePort, found: WavPeaks): void {
  const reply = (message: PeaksReply): void => port.postMessage(message);
  port.on('message', (piece: Uint8Array | null) => {
    try {
      if (piece !== null && found.add(piece)) reply({ wants: true });
      else reply({ peaks: found.end() });
    } catch (error) {
      reply({ error: error instanceof Error ? error.message : String(error) });
    }
  });
}
