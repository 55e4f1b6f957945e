import { createHash } from 'node:crypto';
import should from 'should';
import { Media } from '../../../../src/samples/media/media';
import { mp3Media } from '../../../../src/simulator/media/media-mp3';
import { wavMedia } from '../../../../src/samples/media/media-wav';

const HOUR = 3600;

describe('simulator media', () => {
  describe('WAV', () => {
    for (const channels of [1, 2] as const) {
      it(`is a complete RIFF file with ${channels} channel(s)`, () => {
        const bytes = wavMedia({ title: 'odd', seconds: 2.5, channels }).bytes();
        should(bytes.toString('latin1', 0, 4)).equal('RIFF');
        should(bytes.readUInt32LE(4)).equal(bytes.length - 8);
        should(bytes.toString('latin1', 8, 12)).equal('WAVE');
        const chunks = riffChunks(bytes);
        should([...chunks.keys()]).deepEqual(['fmt ', 'LIST', 'data']);
        const format = chunks.get('fmt ')!;
        should(format.readUInt16LE(0)).equal(1);
        should(format.readUInt16LE(2)).equal(channels);
        should(format.readUInt32LE(4)).equal(8000);
        should(format.readUInt32LE(8)).equal(8000 * channels * 2);
        should(format.readUInt16LE(12)).equal(channels * 2);
        should(format.readUInt16LE(14)).equal(16);
        should(chunks.get('data')!.length).equal(2.5 * 8000 * channels * 2);
      });
    }

    it('is audible: the tone has the requested frequency and is not clipped', () => {
      const data = riffChunks(wavMedia({ title: 't', seconds: 1, channels: 1 }, 500).bytes()).get('data')!;
      const samples = Array.from({ length: 8000 }, (_, n) => data.readInt16LE(n * 2));
      const upwards = samples.filter((level, n) => level >= 0 && (samples[n - 1] ?? 0) < 0).length;
      should(upwards).be.within(499, 501);
      should(Math.max(...samples)).be.within(5000, 32_000);
    });

    it('plays different tones on two channels', () => {
      const data = riffChunks(wavMedia({ title: 't', seconds: 1, channels: 2 }).bytes()).get('data')!;
      const left = Array.from({ length: 100 }, (_, n) => data.readInt16LE(n * 4));
      const right = Array.from({ length: 100 }, (_, n) => data.readInt16LE(n * 4 + 2));
      should(left).not.deepEqual(right);
    });
  });

  describe('MP3', () => {
    for (const channels of [1, 2] as const) {
      it(`consists of valid Layer III frames to its last byte, ${channels} channel(s)`, () => {
        const bytes = mp3Media({ title: 'a title', seconds: 2, channels }).bytes();
        const frames = mpegFrames(bytes);
        should(frames.length * 1152).be.aboveOrEqual(2 * 32_000);
        for (const frame of frames) {
          should(frame.mono).equal(channels === 1);
          should(frame.sampleRate).equal(32_000);
        }
      });
    }

    it('carries the title in its ID3 tag', () => {
      const bytes = mp3Media({ title: 'recording-7', seconds: 1, channels: 1 }).bytes();
      should(bytes.toString('latin1', 0, 3)).equal('ID3');
      should(bytes.toString('latin1', 10, 14)).equal('TIT2');
      should(bytes.toString('latin1', 21, 32)).equal('recording-7');
    });
  });

  it('differs between recordings with the same sound', () => {
    for (const make of [wavMedia, mp3Media]) {
      const [one, two] = ['one', 'two'].map((title) => make({ title, seconds: 1, channels: 1 }));
      should(one!.size).equal(two!.size);
      should(one!.sha256).not.equal(two!.sha256);
      should(one!.etag).not.equal(two!.etag);
    }
  });

  it('can create any range alone, equal to that range of the whole', () => {
    const media = new Media('audio/wav', Buffer.from('HEAD'), Buffer.from('abc'), 100);
    const whole = media.bytes();
    should(whole.length).equal(media.size);
    for (let start = 0; start <= whole.length; start++) {
      for (const end of [start, start + 1, start + 5, whole.length].filter((n) => n <= whole.length)) {
        should(Buffer.concat([...media.pieces(start, end)])).deepEqual(whole.subarray(start, end));
      }
    }
    should(media.sha256).equal(createHash('sha256').update(whole).digest('hex'));
  });

  it('creates the end of a long recording without the rest', () => {
    const media = wavMedia({ title: 'long', seconds: 20 * HOUR, channels: 2 });
    should(media.size).be.above(2 ** 31);
    const pieces = [...media.pieces(media.size - 10)];
    should(Buffer.concat(pieces).length).equal(10);
  });
});

/** Walks the chunks of a RIFF file; fails when sizes do not lead exactly to the end. */
function riffChunks(bytes: Buffer): Map<string, Buffer> {
  const chunks = new Map<string, Buffer>();
  let at = 12;
  while (at < bytes.length) {
    const size = bytes.readUInt32LE(at + 4);
    chunks.set(bytes.toString('latin1', at, at + 4), bytes.subarray(at + 8, at + 8 + size));
    at += 8 + size + (size % 2);
  }
  should(at).equal(bytes.length);
  return chunks;
}

interface Frame {
  sampleRate: number;
  mono: boolean;
}

/** Skips the ID3 tag, then steps from frame header to frame header by the stated lengths. */
function mpegFrames(bytes: Buffer): Frame[] {
  const BIT_RATES = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320];
  const SAMPLE_RATES = [44_100, 48_000, 32_000];
  let at = 10 + [6, 7, 8, 9].reduce((size, n) => size * 128 + bytes.readUInt8(n), 0);
  const frames: Frame[] = [];
  while (at < bytes.length) {
    const header = bytes.readUInt32BE(at);
    should(header >>> 21).equal(0x7ff); // sync word
    should((header >>> 19) & 3).equal(3); // MPEG-1
    should((header >>> 17) & 3).equal(1); // Layer III
    const bitRate = BIT_RATES[(header >>> 12) & 15]! * 1000;
    const sampleRate = SAMPLE_RATES[(header >>> 10) & 3]!;
    const padding = (header >>> 9) & 1;
    frames.push({ sampleRate, mono: ((header >>> 6) & 3) === 3 });
    at += Math.floor((144 * bitRate) / sampleRate) + padding;
  }
  should(at).equal(bytes.length);
  return frames;
}
