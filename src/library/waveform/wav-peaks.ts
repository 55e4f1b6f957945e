/** The loudest and the quietest sample of a channel in each part of a recording, from -1 to 1. */
export interface Peaks {
  /** One list a channel: for each part the sample that is farthest from silence, with its sign. */
  channels: number[][];
  /** Seconds. */
  duration: number;
}

/** Parts of a recording; more than an editor's sidebar has pixels. */
const PARTS = 1000;
const MOST_CHANNELS = 2;
/** Bytes of all that comes before the samples. */
const LONGEST_HEAD = 1024 * 1024;

const PCM = 1;
const FLOAT = 3;
const A_LAW = 6;
const MU_LAW = 7;
const EXTENSIBLE = 0xfffe;

type Read = (bytes: DataView, at: number) => number;

interface Format {
  channels: number;
  rate: number;
  /** Bytes of one sample, and of those of all channels. */
  sampleBytes: number;
  frameBytes: number;
  read: Read;
}

/**
 * Finds the peaks of a WAV file while its bytes pass by (RIFF: Microsoft/IBM 1991; RF64: EBU Tech 3306).
 * Samples: PCM of 8, 16, 24 and 32 bits, floats of 32 bits, G.711 A-law and µ-law.
 */
export class WavPeaks {
  readonly #size: number;
  #head: Uint8Array = new Uint8Array(0);
  #format: Format | null = null;
  /** Bytes of samples that are still to come; frames in all. */
  #left = 0;
  #frames = 0;
  #frame = 0;
  #rest: Uint8Array = new Uint8Array(0);
  #channels: Float32Array[] = [];
  #isFound = false;

  /** @param size bytes of the whole file: while a call is recorded, its length is not yet known */
  constructor(size: number) {
    this.#size = size;
  }

