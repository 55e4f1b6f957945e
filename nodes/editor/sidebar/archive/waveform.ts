import type { Peaks } from './archive-api';

/** The part of wavesurfer.js that is used. */
interface WaveSurfer {
  destroy(): void;
}
interface WaveSurferLibrary {
  create(options: {
    container: HTMLElement;
    media: HTMLMediaElement;
    peaks: number[][];
    duration: number;
    height: number;
    waveColor: string;
    progressColor: string;
    cursorColor: string;
    splitChannels?: object[];
  }): WaveSurfer;
}

const SCRIPT = 'resources/@red-telephony/node-red-telnyx/wavesurfer/wavesurfer.min.js';
/** Pixels of a channel. */
const HEIGHT = 48;

let library: Promise<WaveSurferLibrary> | undefined;

/** Loads the library when a waveform is first shown. @throws when it does not arrive */
function loaded(): Promise<WaveSurferLibrary> {
  library ??= new Promise<WaveSurferLibrary>((resolve, reject) => {
    const script = document.createElement('script');
    script.src = `${RED.settings.apiRootUrl ?? ''}${SCRIPT}`;
    script.addEventListener('load', () => {
      resolve((window as unknown as { WaveSurfer: WaveSurferLibrary }).WaveSurfer);
    });
    script.addEventListener('error', () => {
      library = undefined;
      reject(new Error('The script for waveforms did not arrive'));
    });
    document.head.append(script);
  });
  return library;
}

/**
 * Shows the waveform of what a player plays, and follows it: a click goes there.
 *
 * @returns a function that removes it
 * @throws when the library cannot be loaded
 */
export async function showWaveform(
  container: HTMLElement,
  media: HTMLMediaElement,
  { channels, duration }: Peaks
): Promise<() => void> {
  const wavesurfer = await loaded();
  const colours = getComputedStyle(container);
  const shown = wavesurfer.create({
    container,
    media,
    peaks: channels,
    duration,
    height: HEIGHT,
    // A canvas knows no variables of the style sheet.
    waveColor: colours.getPropertyValue('--red-ui-tertiary-text-color').trim() || colours.color,
    progressColor: colours.getPropertyValue('--red-ui-text-color-link').trim() || colours.color,
    cursorColor: colours.color,
    ...(channels.length > 1 && { splitChannels: channels.map(() => ({})) })
  });
  return () => shown.destroy();
}

/** Bytes of a file that the browser decodes: an hour of a call. */
export const LARGEST_DECODED = 16 * 1024 * 1024;
/** Samples a second: enough for a picture, and little memory. */
const RATE = 8000;
const PARTS = 1000;

/**
 * Finds the peaks of a file that only the browser can decode.
 *
 * @param address of its bytes
 * @throws when it cannot be fetched or decoded
 */
export async function decodedPeaks(address: string, signal: AbortSignal): Promise<Peaks> {
  const decoded = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(await bytesAt(address, signal));
  const channels = Array.from({ length: Math.min(decoded.numberOfChannels, 2) }, (_value, channel) =>
    peaksOf(decoded.getChannelData(channel))
  );
  return { channels, duration: decoded.duration };
}

function bytesAt(address: string, signal: AbortSignal): Promise<ArrayBuffer> {
  const request = new XMLHttpRequest();
  request.open('GET', address);
  request.responseType = 'arraybuffer';
  signal.addEventListener('abort', () => request.abort(), { once: true });
  return new Promise((resolve, reject) => {
    const fail = (): void => reject(new Error('It cannot be fetched'));
    request.addEventListener('load', () => {
      if (request.status === 200) resolve(request.response as ArrayBuffer);
      else fail();
    });
    for (const end of ['error', 'abort']) request.addEventListener(end, fail);
    request.send();
  });
}

function peaksOf(samples: Float32Array): number[] {
  const peaks = new Array<number>(Math.min(PARTS, samples.length)).fill(0);
  samples.forEach((sample, at) => {
    const part = Math.floor((at * peaks.length) / samples.length);
    if (Math.abs(sample) > Math.abs(peaks[part] ?? 0)) peaks[part] = sample;
  });
  return peaks;
}
