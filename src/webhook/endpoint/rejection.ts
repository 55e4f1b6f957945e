import type { IncomingMessage } from 'node:http';
import type { WebhookErrorCode } from '../../errors/codes';
import type { CapturedBody } from './delivery-receiver';
import { STATUS_OF } from './http-responses';

/** Why a delivery was refused, as the second output shows it. */
export interface Rejection {
  code: WebhookErrorCode;
  message: string;
  /** HTTP status that the sender got. */
  status: number;
  /** The sender's address; behind a trusted proxy, the one that the proxy reports. */
  remote: string | null;
  method: string;
  /** Without the query. */
  path: string;
}

export function rejectionOf(request: IncomingMessage, code: WebhookErrorCode, message: string): Rejection {
  const { ip, originalUrl } = request as IncomingMessage & { ip?: string; originalUrl?: string };
  return {
    code,
    message,
    status: STATUS_OF[code],
    remote: ip ?? request.socket.remoteAddress ?? null,
    method: request.method ?? '',
    path: (originalUrl ?? request.url ?? '/').split('?')[0] ?? '/'
  };
}

/** Why the bytes of a body are missing. @param maxBody bytes */
export function whyNoBytes(
  kind: CapturedBody['kind'],
  maxBody: number
): { code: WebhookErrorCode; message: string } {
  switch (kind) {
    case 'too-large':
      return {
        code: 'BODY_TOO_LARGE',
        message: `The body has more than the ${maxBody} bytes of "Body limit". Raise it if the provider sent this one.`
      };
    case 'encoded':
      return {
        code: 'UNSUPPORTED_ENCODING',
        message:
          'The body is compressed. The signature covers the plain bytes, so only those are accepted. Providers send ' +
          'them; look for a proxy that compresses.'
      };
    case 'too-slow':
      return {
        code: 'RAW_BODY_UNAVAILABLE',
        message:
          'The body did not arrive completely within 10 s. The sender or the network is too slow; it was asked to try again.'
      };
    case 'fragmented':
      return {
        code: 'RAW_BODY_UNAVAILABLE',
        message: 'The body came in too many small pieces. The sender was asked to try again.'
      };
    case 'overloaded':
      return {
        code: 'RAW_BODY_UNAVAILABLE',
        message: 'Too many unverified deliveries are arriving at once. The sender was asked to try again.'
      };
    default:
      return {
        code: 'RAW_BODY_UNAVAILABLE',
        message:
          'The exact bytes of the body are unavailable: the sender hung up, or another package or middleware read ' +
          'the body first. If it happens again and again, look for a body parser in settings.js.'
      };
  }
}
