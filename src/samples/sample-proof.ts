import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';

/** `sample-<uuid>-<64 hex digits>` */
const FORM = /^(sample-[0-9a-f-]{36})-([0-9a-f]{64})$/;

/**
 * Makes event ids that only this process can have made. What arrives from outside can imitate all else of a sample, and
 * flows copy messages, so neither a field nor the object itself proves where a message is from.
 */
export class SampleProof {
  readonly #secret = randomBytes(32);

  /** A fresh id. */
  newId(): string {
    const name = `sample-${randomUUID()}`;
    return `${name}-${this.#mac(name)}`;
  }

  /**
   * Whether an event is a sample that this process has sent.
   *
   * @param event `msg.event`; untrusted
   */
  proves(event: unknown): boolean {
    if (typeof event !== 'object' || event === null) return false;
    const { sample, id } = event as Partial<Record<string, unknown>>;
    if (sample !== true || typeof id !== 'string') return false;
    const [, name = '', mac = ''] = FORM.exec(id) ?? [];
    if (name === '') return false;
    return timingSafeEqual(Buffer.from(mac), Buffer.from(this.#mac(name)));
  }

  #mac(name: string): string {
    return createHmac('sha256', this.#secret).update(name).digest('hex');
  }
}
