import { Media, type Sound } from '../../samples/media/media';

/** AAC-LC at 48 kHz; the index of that rate in an AudioSpecificConfig. */
const SAMPLE_RATE = 48_000;
const RATE_INDEX = 3;
const SAMPLES_PER_FRAME = 1024;

/** One AAC frame of silence, by number of channels. */
const SILENT_FRAME = {
  1: Buffer.from([0x00, 0xc8, 0x00, 0x80, 0x23, 0x80]),
  2: Buffer.from([0x21, 0x00, 0x49, 0x90, 0x02, 0x19, 0x00, 0x23, 0x80])
} as const;

/**
 * An MP4 file of silence (ISO 14496-12 and -14): one AAC track, its tables before its data as Daily's
 * recordings have them. A picture would need an encoder, and would prove nothing more.
 *
 * @param sound what to make; `title` is stored as the name of the file
 */
export function mp4Media(sound: Sound): Media {
  const frame = SILENT_FRAME[sound.channels];
  const frames = Math.max(1, Math.ceil((sound.seconds * SAMPLE_RATE) / SAMPLES_PER_FRAME));
  const size = frames * frame.length;
  const type = box('ftyp', ascii('isom'), u32(0x200), ascii('isomiso2mp41'));
  const mdatHead = Buffer.concat([u32(8 + size), ascii('mdat')]);
  // The tables contain the position of the data; their size does not depend on it.
  const offset = type.length + movie(sound, frames, frame.length, 0).length + mdatHead.length;
  const head = Buffer.concat([type, movie(sound, frames, frame.length, offset), mdatHead]);
  return new Media('video/mp4', head, frame, size);
}

function movie(sound: Sound, frames: number, frameSize: number, offset: number): Buffer {
  const duration = frames * SAMPLES_PER_FRAME;
  return box(
    'moov',
    fullBox('mvhd', 0, u32(0), u32(0), u32(SAMPLE_RATE), u32(duration), movieDefaults()),
    box(
      'trak',
      // Enabled, in the movie, in the preview.
      fullBox('tkhd', 7, u32(0), u32(0), u32(1), u32(0), u32(duration), trackDefaults()),
      box(
        'mdia',
        fullBox('mdhd', 0, u32(0), u32(0), u32(SAMPLE_RATE), u32(duration), u16(0x55c4), u16(0)), // "und"
        fullBox('hdlr', 0, u32(0), ascii('soun'), Buffer.alloc(12), ascii('sound\0')),
        box(
          'minf',
          fullBox('smhd', 0, u32(0)),
          box('dinf', fullBox('dref', 0, u32(1), fullBox('url ', 1))), // 1: the data is in this file
          sampleTable(sound.channels, frames, frameSize, offset)
        )
      )
    ),
    box('udta', fullBox('name', 0, Buffer.from(sound.title, 'latin1')))
  );
}

function sampleTable(channels: 1 | 2, frames: number, frameSize: number, offset: number): Buffer {
  return box(
    'stbl',
    fullBox('stsd', 0, u32(1), audioEntry(channels)),
    fullBox('stts', 0, u32(1), u32(frames), u32(SAMPLES_PER_FRAME)),
    fullBox('stsc', 0, u32(1), u32(1), u32(frames), u32(1)),
    fullBox('stsz', 0, u32(frameSize), u32(frames)),
    fullBox('stco', 0, u32(1), u32(offset))
  );
}

function audioEntry(channels: 1 | 2): Buffer {
  const config = u16((2 << 11) | (RATE_INDEX << 7) | (channels << 3)); // 2: AAC-LC
  const decoder = descriptor(4, Buffer.from([0x40, 0x15, 0, 0, 0]), u32(0), u32(0), descriptor(5, config));
  const stream = descriptor(3, u16(1), Buffer.from([0]), decoder, descriptor(6, Buffer.from([2])));
  return box(
    'mp4a',
    Buffer.alloc(6),
    u16(1),
    Buffer.alloc(8),
    u16(channels),
    u16(16),
    u32(0),
    u32(SAMPLE_RATE * 0x10000),
    fullBox('esds', 0, stream)
  );
}

/** Speed, volume, reserved, matrix, reserved, id of the next track. */
function movieDefaults(): Buffer {
  return Buffer.concat([u32(0x10000), u16(0x100), Buffer.alloc(10), matrix(), Buffer.alloc(24), u32(2)]);
}

/** Reserved, layer, group, volume, reserved, matrix, width, height. */
function trackDefaults(): Buffer {
  return Buffer.concat([Buffer.alloc(12), u16(0x100), u16(0), matrix(), u32(0), u32(0)]);
}

function matrix(): Buffer {
  return Buffer.concat([0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000].map(u32));
}

function box(type: string, ...content: Buffer[]): Buffer {
  const size = content.reduce((sum, part) => sum + part.length, 8);
  return Buffer.concat([u32(size), ascii(type), ...content]);
}

/** A box with version 0 and flags. */
function fullBox(type: string, flags: number, ...content: Buffer[]): Buffer {
  return box(type, u32(flags), ...content);
}

function descriptor(tag: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  return Buffer.concat([Buffer.from([tag, body.length]), body]);
}

function u16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16BE(value);
  return bytes;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

function ascii(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
