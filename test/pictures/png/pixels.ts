import { inflateSync } from 'node:zlib';

/** A picture in memory. */
export interface Pixels {
  width: number;
  height: number;
  /** Red, green, blue of each pixel, row by row. */
  rgb: Buffer;
}

/** The chunks of a PNG file, in their order. */
export function chunksOf(png: Buffer): { type: string; data: Buffer }[] {
  const chunks = [];
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    chunks.push({ type, data: png.subarray(at + 8, at + 8 + length) });
    at += 12 + length;
  }
  return chunks;
}

/**
 * Reads a PNG file as browsers and `encode.ts` write them: 8 bits a channel or a palette, without interlacing. Transparency
 * is left out, because screenshots have none.
 *
 * @throws Error for any other kind
 */
export function pixelsOf(png: Buffer): Pixels {
  const chunks = chunksOf(png);
  const head = chunks.find(({ type }) => type === 'IHDR')?.data;
  if (head === undefined) throw new Error('This is not a PNG file');
  const [width, height] = [head.readUInt32BE(0), head.readUInt32BE(4)];
  const channels = CHANNELS[head[9] ?? -1];
  if (channels === undefined || head[8] !== 8 || head[12] !== 0)
    throw new Error('This kind of PNG is not supported');
  const data = chunks.filter(({ type }) => type === 'IDAT').map((chunk) => chunk.data);
  const raw = unfiltered(inflateSync(Buffer.concat(data)), width * channels, channels);
  const palette = chunks.find(({ type }) => type === 'PLTE')?.data;
  const rgb = Buffer.alloc(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel += 1) {
    const from = palette === undefined ? pixel * channels : (raw[pixel] ?? 0) * 3;
    (palette ?? raw).copy(rgb, pixel * 3, from, from + 3);
  }
  return { width, height, rgb };
}

/** By colour type: RGB, palette, RGBA. */
const CHANNELS: Readonly<Record<number, number>> = { 2: 3, 3: 1, 6: 4 };

/** Undoes the filters of PNG, each of which predicts a byte from those before and above it. */
function unfiltered(filtered: Buffer, stride: number, channels: number): Buffer {
  const rows = filtered.length / (stride + 1);
  const raw = Buffer.alloc(rows * stride);
  for (let row = 0; row < rows; row += 1) {
    const filter = filtered[row * (stride + 1)];
    for (let column = 0; column < stride; column += 1) {
      const at = row * stride + column;
      const left = column < channels ? 0 : (raw[at - channels] ?? 0);
      const up = row === 0 ? 0 : (raw[at - stride] ?? 0);
      const corner = row === 0 || column < channels ? 0 : (raw[at - stride - channels] ?? 0);
      raw[at] = (filtered[row * (stride + 1) + 1 + column] ?? 0) + predicted(filter, left, up, corner);
    }
  }
  return raw;
}

function predicted(filter: number | undefined, left: number, up: number, corner: number): number {
  switch (filter) {
    case 0:
      return 0;
    case 1:
      return left;
    case 2:
      return up;
    case 3:
      return (left + up) >> 1;
    default:
      return paeth(left, up, corner);
  }
}

function paeth(left: number, up: number, corner: number): number {
  const guess = left + up - corner;
  const [byLeft, byUp, byCorner] = [left, up, corner].map((each) => Math.abs(guess - each)) as [
    number,
    number,
    number
  ];
  if (byLeft <= byUp && byLeft <= byCorner) return left;
  return byUp <= byCorner ? up : corner;
}

/** The share of pixels of two pictures that a person sees to differ, from 0 to 1; 1 when their sizes differ. */
export function difference(one: Pixels, other: Pixels): number {
  if (one.width !== other.width || one.height !== other.height) return 1;
  let different = 0;
  for (let at = 0; at < one.rgb.length; at += 3) {
    const by = [0, 1, 2].map((channel) =>
      Math.abs((one.rgb[at + channel] ?? 0) - (other.rgb[at + channel] ?? 0))
    );
    if (Math.max(...by) > VISIBLE) different += 1;
  }
  return different / (one.width * one.height);
}

/** Of 255; what a palette changes is less. */
const VISIBLE = 40;
