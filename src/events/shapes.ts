/**
 * The forms in which a body can arrive, all found in the documentation of the two senders or in captures of
 * real deliveries. The flow sees the form of a delivery as `msg.event.shape`.
 */
export const SHAPES = [
  /** `data.event_type`, no `meta`. */
  'envelope',
  /** As `envelope`, with a root `meta` (attempt, delivered_to). */
  'envelope-meta',
  /** `data.event_type` with neither `id` nor `occurred_at` nor `meta`. */
  'envelope-minimal',
  /** The envelope's fields at the root, no `data`. */
  'bare',
  /** Root `event_type` and `payload`, no identity and no time. */
  'bare-minimal',
  /** `data.record_type` is `link_clicked`; no event type. */
  'link-clicked',
  /** Root `event_type`, the other fields beside it, no `payload`. */
  'flat-typed',
  /** 10DLC campaign status: camelCase fields at the root. */
  'flat-camel',
  /** Meetings: root `event` and `version`; `data` is the payload. */
  'meeting',
  /** Porting: the envelope together with its delivery addresses. */
  'dispatch',
  /** Porting: the stored form of an event (`payload_status`). */
  'event-record',
  /** API v1: root `event_type`, `payload`, `webhook_id` or `created_at`. */
  'legacy-v1',
  /** API v1 message record: root `sms_id`, no type. */
  'legacy-v1-flat',
  /** A form body (TeXML callbacks), or the same fields sent as JSON. */
  'texml-form',
  /** Fields in the query string of a GET. */
  'texml-query',
  /** A delivery record with the event inside `metadata.event`. */
  'debug-record',
  /** Only the payload of a recording event. */
  'payload-fragment',
  /** Daily: root `type` and `payload`. */
  'daily-envelope',
  /** Anything else, for instance the tool call of an AI assistant, whose body its author chose. */
  'unstructured'
] as const;

export type Shape = (typeof SHAPES)[number];
