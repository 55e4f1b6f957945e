import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Unix milliseconds. */
export type Clock = () => number;

export type LinkVerdict = 'valid' | 'unsigned' | 'wrong-signature' | 'expired';

/**
 * Makes and checks links that look like pre-signed S3 links and expire like them. The signature is a
 * plain HMAC over path, date and lifetime: only this class has to understand it.
 */
export class SignedLinks {
  readonly #clock: Clock;
  readonly #secret = randomBytes(32);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * @param path the path to sign, beginning with `/`
   * @param seconds how long the link works from now on
   * @returns the path with its query
   */
  sign(path: string, seconds: number): string {
    const date = amzDate(this.#clock());
    const query = new URLSearchParams({
      'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
      'X-Amz-Credential': `EXAMPLEKEYID/${date.slice(0, 8)}/us-east-1/s3/aws4_request`,
      'X-Amz-Date': date,
      'X-Amz-Expires': String(seconds),
      'X-Amz-SignedHeaders': 'host',
      'X-Amz-Signature': this.#signature(path, date, String(seconds))
    });
    return `${path}?${query.toString()}`;
  }

  check(path: string, query: URLSearchParams): LinkVerdict {
    const date = query.get('X-Amz-Date');
    const seconds = query.get('X-Amz-Expires');
    const signature = query.get('X-Amz-Signature');
    if (date === null || seconds === null || signature === null) return 'unsigned';
    const expected = Buffer.from(this.#signature(path, date, seconds));
    const given = Buffer.from(signature);
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return 'wrong-signature';
    return this.#clock() > fromAmzDate(date) + Number(seconds) * 1000 ? 'expired' : 'valid';
  }

  #signature(path: string, date: string, seconds: string): string {
    return createHmac('sha256', this.#secret).update(`${path}\n${date}\n${seconds}`).digest('hex');
  }
}

/** `20260304T091502Z` */
function amzDate(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/[-:]|\.\d+/g, '');
}

function fromAmzDate(date: string): number {
  return Date.parse(date.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, '$1-$2-$3:$4:$5'));
}
