/** What a WAV file is made of. */
export interface WavParts {
  rate: number;
  /** Samples from -1 to 1, a list for each channel. */
  channels: number[][];
  /** Default: PCM of 16 bits. */
  format?: { kind: number; bits: number; write: (view: DataView, at: number, sample: number) => void };
  form?: string;
  /** Of the chunk of samples; default: the true one. */
  dataSize?: number;
  /** Chunks before the format. */
  before?: Buffer;
}

const PCM_16 = {
  kind: 1,
  bits: 16,
  write: (view: DataView, at: number, sample: number) => view.setInt16(at, Math.round(sample * 0x7fff), true)
};

/** A WAV file. */
export function wavFile({
  rate,
  channels,
  format = PCM_16,
  form = 'RIFF',
  dataSize,
  before
}: WavParts): Buffer {
  const { kind, bits, write } = format;
  const frameBytes = (channels.length * bits) / 8;
  const data = Buffer.alloc((channels[0]?.length ?? 0) * frameBytes);
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  channels.forEach((samples, channel) =>
    samples.forEach((sample, at) => write(view, at * frameBytes + (channel * bits) / 8, sample))
  );
  const fmt = Buffer.alloc(24);
  fmt.write('fmt ', 'latin1');
  fmt.writeUInt32LE(16, 4);
  fmt.writeUInt16LE(kind, 8);
  fmt.writeUInt16LE(channels.length, 10);
  fmt.writeUInt32LE(rate, 12);
  fmt.writeUInt32LE(rate * frameBytes, 16);
  fmt.writeUInt16LE(frameBytes, 20);
  fmt.writeUInt16LE(bits, 22);
  const head = Buffer.alloc(12);
  head.write(`${form}\0\0\0\0WAVE`, 'latin1');
  const chunk = Buffer.alloc(8);
  chunk.write('data', 'latin1');
  chunk.writeUInt32LE(dataSize ?? data.length, 4);
  const file = Buffer.concat([head, before ?? Buffer.alloc(0), fmt, chunk, data]);
  file.writeUInt32LE(file.length - 8, 4);
  return file;
}
