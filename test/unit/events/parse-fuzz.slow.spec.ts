import fc from 'fast-check';
import should from 'should';
import type { ParseResult } from '../../../src/events/build-event';
import { parseDailyDelivery } from '../../../src/events/reading/parse-daily';
import { parseTelnyxDelivery } from '../../../src/events/reading/parse-telnyx';
import { SHAPES } from '../../../src/events/shapes';
import { loadFixtures } from './fixtures';

const TYPES = [undefined, 'application/json', 'application/x-www-form-urlencoded', 'text/xml; charset=x'];
/** Names that mean something to the parser or to JavaScript. */
const NAMES = [
  ...[
    'data',
    'meta',
    'payload',
    'event_type',
    'id',
    'occurred_at',
    'created_at',
    'webhook_id',
    'client_state'
  ],
  ...['event', 'version', 'type', 'event_ts', 'urls', 'format', 'payload_status', 'metadata', 'campaignId'],
  ...['sms_id', 'recording_urls', 'conference_id', 'record_type', 'attempt', 'delivered_to', 'CallSid'],
  ...['AccountSid', 'CallStatus', 'RecordingStatus', 'SiprecEvent', 'CallCost[x]', 'data[event_type]'],
  ...['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'length', '']
];
const OBJECT_PROTOTYPE = Object.getOwnPropertyNames(Object.prototype).sort().join();

/** What must hold for every result, whatever the input. */
function check(result: ParseResult): void {
  if (!result.ok) {
    if (result.message === '') throw new Error('refused without a reason');
    return;
  }
  const { event } = result;
  if (typeof event.event_type !== 'string' || event.event_type === '') throw new Error('no event type');
  if (!(SHAPES as readonly string[]).includes(event.shape)) throw new Error(`no such shape: ${event.shape}`);
  for (const text of [
    event.own_id,
    event.occurred_at,
    event.client_state,
    event.delivered_to,
    event.record_type
  ]) {
    if (text !== null && typeof text !== 'string') throw new Error('a field that is neither text nor null');
  }
  if (event.attempt !== null && !Number.isSafeInteger(event.attempt)) throw new Error('an odd attempt');
  if (event.occurred_at !== null && !/^\d{4}-\d\d-\d\dT[\d:.]{12}Z$/.test(event.occurred_at)) {
    throw new Error(`no time: ${event.occurred_at}`);
  }
  const text = JSON.stringify(event);
  if (JSON.stringify(JSON.parse(text)) !== text) throw new Error('not the same after a JSON copy');
  checkPrototypes(event);
}

/** Only JSON's own prototypes, and no key that would change one when copied. Recursion is safe: 100 levels. */
function checkPrototypes(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  const expected: unknown = Array.isArray(value) ? Array.prototype : Object.prototype;
  if (Object.getPrototypeOf(value) !== expected) throw new Error('a changed prototype');
  if (Object.hasOwn(value, '__proto__')) throw new Error('a key __proto__');
  for (const child of Object.values(value)) checkPrototypes(child);
}

function checkBytes(rawBody: Buffer, contentType: string | undefined): void {
  check(parseTelnyxDelivery({ rawBody, contentType, query: null }));
  check(parseDailyDelivery({ rawBody, contentType }));
}

const contentType = fc.constantFrom(...TYPES);
const name = fc.oneof({ weight: 6, arbitrary: fc.constantFrom(...NAMES) }, fc.string({ maxLength: 8 }));
const word = fc.oneof(
  fc.constantFrom(
    'call.initiated',
    'recording_saved',
    'link_clicked',
    '2026-03-04T09:15:02Z',
    '',
    'dGVzdA=='
  ),
  fc.string({ unit: 'binary', maxLength: 12 })
);
const { json } = fc.letrec<{ json: unknown }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    word,
    fc.constantFrom<unknown>(null, true, 0, -1, 1.5, 1772615702118, 1e300),
    fc.array(tie('json'), { maxLength: 3 }),
    // Entries, not objects: this gets a key __proto__ into the text.
    fc.array(fc.tuple(name, tie('json')), { maxLength: 6 }).map((entries) => new Map(entries))
  )
}));

