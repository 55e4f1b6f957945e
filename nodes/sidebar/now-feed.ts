import type { NodeRedApi } from '../lib/node-red';
import { NOW_TOPIC, type NowFrame, WATCHED_MS } from './now-request';
import { nowFrame } from './now-snapshot';

/** Milliseconds between two frames. */
const FRAME_MS = 250;

/** Publishes what changes while somebody looks at "Now", and does nothing at all while nobody does. */
export class NowFeed {
  readonly #RED: NodeRedApi;
  readonly #frameOf: (since: number) => NowFrame;
  readonly #now: () => number;
  #timer: NodeJS.Timeout | undefined;
  #watchedAt = -Infinity;
  #seq = 0;
  #published = '';

  /** @param now milliseconds of a monotonic clock */
  constructor(
    RED: NodeRedApi,
    frameOf: (since: number) => NowFrame = (since) => nowFrame(RED, since),
    now: () => number = () => performance.now()
  ) {
    this.#RED = RED;
    this.#frameOf = frameOf;
    this.#now = now;
  }

  /** Whether it works at all. */
  get isRunning(): boolean {
    return this.#timer !== undefined;
  }

  /** Somebody looks, and is told everything up to a delivery. */
  watch(seq: number): void {
    this.#watchedAt = this.#now();
    if (this.#timer !== undefined) return;
    this.#seq = seq;
    this.#timer = setInterval(() => this.#publish(), FRAME_MS);
    this.#timer.unref();
  }

  #publish(): void {
    if (this.#now() - this.#watchedAt > WATCHED_MS) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const frame = this.#frameOf(this.#seq);
    this.#seq = frame.seq;
    const { files, stamp } = frame;
    const text = JSON.stringify([files, stamp]);
    if (frame.deliveries.length === 0 && text === this.#published) return;
    this.#published = text;
    this.#RED.comms.publish(NOW_TOPIC, frame, false);
  }
}
