import { crc32, deflateSync } from 'node:zlib';
import { indexesOf, paletteOf } from './palette';
import type { Pixels } from './pixels';

/** One picture of an animation. */
export interface Frame {
  pixels: Pixels;
  /** Milliseconds for which it is shown. */
  shown: number;
}

/** A part of a picture: numbers of colours, row by row. */
interface Area {
  x: number;
  y: number;
  width: number;
  height: number;
  indexes: Buffer;
}

/** In an animation, the number of the colour that leaves what was there. */
const CLEAR = 255;

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

/** A small PNG file: with 256 colours, which look like all of them in a picture of an editor. */
export function encode(pixels: Pixels): Buffer {
  const palette = paletteOf([pixels], CLEAR + 1);
  const { width, height } = pixels;
  const data = compressed({ x: 0, y: 0, width, height, indexes: indexesOf(pixels, palette) });
  return fileOf(pixels, palette, [chunk('IDAT', data)]);
}

/**
 * A small animated PNG file (APNG), played once. It ends with its last picture, which is also what a program shows that
 * cannot play it.
 *
 * @param frames at least one, all of the same size
 */
export function encodeAnimation(frames: readonly Frame[]): Buffer {
  const last = frames.at(-1);
  if (last === undefined) throw new Error('An animation needs a frame');
  const palette = paletteOf(
    frames.map(({ pixels }) => pixels),
    CLEAR
  );
  const { width, height } = last.pixels;
  const all = frames.map(({ pixels }) => indexesOf(pixels, palette));
  const still = { x: 0, y: 0, width, height, indexes: all.at(-1) ?? Buffer.alloc(0) };
  // Only the last colour is clear.
  const clear = Buffer.alloc(CLEAR + 1, 0xff).fill(0, CLEAR);
  const chunks = [
    chunk('tRNS', clear),
    chunk('acTL', numbers([frames.length, 1])),
    chunk('IDAT', compressed(still))
  ];
  let sequence = 0;
  for (const [at, { shown }] of frames.entries()) {
    const indexes = all[at] ?? Buffer.alloc(0);
    const area = changed(all[at - 1], { x: 0, y: 0, width, height, indexes });
    const place = numbers([sequence++, area.width, area.height, area.x, area.y]);
    // Shown for so many thousandths of a second; stays, and the next one is drawn over it.
    const time = Buffer.from([shown >> 8, shown & 0xff, 1000 >> 8, 1000 & 0xff, 0, 1]);
    chunks.push(chunk('fcTL', Buffer.concat([place, time])));
    chunks.push(chunk('fdAT', Buffer.concat([numbers([sequence++]), compressed(area)])));
  }
  const padded = [...palette, ...Array<number>(CLEAR + 1 - palette.length).fill(0)];
  return fileOf(last.pixels, padded, chunks);
}

/** The smallest rectangle outside of which a picture is like the one before; what is the same in it is clear. */
function changed(before: Buffer | undefined, whole: Area): Area {
  if (before === undefined) return whole;
  const { width, height, indexes } = whole;
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1)
      if (indexes[y * width + x] !== before[y * width + x]) {
        left = Math.min(left, x);
        right = Math.max(right, x);
        top = Math.min(top, y);
        bottom = y;
      }
  // A picture that is shown again still needs an area.
  if (right < 0) [left, top, right, bottom] = [0, 0, 0, 0];
  const area = { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
  const part = Buffer.alloc(area.width * area.height, CLEAR);
  for (let y = top; y <= bottom; y += 1)
    for (let x = left; x <= right; x += 1) {
      const index = indexes[y * width + x] ?? 0;
      if (index !== before[y * width + x]) part[(y - top) * area.width + x - left] = index;
    }
  return { ...area, indexes: part };
}

function compressed({ width, height, indexes }: Area): Buffer {
  // Filters do not help where neighbouring numbers say nothing of neighbouring colours.
  const rows = Array.from({ length: height }, (_, row) => [
    Buffer.from([0]),
    indexes.subarray(row * width, (row + 1) * width)
  ]);
  return deflateSync(Buffer.concat(rows.flat()), { level: 9, memLevel: 9 });
}

function fileOf({ width, height }: Pixels, palette: readonly number[], chunks: readonly Buffer[]): Buffer {
  const colours = Buffer.alloc(palette.length * 3);
  for (const [index, colour] of palette.entries()) colours.writeUIntBE(colour, index * 3, 3);
  const head = Buffer.concat([numbers([width, height]), Buffer.from([8, 3, 0, 0, 0])]);
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', head),
    chunk('PLTE', colours),
    ...chunks,
    chunk('IEND', Buffer.alloc(0))
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const content = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  return Buffer.concat([numbers([data.length]), content, numbers([crc32(content)])]);
}

/** 32 bits each. */
function numbers(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [at, value] of values.entries()) bytes.writeUInt32BE(value, at * 4);
  return bytes;
}
