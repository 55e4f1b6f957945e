import type { Pixels } from './pixels';

/** Colours of a box of colours, each with how often it occurs. */
type Box = readonly (readonly [colour: number, count: number])[];

/**
 * Chooses the colours that show some pictures best, by median cut: the box of colours with the most pixels times
 * extent is halved until there are enough boxes.
 *
 * @param most number of colours
 * @returns colours as 0xRRGGBB
 */
export function paletteOf(pictures: readonly Pixels[], most: number): number[] {
  const counts = new Map<number, number>();
  for (const { rgb } of pictures)
    for (let at = 0; at < rgb.length; at += 3) {
      const colour = rgb.readUIntBE(at, 3);
      counts.set(colour, (counts.get(colour) ?? 0) + 1);
    }
  // What covers much of a picture keeps its exact colour.
  const common = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, most >> 2);
  for (const [colour] of common) counts.delete(colour);
  let boxes: Box[] = counts.size > 0 ? [[...counts]] : [];
  while (boxes.length > 0 && boxes.length + common.length < most) {
    const largest = boxes.reduce((best, each) => (weightOf(each) > weightOf(best) ? each : best));
    if (largest.length < 2) break;
    boxes = boxes.filter((each) => each !== largest).concat(halvesOf(largest));
  }
  return [...common.map(([colour]) => colour), ...boxes.map(averageOf)];
}

/** For each pixel the number of its colour in the palette. */
export function indexesOf({ rgb }: Pixels, palette: readonly number[]): Buffer {
  const nearest = new Map<number, number>(palette.map((colour, index) => [colour, index]));
  const indexes = Buffer.alloc(rgb.length / 3);
  for (let pixel = 0; pixel < indexes.length; pixel += 1) {
    const colour = rgb.readUIntBE(pixel * 3, 3);
    let index = nearest.get(colour);
    if (index === undefined) {
      index = nearestTo(colour, palette);
      nearest.set(colour, index);
    }
    indexes[pixel] = index;
  }
  return indexes;
}

function nearestTo(colour: number, palette: readonly number[]): number {
  let best = 0;
  let least = Infinity;
  for (const [index, candidate] of palette.entries()) {
    const distance = SHIFTS.reduce(
      (sum, shift) => sum + (part(colour, shift) - part(candidate, shift)) ** 2,
      0
    );
    if (distance < least) [best, least] = [index, distance];
  }
  return best;
}

/** Of red, green and blue. */
const SHIFTS: readonly number[] = [16, 8, 0];

function part(colour: number, shift: number): number {
  return (colour >> shift) & 0xff;
}

const weights = new WeakMap<Box, number>();

function weightOf(box: Box): number {
  let weight = weights.get(box);
  if (weight === undefined) {
    const pixels = box.reduce((sum, [, count]) => sum + count, 0);
    weight = Math.sqrt(pixels) * Math.max(...SHIFTS.map((shift) => extentOf(box, shift)));
    weights.set(box, weight);
  }
  return weight;
}

function extentOf(box: Box, shift: number): number {
  let [least, most] = [255, 0];
  for (const [colour] of box) {
    const value = part(colour, shift);
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return most - least;
}

function halvesOf(box: Box): Box[] {
  const longest = SHIFTS.reduce((best, each) => (extentOf(box, each) > extentOf(box, best) ? each : best));
  const sorted = [...box].sort((a, b) => part(a[0], longest) - part(b[0], longest) || a[0] - b[0]);
  const middle = sorted.length >> 1;
  return [sorted.slice(0, middle), sorted.slice(middle)];
}

function averageOf(box: Box): number {
  const pixels = box.reduce((sum, [, count]) => sum + count, 0);
  return SHIFTS.reduce((colour, shift) => {
    const sum = box.reduce((all, [each, count]) => all + part(each, shift) * count, 0);
    return colour | (Math.round(sum / pixels) << shift);
  }, 0);
}