/** JSON text of a value whose Maps stand for objects, so that any key can occur. */
function toText(value: unknown): string {
  if (value instanceof Map) {
    const fields = [...(value as Map<string, unknown>)].map(
      ([key, child]) => `${JSON.stringify(key)}:${toText(child)}`
    );
    return `{${fields.join()}}`;
  }
  return Array.isArray(value) ? `[${value.map(toText).join()}]` : JSON.stringify(value);
}

/** One change to a body: cut, drop, repeat, overwrite or insert bytes. */
interface Mutation {
  at: number;
  length: number;
  insert: string;
}

const SNIPPETS = [
  '',
  '"',
  '{',
  '}',
  '[',
  ']',
  ':',
  ',',
  '=',
  '&',
  '%',
  '\\',
  '\0',
  '\uFEFF',
  '"__proto__":{},',
  '{"a":',
  'null',
  '1e999',
  '\\ud800'
];
const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  length: fc.constantFrom(0, 0, 1, 1, 2, 9, 1000),
  insert: fc.oneof(fc.constantFrom(...SNIPPETS), fc.string({ unit: 'binary', maxLength: 4 }))
});

function mutate(body: Buffer, { at, length, insert }: Mutation): Buffer {
  const start = Math.floor(at * body.length);
  return Buffer.concat([
    body.subarray(0, start),
    Buffer.from(insert, 'latin1'),
    body.subarray(start + length)
  ]);
}

/** Like encodeURIComponent, which rejects half a surrogate pair. */
function escape(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString());
}

describe('events: any body (100,000 and more)', function () {
  this.timeout(60_000);
  let bodies = 0;

  function always<T>(numRuns: number, property: fc.IProperty<T>): void {
    fc.assert(property, { numRuns });
    bodies += numRuns;
  }

  afterEach('Object.prototype is unchanged', () => {
    should(Object.getOwnPropertyNames(Object.prototype).sort().join()).equal(OBJECT_PROTOTYPE);
  });

  it('JSON of every form', () => {
    always(
      25_000,
      fc.property(json, contentType, (value, type) => checkBytes(Buffer.from(toText(value)), type))
    );
  });

  it('fixtures with bytes cut, dropped and inserted', () => {
    const fixtures = [...loadFixtures('telnyx'), ...loadFixtures('daily')].map((fixture) => fixture.bytes);
    always(
      50_000,
      fc.property(
        fc.constantFrom(...fixtures),
        fc.array(mutation, { minLength: 1, maxLength: 3 }),
        contentType,
        (bytes, mutations, type) => checkBytes(mutations.reduce(mutate, bytes), type)
      )
    );
  });

  it('forms', () => {
    const field = fc.tuple(name, word).map(([key, value]) => `${escape(key)}=${escape(value)}`);
    always(
      15_000,
      fc.property(fc.array(fc.oneof(field, name, word), { maxLength: 8 }), contentType, (parts, type) => {
        checkBytes(Buffer.from(parts.join('&')), type);
        check(parseTelnyxDelivery({ rawBody: Buffer.alloc(0), contentType: type, query: parts.join('&') }));
      })
    );
  });

  it('bytes', () => {
    always(
      10_000,
      fc.property(fc.uint8Array({ maxLength: 64 }), contentType, (bytes, type) => {
        checkBytes(Buffer.from(bytes), type);
        check(
          parseTelnyxDelivery({
            rawBody: Buffer.alloc(0),
            contentType: type,
            query: Buffer.from(bytes).toString('latin1')
          })
        );
      })
    );
  });

  it('made 100,000 bodies', () => {
    should(bodies).be.aboveOrEqual(100_000);
  });
});
