import { Media, type Sound } from './media';

const SAMPLE_RATE = 8000;
const BYTES_PER_SAMPLE = 2;
const LOUDNESS = 0.3;

/**
 * A WAV file as telephony makes it (PCM, 8 kHz, 16 bits): a sine tone, on two channels two different ones.
 *
 * @param sound what to make; `title` is stored in a LIST INFO chunk
 * @param toneHz whole hertz, so that the tone closes within the repeated second without a click
 */
export function wavMedia(sound: Sound, toneHz = 440): Media {
  const frameSize = sound.channels * BYTES_PER_SAMPLE;
  const dataSize = Math.max(1, Math.round(sound.seconds * SAMPLE_RATE)) * frameSize;
  return new Media('audio/wav', wavHead(sound, dataSize), oneSecond(sound.channels, toneHz), dataSize);
}

function wavHead(sound: Sound, dataSize: number): Buffer {
  const frameSize = sound.channels * BYTES_PER_SAMPLE;
  const format = Buffer.alloc(16);
  format.writeUInt16LE(1, 0); // PCM
  format.writeUInt16LE(sound.channels, 2);
  format.writeUInt32LE(SAMPLE_RATE, 4);
  format.writeUInt32LE(SAMPLE_RATE * frameSize, 8);
  format.writeUInt16LE(frameSize, 12);
  format.writeUInt16LE(8 * BYTES_PER_SAMPLE, 14);

  const info = Buffer.concat([Buffer.from('INFO'), chunk('INAM', Buffer.from(`${sound.title}\0`, 'latin1'))]);
  const chunks = Buffer.concat([chunk('fmt ', format), chunk('LIST', info), chunkHead('data', dataSize)]);
  const riff = chunkHead('RIFF', 4 + chunks.length + dataSize);
  return Buffer.concat([riff, Buffer.from('WAVE'), chunks]);
}

/** RIFF pads every chunk to an even length; the size it states leaves the padding out. */
function chunk(name: string, content: Buffer): Buffer {
  return Buffer.concat([chunkHead(name, content.length), content, Buffer.alloc(content.length % 2)]);
}

function chunkHead(name: string, size: number): Buffer {
  const head = Buffer.alloc(8, name, 'latin1');
  head.writeUInt32LE(size, 4);
  return head;
}

function oneSecond(channels: number, toneHz: number): Buffer {
  const block = Buffer.alloc(SAMPLE_RATE * channels * BYTES_PER_SAMPLE);
  for (let sample = 0; sample < SAMPLE_RATE; sample++) {
    for (let channel = 0; channel < channels; channel++) {
      const hertz = channel === 0 ? toneHz : Math.round(toneHz * 1.5);
      const level = Math.sin((2 * Math.PI * hertz * sample) / SAMPLE_RATE) * LOUDNESS;
      block.writeInt16LE(Math.round(level * 0x7fff), (sample * channels + channel) * BYTES_PER_SAMPLE);
    }
  }
  return block;
}
