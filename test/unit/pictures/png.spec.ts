import should from 'should';
import { encode, encodeAnimation } from '../../pictures/png/encode';
import { chunksOf, difference, pixelsOf, type Pixels } from '../../pictures/png/pixels';

/** A picture of a gradient, which has more colours than a palette, with a square in it. */
function gradient(square: number): Pixels {
  const [width, height] = [64, 48];
  const rgb = Buffer.alloc(width * height * 3);
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1) {
      const isIn = x >= square && x < square + 8 && y >= 10 && y < 18;
      rgb.set(isIn ? [255, 0, 0] : [x * 4, y * 5, 128], (y * width + x) * 3);
    }
  return { width, height, rgb };
}

describe('the PNG files of the pictures', () => {
  it('look like what was taken', () => {
    const picture = gradient(4);
    const file = encode(picture);
    const read = pixelsOf(file);
    should([read.width, read.height]).deepEqual([64, 48]);
    should(difference(read, picture)).equal(0);
    should(difference(read, gradient(30))).be.above(0.03);
    should(file.length).be.below(picture.rgb.length);
  });

  it('end an animation with what is shown when nothing moves', () => {
    const file = encodeAnimation(
      [gradient(4), gradient(20), gradient(40)].map((pixels) => ({ pixels, shown: 500 }))
    );
    should(difference(pixelsOf(file), gradient(40))).equal(0);
    const controls = chunksOf(file).filter(({ type }) => type === 'fcTL');
    // Sequence, width, height, x, y: the first is whole, the others only what changes.
    const places = controls.map(({ data }) => [4, 8, 12, 16].map((at) => data.readUInt32BE(at)));
    should(places).deepEqual([
      [64, 48, 0, 0],
      [24, 8, 4, 10],
      [28, 8, 20, 10]
    ]);
  });
});
