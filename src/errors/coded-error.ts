import type { ErrorCode } from './codes';
import { type Trouble, troubleOfCode } from './trouble';

export interface CodedErrorOptions {
  /** The error underneath. Its text is for the log; it must hold no secret and no signed link. */
  cause?: unknown;
  /** Whether the same attempt, made again later, can succeed. Default false. */
  retryable?: boolean;
  /**
   * With `retryable`: whether another address of the same file may work immediately when this one is rejected.
   * Default false.
   */
  linkInDoubt?: boolean;
  /** What is wrong, when the code alone does not say it. */
  trouble?: Trouble;
  /** Earliest time of the next attempt, in milliseconds from now, when the other side named one. */
  retryAfterMs?: number;
}

/**
 * The only error class of this package. `code` is stable and meant for Catch nodes
 * (`msg.error.code`); `message` says what was expected, what arrived and what to do next.
 */
export class CodedError extends Error {
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly linkInDoubt: boolean;
  readonly retryAfterMs: number | undefined;
  readonly trouble: Trouble;

  constructor(code: ErrorCode, message: string, options: CodedErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    // Node-RED's log shows the name before the message.
    this.name = code;
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.linkInDoubt = options.linkInDoubt ?? false;
    this.retryAfterMs = options.retryAfterMs;
    this.trouble = options.trouble ?? troubleOfCode(code);
  }

  /** The same error, from the same place, with another text. */
  saying(message: string): CodedError {
    const { code, cause, retryable, linkInDoubt, retryAfterMs, trouble } = this;
    const said = new CodedError(code, message, {
      ...{ cause, retryable, linkInDoubt, trouble },
      ...(retryAfterMs !== undefined && { retryAfterMs })
    });
    if (this.stack !== undefined) said.stack = this.stack.replace(this.message, () => message);
    return said;
  }
}
