import type { DeliveryParser } from '../build-event';
import type { Provider } from '../provider';
import { parseDailyDelivery } from './parse-daily';
import { parseTelnyxDelivery } from './parse-telnyx';

// An object, so that the compiler demands every provider.
const BY_PROVIDER: Readonly<Record<Provider, DeliveryParser>> = {
  telnyx: parseTelnyxDelivery,
  daily: parseDailyDelivery
};

/** The parser of each provider's deliveries. A map, because names from disk are looked up in it. */
export const PARSERS: ReadonlyMap<string, DeliveryParser> = new Map(Object.entries(BY_PROVIDER));
