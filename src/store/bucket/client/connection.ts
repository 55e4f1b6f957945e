import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { CodedError } from '../../../errors/coded-error';
import type { NoticeName } from '../../../errors/notice';
import { ANSWER_LIMITS, limitResponses, type ResponseLimits } from './capped-responses';
import { bucketFault, describeError } from './fault';
import { BucketProxy } from './proxied-handler';
import type { BucketSettings } from './settings';
import { loadS3Sdk, type S3Sdk } from './s3-sdk';

/** What a request is made with. */
export interface S3Request {
  sdk: S3Sdk;
  client: S3Client;
  /** Aborted when the connection closes. */
  abortSignal: AbortSignal;
}

/**
 * `cannot-list-versions`: concurrent writes of the same key cannot be detected. `cannot-take-back`: the later
 * version could not be deleted.
 */
export type BucketNotice = Extract<NoticeName, 'cannot-list-versions' | 'cannot-take-back'>;

export interface ConnectionOptions {
  /** Default: the AWS SDK, loaded when it is first needed. */
  load?: (() => Promise<S3Sdk>) | undefined;
  limits?: ResponseLimits | undefined;
  onNotice?: ((notice: BucketNotice) => void) | undefined;
}

const CONNECT_MS = 10_000;
/** Less, so that the error names the proxy. */
const PROXY_CONNECT_MS = 9000;
/** Without a byte in either direction. */
const IDLE_MS = 60_000;

/**
 * The connection to one bucket. The AWS SDK is loaded with the first request. What a compatible store does
 * not implement (checksums, conditional writes) is left out after its first refusal.
 */
export class BucketConnection {
  readonly #closing = new AbortController();
  #loaded: Promise<{ sdk: S3Sdk; client: S3Client }> | undefined;
  #proxy: BucketProxy | null = null;
  #sendsChecksums = true;
  #sendsConditions = true;
  #isVersioned = false;
  readonly #told = new Set<BucketNotice>();
  readonly #load: () => Promise<S3Sdk>;
  readonly #onNotice: (notice: BucketNotice) => void;
  readonly limits: ResponseLimits;

  constructor(
    readonly settings: BucketSettings,
    { load = loadS3Sdk, limits = ANSWER_LIMITS, onNotice = () => undefined }: ConnectionOptions = {}
  ) {
    this.#load = load;
    this.limits = limits;
    this.#onNotice = onNotice;
  }

  get sendsChecksums(): boolean {
    return this.#sendsChecksums;
  }

  get sendsConditions(): boolean {
    return this.#sendsConditions;
  }

  /** True once an answer named a version. */
  get isVersioned(): boolean {
    return this.#isVersioned;
  }

  get isClosing(): boolean {
    return this.#closing.signal.aborted;
  }

  at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.settings.bucket, Key: key };
  }

  /**
   * Sends a request, and repeats it without features that the store does not implement. @throws errors of the
   * SDK
   */
  async send<Result>(request: (using: S3Request) => Promise<Result>): Promise<Result> {
    for (;;) {
      const loaded = await this.#ready();
      try {
        return await request({ ...loaded, abortSignal: this.#closing.signal });
      } catch (error) {
        if (!this.#leavesOut(error)) throw error;
      }
    }
  }

  /** Notes that the bucket keeps versions when a response names one. @returns the same id */
  seen(versionId: string | null): string | null {
    if (versionId !== null) this.#isVersioned = true;
    return versionId;
  }

  /** Reports once what a user should know about the bucket. */
  tell(notice: BucketNotice): void {
    if (this.#told.has(notice)) return;
    this.#told.add(notice);
    this.#onNotice(notice);
  }

  /** @param doing what failed, for example `store calls/a.mp3` */
  fault(doing: string, error: unknown): CodedError {
    if (this.isClosing && error instanceof Error && error.name === 'AbortError')
      return new CodedError('STORE_FAILED', `Could not ${doing}: the node was stopped.`, { retryable: true });
    return bucketFault(`${doing} in the bucket ${this.settings.bucket}`, error);
  }

  /** Aborts the requests under way; those that clear up still work. */
  close(): void {
    this.#closing.abort();
  }

  /** Closes the connections. */
  async end(): Promise<void> {
    this.close();
    const loaded = this.#loaded;
    this.#loaded = undefined;
    (await loaded?.catch(() => undefined))?.client.destroy();
    this.#proxy?.close();
  }

  async #ready(): Promise<{ sdk: S3Sdk; client: S3Client }> {
    const loading = (this.#loaded ??= this.#start());
    try {
      return await loading;
    } catch (error) {
      // The next request tries again: too many open files are a passing fault.
      if (this.#loaded === loading) this.#loaded = undefined;
      throw error;
    }
  }

  async #start(): Promise<{ sdk: S3Sdk; client: S3Client }> {
    const sdk = await this.#load();
    const { proxy: choice = null, endpoint } = this.settings;
    const proxy = choice && new BucketProxy({ choice, endpoint, connectTimeoutMs: PROXY_CONNECT_MS });
    this.#proxy = proxy;
    const client = new sdk.S3Client(clientConfig(this.settings, proxy));
    proxy?.direct(client);
    limitResponses(client, this.limits);
    client.middlewareStack.add(
      (next) => (args) => {
        signKnownHash(args.request);
        return next(args);
      },
      { step: 'build', name: 'signKnownHash' }
    );
    return { sdk, client };
  }

  #leavesOut(error: unknown): boolean {
    if (describeError(error).code !== 'NotImplemented') return false;
    const { message, Header } = error as Error & { Header?: unknown };
    const text = `${message} ${String(Header)}`;
    if (this.#sendsChecksums && !/if-(none-)?match/i.test(text)) {
      this.#sendsChecksums = false;
      return true;
    }
    if (this.#sendsConditions && !/checksum/i.test(text)) {
      this.#sendsConditions = false;
      return true;
    }
    return false;
  }
}

function clientConfig(
  { endpoint, region, credentials, forcePathStyle }: BucketSettings,
  proxy: BucketProxy | null
): S3ClientConfig {
  return {
    ...(endpoint === null ? {} : { endpoint }),
    ...(region === null ? {} : { region }),
    ...(credentials === null ? {} : { credentials }),
    forcePathStyle,
    maxAttempts: 3,
    // SHA-256 is sent on purpose; the SDK's own default breaks stores that do not know CRC headers.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout: IDLE_MS, ...proxy?.agents }
  };
}

/**
 * Lets the signature use the SHA-256 that was computed while the bytes arrived: hashing a part of 5 MiB in one
 * go would block the flows on a small machine.
 */
function signKnownHash(request: unknown): void {
  const { headers } = request as { headers?: Record<string, string> };
  const checksum = headers?.['x-amz-checksum-sha256'];
  if (headers !== undefined && checksum !== undefined)
    headers['x-amz-content-sha256'] = Buffer.from(checksum, 'base64').toString('hex');
}