  /**
   * @param bytes the next ones, in order
   * @returns false when the rest is not needed
   * @throws RangeError when this is no WAV file of a known kind
   */
  add(bytes: Uint8Array): boolean {
    if (this.#isFound) return this.#samples(bytes);
    this.#head = joined(this.#head, bytes);
    const begin = this.#readHead();
    if (begin === null) {
      if (this.#head.length > LONGEST_HEAD) throw new RangeError('There are no samples in it');
      return true;
    }
    const rest = this.#head.subarray(begin);
    this.#head = new Uint8Array(0);
    return this.#samples(rest);
  }

  /** @throws RangeError when there were no samples */
  end(): Peaks {
    const format = this.#format;
    if (!this.#isFound || format === null || this.#frames === 0)
      throw new RangeError('There are no samples in it');
    return {
      channels: this.#channels.map((peaks) => Array.from(peaks, (peak) => Math.round(peak * 1000) / 1000)),
      duration: this.#frames / format.rate
    };
  }

  /** @returns where the samples begin; null when more bytes are needed */
  #readHead(): number | null {
    const head = this.#head;
    const view = new DataView(head.buffer, head.byteOffset, head.length);
    if (head.length < 12) return null;
    const form = textAt(head, 0);
    if (!['RIFF', 'RF64', 'BW64'].includes(form) || textAt(head, 8) !== 'WAVE')
      throw new RangeError('This is no WAV file');
    for (let at = 12; at + 8 <= head.length;) {
      const name = textAt(head, at);
      const size = view.getUint32(at + 4, true);
      if (name === 'data') return this.#beginData(at + 8, size);
      if (name === 'fmt ') {
        if (at + 8 + Math.min(size, 40) > head.length) return null;
        this.#format = readFormat(view, at + 8, size);
      }
      at += 8 + size + (size % 2);
    }
    return null;
  }

  #beginData(at: number, size: number): number {
    if (this.#format === null) throw new RangeError('It does not say what its samples are');
    const present = Math.max(0, this.#size - at);
    // 0 and the largest number mean that the length was unknown when this was written, or is in a chunk of RF64.
    this.#left = size === 0 || size === 0xffffffff ? present : Math.min(size, present);
    this.#frames = Math.floor(this.#left / this.#format.frameBytes);
    const count = Math.min(this.#format.channels, MOST_CHANNELS);
    const parts = Math.min(PARTS, this.#frames);
    this.#channels = Array.from({ length: count }, () => new Float32Array(parts));
    this.#isFound = true;
    return at;
  }

  #samples(bytes: Uint8Array): boolean {
    if (this.#format === null) return false;
    const { frameBytes, sampleBytes, read } = this.#format;
    const wanted = bytes.subarray(0, this.#left);
    this.#left -= wanted.length;
    const all = joined(this.#rest, wanted);
    const view = new DataView(all.buffer, all.byteOffset, all.length);
    const parts = this.#channels[0]?.length ?? 0;
    let at = 0;
    for (; at + frameBytes <= all.length && this.#frame < this.#frames; at += frameBytes) {
      const part = Math.floor((this.#frame * parts) / this.#frames);
      this.#channels.forEach((peaks, channel) => {
        const sample = read(view, at + channel * sampleBytes);
        if (Math.abs(sample) > Math.abs(peaks[part] ?? 0)) peaks[part] = sample;
      });
      this.#frame += 1;
    }
    this.#rest = all.slice(at);
    return this.#left > 0;
  }
}

/** @throws RangeError */
function readFormat(view: DataView, at: number, size: number): Format {
  if (size < 16) throw new RangeError('It does not say what its samples are');
  const named = view.getUint16(at, true);
  const kind = named === EXTENSIBLE && size >= 26 ? view.getUint16(at + 24, true) : named;
  const channels = view.getUint16(at + 2, true);
  const rate = view.getUint32(at + 4, true);
  const frameBytes = view.getUint16(at + 12, true);
  const bits = view.getUint16(at + 14, true);
  const read = READERS.get(`${kind}/${bits}`);
  const sampleBytes = bits / 8;
  if (read === undefined || channels === 0 || rate === 0 || frameBytes !== channels * sampleBytes)
    throw new RangeError('Its samples are of an unknown kind');
  return { channels, rate, sampleBytes, frameBytes, read };
}

/** Samples from -1 to 1, by format and bits. */
const READERS: ReadonlyMap<string, Read> = new Map<string, Read>([
  [`${PCM}/8`, (bytes, at) => (bytes.getUint8(at) - 128) / 128],
  [`${PCM}/16`, (bytes, at) => bytes.getInt16(at, true) / 0x8000],
  [`${PCM}/24`, (bytes, at) => (bytes.getInt16(at + 1, true) * 256 + bytes.getUint8(at)) / 0x800000],
  [`${PCM}/32`, (bytes, at) => bytes.getInt32(at, true) / 0x80000000],
  [`${FLOAT}/32`, (bytes, at) => between(bytes.getFloat32(at, true))],
  [`${A_LAW}/8`, (bytes, at) => fromALaw(bytes.getUint8(at))],
  [`${MU_LAW}/8`, (bytes, at) => fromMuLaw(bytes.getUint8(at))]
]);

function between(sample: number): number {
  return Number.isNaN(sample) ? 0 : Math.max(-1, Math.min(1, sample));
}

/** ITU-T G.711, table 2. */
function fromMuLaw(code: number): number {
  const bits = ~code & 0xff;
  const size = (((bits & 0x0f) << 3) + 0x84) << ((bits & 0x70) >> 4);
  return ((bits & 0x80) === 0 ? size - 0x84 : 0x84 - size) / 0x8000;
}

/** ITU-T G.711, table 1. */
function fromALaw(code: number): number {
  const bits = code ^ 0x55;
  const segment = (bits & 0x70) >> 4;
  const step = ((bits & 0x0f) << 4) + 8;
  const size = segment === 0 ? step : (step + 0x100) << (segment - 1);
  return ((bits & 0x80) === 0 ? -size : size) / 0x8000;
}

function textAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (first.length === 0) return second;
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
