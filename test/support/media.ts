import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mp4Media } from '../../src/simulator/media/media-mp4';

/** A playable WAV file, 16-bit PCM at 8 kHz, with contents that depend on the seed. */
export function wav({ seconds = 1, channels = 1, seed = 1 } = {}): Buffer {
  const length = seconds * 8000 * 2 * channels;
  const bytes = Buffer.alloc(44 + length);
  bytes.write('RIFF', 0, 'latin1');
  bytes.writeUInt32LE(36 + length, 4);
  bytes.write('WAVEfmt ', 8, 'latin1');
  bytes.writeUInt32LE(16, 16);
  bytes.writeUInt16LE(1, 20);
  bytes.writeUInt16LE(channels, 22);
  bytes.writeUInt32LE(8000, 24);
  bytes.writeUInt32LE(8000 * 2 * channels, 28);
  bytes.writeUInt16LE(2 * channels, 32);
  bytes.writeUInt16LE(16, 34);
  bytes.write('data', 36, 'latin1');
  bytes.writeUInt32LE(length, 40);
  const next = noise(seed);
  for (let offset = 44; offset < bytes.length; offset += 2) bytes.writeInt16LE(next() - 0x0800, offset);
  return bytes;
}

/**
 * An MP4 file of about `size` bytes, like those of Daily. Its samples are noise that depends on the seed: in
 * silence, a misplaced piece or one of another file would go unnoticed.
 */
export function mp4({ size, seed }: { size: number; seed: number }): Buffer {
  const { head, size: whole } = mp4Media({
    title: `made-up meeting ${seed}`,
    // 422 bytes a second: frames of 1024 samples and 9 bytes at 48 kHz.
    seconds: Math.ceil(size / 422),
    channels: 2
  });
  const bytes = Buffer.alloc(whole + 1);
  head.copy(bytes);
  const next = noise(seed);
  for (let offset = head.length; offset < whole; offset += 2) bytes.writeUInt16LE(next() << 4, offset);
  return bytes.subarray(0, whole);
}

/** Numbers from 0 to 4095, always the same ones for a seed. */
function noise(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 8) & 0x0fff;
  };
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export interface LocalServer {
  /** `http://127.0.0.1:<port>` */
  url: string;
  /** Path and query of every request, in order. */
  requests: string[];
  close(): Promise<void>;
}

/** An HTTP server on a free port of 127.0.0.1. */
export async function localServer(
  answer: (request: IncomingMessage, response: ServerResponse) => void
): Promise<LocalServer> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    answer(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    }
  };
}
