import { type DailyEventType, type TelnyxEventType, lookUpType } from '../events/catalogue';
import type { DeliveryContent } from '../events/build-event';
import type { Provider } from '../events/provider';
import type { Shape } from '../events/shapes';
import { AI_SAMPLES } from './bodies/ai';
import { CALL_SAMPLES } from './bodies/call';
import { DAILY_SAMPLES } from './bodies/daily';
import { EMAIL_SAMPLES } from './bodies/email';
import { LEGACY_SAMPLES } from './bodies/legacy';
import { MESSAGING_SAMPLES } from './bodies/messaging';
import { NUMBERS_SAMPLES } from './bodies/numbers';
import { RECORDING_SAMPLES } from './bodies/recording';
import { MESSAGE_FORM_SAMPLES, TEXML_SAMPLES } from './bodies/texml';
import { type SampleFacts, type SampleRecipe, microseconds } from './sample-facts';

/** A body as its sender makes it. */
export interface SampleBody extends DeliveryContent {
  contentType: 'application/json' | 'application/x-www-form-urlencoded';
}

/** The compiler demands a recipe for every type of the catalogue. */
const TELNYX: Readonly<Record<TelnyxEventType, SampleRecipe>> = {
  ...CALL_SAMPLES,
  ...RECORDING_SAMPLES,
  ...AI_SAMPLES,
  ...MESSAGING_SAMPLES,
  ...EMAIL_SAMPLES,
  ...NUMBERS_SAMPLES,
  ...TEXML_SAMPLES,
  ...LEGACY_SAMPLES,
  ...MESSAGE_FORM_SAMPLES
};

const DAILY: Readonly<Record<DailyEventType, SampleRecipe>> = DAILY_SAMPLES;

const RECIPES: Readonly<Record<Provider, ReadonlyMap<string, SampleRecipe>>> = {
  telnyx: new Map(Object.entries(TELNYX)),
  daily: new Map(Object.entries(DAILY))
};

/** What the attempts of one delivery differ in. */
export type SampleAttempt = Pick<SampleFacts, 'to' | 'attempt'>;

/**
 * Makes the body of a sample of any event type of the catalogue, in the shape in which it usually arrives.
 *
 * @returns null when the catalogue does not list the type
 */
export function sampleBody(provider: Provider, type: string, facts: SampleFacts): SampleBody | null {
  return sampleAttempts(provider, type, facts)?.(facts) ?? null;
}

/**
 * As `sampleBody`, for a delivery that is repeated: what it returns makes the body of one attempt, always with the same
 * content.
 *
 * @param more fields that replace those of the sample
 */
export function sampleAttempts(
  provider: Provider,
  type: string,
  facts: SampleFacts,
  more: Record<string, unknown> = {}
): ((attempt: SampleAttempt) => SampleBody) | null {
  const recipe = RECIPES[provider].get(type);
  const entry = lookUpType(provider, type);
  if (recipe === undefined || entry === undefined) return null;
  const payload = sorted({ ...recipe(facts), ...more });
  const { shapes } = entry;
  if (!shapes.includes('texml-form'))
    return (attempt) => jsonOf(inShape(shapes[0] ?? 'envelope', type, payload, { ...facts, ...attempt }));
  const form = formOf(payload);
  return () => form;
}

/** Field names in alphabetical order, as in real deliveries. */
function sorted(payload: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(payload).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function formOf(fields: Record<string, unknown>): SampleBody {
  const pairs = Object.entries(fields).map(([name, value]): [string, string] => [name, String(value)]);
  const rawBody = Buffer.from(new URLSearchParams(pairs).toString());
  return { rawBody, contentType: 'application/x-www-form-urlencoded', query: null };
}

function jsonOf(body: object): SampleBody {
  return { rawBody: Buffer.from(JSON.stringify(body)), contentType: 'application/json', query: null };
}

function inShape(
  shape: Shape,
  event_type: string,
  payload: Record<string, unknown>,
  { id, now, to, attempt }: SampleFacts
): object {
  const occurred_at = microseconds(now);
  const created_at = occurred_at;
  switch (shape) {
    case 'daily-envelope':
      return { version: '1.0.0', type: event_type, id, payload, event_ts: now.getTime() / 1000 };
    case 'envelope-minimal':
      return { data: { event_type, payload } };
    case 'bare':
      return { event_type, id, occurred_at, payload, record_type: 'event' };
    case 'bare-minimal':
      return { event_type, payload };
    case 'flat-typed':
      return { event_type, ...payload };
    case 'link-clicked':
      return { data: { record_type: 'link_clicked', ...payload } };
    case 'meeting':
      return { id, event: event_type.replace(/^meeting\./, ''), version: '1', occurred_at, data: payload };
    case 'dispatch':
      return { event_type, format: 'v2', id, occurred_at, organization_id: 'sample', payload, urls: [to] };
    case 'event-record':
      return {
        available_notification_methods: ['webhook'],
        created_at,
        event_type,
        id,
        payload,
        payload_status: 'created',
        record_type: 'porting_event'
      };
    case 'legacy-v1':
      return { created_at, event_type, payload, record_type: 'event', webhook_id: id };
    case 'legacy-v1-flat':
      return payload;
    default:
      return {
        data: { event_type, id, occurred_at, payload, record_type: 'event' },
        meta: { attempt, delivered_to: to }
      };
  }
}
