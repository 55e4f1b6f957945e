import type { TabContext } from '../tab';
import { type DetailsReply, type Peaks, fetchAddress, fetchPeaks } from './archive-api';
import { element } from '../elements';
import { LARGEST_DECODED, decodedPeaks, showWaveform } from './waveform';

/** The browser's own player, with the waveform of what it plays. Nothing is fetched before the user presses play. */
export class Player {
  readonly view: HTMLElement;
  readonly #context: TabContext;
  readonly #details: DetailsReply;
  readonly #id: string;
  readonly #media: HTMLMediaElement;
  readonly #wave = element('div', { class: 'telnyx-sidebar-wave' });
  readonly #state = element('p', { class: 'telnyx-sidebar-hint telnyx-sidebar-error', role: 'alert' });
  readonly #closing = new AbortController();
  /** When the address was last renewed; milliseconds. */
  #renewedAt = -Infinity;
  #hideWave: (() => void) | null = null;

  constructor(context: TabContext, details: DetailsReply, id: string) {
    this.#context = context;
    this.#details = details;
    this.#id = id;
    const traits = { controls: true, preload: 'none', 'aria-label': context.say('archive.player') };
    this.#media = details.row.kind === 'video' ? element('video', traits) : element('audio', traits);
    this.#media.addEventListener('error', () => void this.#renew());
    this.view = element('div', { class: 'telnyx-sidebar-player' }, this.#media, this.#wave, this.#state);
    void this.#load();
    if (details.waveform) void this.#showComputed();
    else this.#media.addEventListener('playing', () => void this.#showDecoded(), { once: true });
  }

  close(): void {
    this.#closing.abort();
    this.#hideWave?.();
    this.#media.pause();
    this.#media.removeAttribute('src');
    this.#media.load();
  }

  #isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  async #load(): Promise<boolean> {
    const answer = await fetchAddress(this.#context, this.#id, 'play');
    if (this.#isClosed()) return false;
    this.#state.textContent = answer.ok ? '' : answer.error;
    if (answer.ok) this.#media.src = answer.reply;
    return answer.ok;
  }

  /** The address works for some minutes only: after a long pause, another one is needed. */
  async #renew(): Promise<void> {
    if (this.#isClosed() || this.#media.getAttribute('src') === null) return;
    const { say } = this.#context;
    const at = this.#media.currentTime;
    if (performance.now() - this.#renewedAt < RENEW_MS) {
      this.#state.textContent = say('archive.not-played');
      return;
    }
    this.#renewedAt = performance.now();
    if (!(await this.#load())) return;
    this.#media.currentTime = at;
    await this.#media.play().catch(() => undefined);
  }

  async #showComputed(): Promise<void> {
    const answer = await fetchPeaks(this.#context, this.#id);
    if (answer.ok && answer.reply.peaks !== null) await this.#showPeaks(answer.reply.peaks);
  }

  async #showDecoded(): Promise<void> {
    const size = this.#details.recording['size'];
    if (this.#details.row.kind === 'video' || typeof size !== 'number' || size > LARGEST_DECODED) return;
    try {
      await this.#showPeaks(await decodedPeaks(this.#media.src, this.#closing.signal));
    } catch {
      // The recording plays without a picture of it.
    }
  }

  async #showPeaks(peaks: Peaks): Promise<void> {
    if (this.#isClosed()) return;
    try {
      const hide = await showWaveform(this.#wave, this.#media, peaks);
      if (this.#isClosed()) hide();
      else this.#hideWave = hide;
    } catch {
      this.#state.textContent = this.#context.say('archive.no-wave');
    }
  }
}

/** Milliseconds within which a second fault has another reason than the age of the address. */
const RENEW_MS = 30_000;
