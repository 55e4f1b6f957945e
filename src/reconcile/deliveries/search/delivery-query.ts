import { CodedError } from '../../../errors/coded-error';
import { familyOf, lookUpType, resolveAlias } from '../../../events/catalogue';
import { PROVIDERS, type Provider } from '../../../events/provider';
import { numberParts } from '../../../text/number-parts';
import type { LoggedDelivery } from '../../../webhook/log/record';
import { type EventFilter, readEvents } from '../event-patterns';
import type { DeliveryState } from './shown-delivery';
import { shownText } from './shown-message';

const STATES: readonly DeliveryState[] = ['handed-over', 'waiting', 'duplicate'];

/** Which deliveries a user wants to see. */
export interface DeliveryQuery {
  /** Milliseconds since 1970. */
  from: number;
  /** As `from`; excluded. */
  to: number;
  provider: Provider | null;
  isWanted: EventFilter;
  state: DeliveryState | null;
  /** A part of a number, an id or a path; empty: everything. */
  what: string;
}

/** What is asked of one delivery. */
export interface AskedDelivery {
  delivery: LoggedDelivery;
  state: DeliveryState;
  /** Of its node; null when that does not run. */
  path: string | null;
}

const LONGEST = 200;

/**
 * Reads a query.
 *
 * @param asked gives the values of a request by their names; untrusted
 * @throws CodedError `BAD_SETTING` that says what is wrong
 */
export function readDeliveryQuery(asked: (name: string) => unknown): DeliveryQuery {
  return {
    from: readTime(asked('from')) ?? -Infinity,
    to: readTime(asked('before')) ?? Infinity,
    provider: readChoice(asked('provider'), PROVIDERS),
    isWanted: readEvents(asked('events') ?? ''),
    state: readChoice(asked('state'), STATES),
    what: readWhat(asked('what'))
  };
}

function readWhat(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'string' && value.length <= LONGEST) return value.trim().toLowerCase();
  throw new CodedError('BAD_SETTING', `Search for a text of at most ${LONGEST} characters.`);
}

function readChoice<Choice extends string>(value: unknown, choices: readonly Choice[]): Choice | null {
  if (value === undefined || value === null || value === '') return null;
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  throw new CodedError('BAD_SETTING', 'This choice is unknown. Load the editor again.');
}

function readTime(value: unknown): number | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return value;
  throw new CodedError('BAD_SETTING', 'The times of the search cannot be read. Choose them again.');
}

/** What becomes of a delivery that is in a log. */
export function stateOf(delivery: LoggedDelivery, isWaiting: boolean): DeliveryState {
  if (isWaiting) return 'waiting';
  return delivery.duplicate === true ? 'duplicate' : 'handed-over';
}

/** Bodies that are larger are searched only to here. */
const LONGEST_BODY = 1024 * 1024;

/**
 * Compiles what is asked of a delivery, apart from the time.
 *
 * Nobody can find out a secret by searching for its parts: only what the editor shows of a body counts.
 */
export function deliveryMatcher({
  provider,
  isWanted,
  state,
  what
}: DeliveryQuery): (asked: AskedDelivery) => boolean {
  const inText = textMatcher(what);
  return (asked) =>
    (provider === null || asked.delivery.provider === provider) &&
    (state === null || asked.state === state) &&
    isWanted(routedEvent(asked.delivery)) &&
    inText(asked);
}

function textMatcher(what: string): (asked: AskedDelivery) => boolean {
  if (what === '') return () => true;
  const numbers = numberParts(what);
  const inJson = JSON.stringify(what).slice(1, -1);
  const inForm = formText(what);
  const inShown = [what, inJson, ...numbers];
  const inBody = [...inShown, inForm];
  return ({ delivery, path }) => {
    const { id, eventType, rawBody, query } = delivery;
    if ([id, eventType, path ?? ''].some((text) => text.toLowerCase().includes(what))) return true;
    const body = query ?? rawBody.toString('utf8', 0, LONGEST_BODY);
    if (!holds(body, inBody) && !mayBeEscaped(body, what)) return false;
    return holds(shownText(delivery), inShown);
  };
}

function holds(text: string, parts: readonly string[]): boolean {
  const low = text.toLowerCase();
  return parts.some((part) => low.includes(part));
}

/** As a form spells it, in lower case. */
function formText(what: string): string {
  return new URLSearchParams([['', what]]).toString().slice(1).toLowerCase();
}

/** Senders may spell a character of a text in JSON as `\u00e9`, and any character of a form as `%41`. */
function mayBeEscaped(body: string, what: string): boolean {
  return NOT_ASCII.test(what) && body.includes('\\u');
}

const NOT_ASCII = /[^\x20-\x7e]/;

function routedEvent({ provider, eventType }: LoggedDelivery): Parameters<EventFilter>[0] {
  return {
    provider,
    event_type: eventType,
    canonical_type: resolveAlias(provider, eventType),
    family: familyOf(provider, eventType),
    known: lookUpType(provider, eventType) !== undefined
  };
}
