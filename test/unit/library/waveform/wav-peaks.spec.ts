import should from 'should';
import { type Peaks, WavPeaks } from '../../../../src/library/waveform/wav-peaks';
import { type WavParts, wavFile } from './wav-file';

function peaksOf(bytes: Uint8Array, pieceBytes = 777): Peaks {
  const found = new WavPeaks(bytes.length);
  for (let at = 0; at < bytes.length; at += pieceBytes)
    if (!found.add(bytes.slice(at, at + pieceBytes))) break;
  return found.end();
}

const ramp = Array.from({ length: 4000 }, (_value, at) => (at < 2000 ? 0.8 : -0.4));
const quiet = ramp.map(() => 0);

describe('wav-peaks', () => {
  it('finds the peaks of each channel, whatever the pieces', () => {
    const file = wavFile({ rate: 8000, channels: [ramp, quiet] });
    for (const size of [1, 3, 64, 100_000]) {
      const { channels, duration } = peaksOf(file, size);
      should(duration).equal(0.5);
      should(channels).have.length(2);
      should(channels[0]![0]).be.approximately(0.8, 0.001);
      should(channels[0]![999]).be.approximately(-0.4, 0.001);
      should(channels[1]!.every((peak) => peak === 0)).be.true();
    }
  });

  const formats: Record<string, NonNullable<WavParts['format']>> = {
    'PCM of 8 bits': {
      kind: 1,
      bits: 8,
      write: (view, at, sample) => view.setUint8(at, 128 + Math.round(sample * 127))
    },
    'PCM of 24 bits': {
      kind: 1,
      bits: 24,
      write: (view, at, sample) => {
        view.setUint8(at, 0);
        view.setInt16(at + 1, Math.round(sample * 0x7fff), true);
      }
    },
    'PCM of 32 bits': {
      kind: 1,
      bits: 32,
      write: (view, at, sample) => view.setInt32(at, sample * 0x7fffffff, true)
    },
    floats: { kind: 3, bits: 32, write: (view, at, sample) => view.setFloat32(at, sample, true) }
  };
  for (const [name, format] of Object.entries(formats))
    it(`reads ${name}`, () => {
      const { channels } = peaksOf(wavFile({ rate: 8000, channels: [ramp], format }));
      should(channels[0]![0]).be.approximately(0.8, 0.01);
      should(channels[0]![999]).be.approximately(-0.4, 0.01);
    });

  it('reads G.711 by its tables', () => {
    const of = (kind: number, code: number): number => {
      const write = (view: DataView, at: number): void => view.setUint8(at, code);
      return peaksOf(wavFile({ rate: 8000, channels: [[0, 0]], format: { kind, bits: 8, write } }))
        .channels[0]![0]!;
    };
    // The largest and the smallest values of ITU-T G.711, of 16 bits.
    should(of(7, 0x80)).be.approximately(32_124 / 32_768, 0.001);
    should(of(7, 0x00)).be.approximately(-32_124 / 32_768, 0.001);
    should(of(7, 0xff)).equal(0);
    should(of(6, 0xaa)).be.approximately(32_256 / 32_768, 0.001);
    should(of(6, 0x2a)).be.approximately(-32_256 / 32_768, 0.001);
  });

  it('accepts what recorders write: other chunks, no length, a length beyond the file, RF64', () => {
    const before = Buffer.concat([Buffer.from('LIST\x03\0\0\0abc\0', 'latin1')]);
    for (const more of [
      { before },
      { dataSize: 0 },
      { dataSize: 0xffffffff },
      { dataSize: 900_000 },
      { form: 'RF64' }
    ])
      should(peaksOf(wavFile({ rate: 8000, channels: [ramp], ...more })).duration).equal(0.5);
  });

  it('takes as many parts as there are samples when they are few, and the rest of a torn sample not at all', () => {
    const { channels } = peaksOf(wavFile({ rate: 8000, channels: [[0.5, -0.5, 0.25]] }));
    should(channels[0]).have.length(3);
    const torn = wavFile({ rate: 8000, channels: [[0.5, 0.5]] });
    should(peaksOf(torn.subarray(0, torn.length - 1)).channels[0]).have.length(1);
  });

  const hostile: Record<string, Buffer> = {
    nothing: Buffer.alloc(0),
    'a page': Buffer.from('<!doctype html><title>Not found</title>'),
    'only a head': Buffer.from('RIFF\0\0\0\0WAVE', 'latin1'),
    'samples without a format': Buffer.from('RIFF\0\0\0\0WAVEdata\x04\0\0\0abcd', 'latin1'),
    'a format without samples': wavFile({ rate: 8000, channels: [[]] }),
    'no channels': wavFile({ rate: 8000, channels: [] }),
    'a rate of 0': wavFile({ rate: 0, channels: [ramp] }),
    'an unknown format': wavFile({
      rate: 8000,
      channels: [ramp],
      format: { kind: 85, bits: 16, write: () => undefined }
    }),
    'an endless chunk': Buffer.concat([
      Buffer.from('RIFF\0\0\0\0WAVEjunk\xff\xff\xff\xff', 'latin1'),
      Buffer.alloc(2_000_000)
    ])
  };
  for (const [name, bytes] of Object.entries(hostile))
    it(`refuses ${name}`, () => {
      should(() => peaksOf(bytes, 64_000)).throw(RangeError);
    });
});
