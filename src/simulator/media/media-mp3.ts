import { Media, type Sound } from '../../samples/media/media';

/** MPEG-1 Layer III, 32 kHz, 32 kbit/s, no CRC, no padding: every frame has the same size. */
const SAMPLE_RATE = 32_000;
const BIT_RATE = 32_000;
const SAMPLES_PER_FRAME = 1152;
const FRAME_SIZE = (SAMPLES_PER_FRAME / 8) * (BIT_RATE / SAMPLE_RATE);

/**
 * An MP3 file of silence: valid frames whose side information is all zero, which every decoder plays
 * as silence. An encoder for tones would be out of proportion here.
 *
 * @param sound what to make; `title` is stored in an ID3v2.3 tag
 */
export function mp3Media(sound: Sound): Media {
  const frames = Math.max(1, Math.ceil((sound.seconds * SAMPLE_RATE) / SAMPLES_PER_FRAME));
  return new Media('audio/mpeg', id3Tag(sound.title), silentFrame(sound.channels), frames * FRAME_SIZE);
}

function silentFrame(channels: 1 | 2): Buffer {
  const frame = Buffer.alloc(FRAME_SIZE);
  // Sync word, MPEG-1, Layer III, no CRC; bit rate index 1 (32 kbit/s), rate index 2 (32 kHz);
  // mono or stereo, original.
  frame.set([0xff, 0xfb, 0x18, channels === 1 ? 0xc4 : 0x04]);
  return frame;
}

function id3Tag(title: string): Buffer {
  const text = Buffer.concat([Buffer.from([0]), Buffer.from(title, 'latin1')]); // 0: ISO 8859-1
  const frame = Buffer.alloc(10, 'TIT2', 'latin1');
  frame.writeUInt32BE(text.length, 4);
  frame.writeUInt16BE(0, 8);
  const content = Buffer.concat([frame, text]);
  return Buffer.concat([Buffer.from('ID3'), Buffer.from([3, 0, 0]), synchsafe(content.length), content]);
}

/** ID3 sizes use seven bits per byte, so that they never look like a frame's sync word. */
function synchsafe(size: number): Buffer {
  return Buffer.from([size >> 21, size >> 14, size >> 7, size].map((part) => part & 0x7f));
}
