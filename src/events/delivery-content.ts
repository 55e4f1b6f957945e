import type { ParseResult } from './reading/parse-result';

/** The part of a verified delivery that a parser looks at. */
export interface DeliveryContent {
  /** Exactly the bytes received. */
  rawBody: Buffer;
  /** The `Content-Type` header, if any. */
  contentType: string | undefined;
  /** Raw query string of a GET delivery (without `?`), else null. */
  query: string | null;
}

/** Turns a verified delivery into an event. Never throws. */
export type DeliveryParser = (content: DeliveryContent) => ParseResult;
