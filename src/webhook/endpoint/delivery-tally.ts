import type { WebhookErrorCode } from '../../errors/codes';

/** So many refusals in a row make a node suspect that worked before. Strangers alone cannot count that far. */
const SUSPICIOUS_IN_A_ROW = 10;

/** What anybody on the internet causes by a visit, with no signature of a provider. */
const NOISE: ReadonlySet<WebhookErrorCode> = new Set(['METHOD_NOT_ALLOWED', 'MISSING_SIGNATURE']);

/** A node that refuses everything: how many deliveries since the last accepted one, and why. */
export interface Trouble {
  refused: number;
  code: WebhookErrorCode;
}

/**
 * Counts deliveries, and tells a node that refuses everything from one that strangers knock at. Before the first
 * delivery is accepted each refusal tells the user what is wrong; later only ten in a row that carried a
 * signature do.
 */
export class DeliveryTally {
  #received = 0;
  #refused = 0;
  #everAccepted = false;
  #sinceAccepted = 0;
  #signedSinceAccepted = 0;
  #code: WebhookErrorCode | null = null;

  /** @param recovered handed over again after a crash: says nothing about the keys of today */
  received(recovered: boolean): void {
    this.#received += 1;
    if (recovered) return;
    this.#everAccepted = true;
    this.#sinceAccepted = 0;
    this.#signedSinceAccepted = 0;
    this.#code = null;
  }

  refused(code: WebhookErrorCode): void {
    this.#refused += 1;
    this.#sinceAccepted += 1;
    // A scanner that comes by does not hide why the provider's own deliveries are refused.
    if (!NOISE.has(code) || this.#signedSinceAccepted === 0) this.#code = code;
    if (!NOISE.has(code)) this.#signedSinceAccepted += 1;
  }

  get counts(): { received: number; refused: number } {
    return { received: this.#received, refused: this.#refused };
  }

  get trouble(): Trouble | null {
    if (this.#code === null) return null;
    if (this.#everAccepted && this.#signedSinceAccepted < SUSPICIOUS_IN_A_ROW) return null;
    return { refused: this.#sinceAccepted, code: this.#code };
  }
}
