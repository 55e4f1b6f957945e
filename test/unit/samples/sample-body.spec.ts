import should from 'should';
import { CATALOGUE } from '../../../src/events/catalogue';
import { PARSERS } from '../../../src/events/reading/parsers';
import type { Provider } from '../../../src/events/provider';
import { findRecordings } from '../../../src/recording/find-recordings';
import { sampleAttempts, sampleBody } from '../../../src/samples/sample-body';
import { sampleFacts } from '../../../src/samples/sample-facts';

const NOW = new Date('2026-03-04T09:15:02.118Z');
const TO = 'https://hooks.example.com/telnyx';

function parsed(provider: Provider, type: string) {
  const body = sampleBody(provider, type, sampleFacts('sample-1', NOW, TO));
  if (body === null) throw new Error(`There is no sample of ${type}`);
  const result = PARSERS.get(provider)?.(body);
  if (result?.ok !== true) throw new Error(`The sample of ${type} cannot be read`);
  return { text: body.rawBody.toString('utf8'), event: result.event };
}

/** Documents that a flow sends itself: the download node stores them only when it is told to. */
const SENT = /^fax\.(queued|media\.processed|sending\.started|delivered|failed)$/;

describe('the sample of', () => {
  for (const entry of CATALOGUE) {
    const { provider, event_type, shapes, family, media } = entry;
    describe(`${provider} ${event_type}`, () => {
      it('is read as that type, in a shape that it has', () => {
        const { event } = parsed(provider, event_type);
        should(event.event_type).equal(event_type);
        should(shapes).containEql(event.shape);
        should(event.family).equal(family);
        should(event.known).be.true();
      });

      it('names no host that could be contacted and no number that could be called', () => {
        const { text } = parsed(provider, event_type);
        const decoded = decodeURIComponent(text.replaceAll('+', ' '));
        const hosts = [...decoded.matchAll(/\b(?:https?|wss|rtmp):\/\/([^/"&]+)/g)].map(([, host]) => host);
        for (const host of hosts) should(host).match(/(^|\.)example\.(com|org)$/);
        for (const [number] of decoded.matchAll(/\+\d{8,}/g)) should(number).match(/^\+120255501\d\d$/);
      });

      if (media === null || SENT.test(event_type) || media.kind === 'attachment') return;
      it('carries something that can be stored, under an id that says what it is', () => {
        const { event } = parsed(provider, event_type);
        const found = findRecordings({ event, payload: event.payload });
        // A status report has a link only when the call was recorded.
        if (event_type === 'texml.call.completed' || event_type === 'texml.dial') return;
        should(found.length).be.above(0);
        for (const { details } of found) should(details.recording_id).startWith('sample-');
      });
    });
  }

  it('a type that the catalogue does not list is not made', () => {
    should(sampleBody('telnyx', 'call.something.new', sampleFacts('sample-1', NOW, TO))).equal(null);
    should(sampleBody('daily', 'call.answered', sampleFacts('sample-1', NOW, TO))).equal(null);
    should(sampleBody('telnyx', 'constructor', sampleFacts('sample-1', NOW, TO))).equal(null);
  });

  it('a call has the id, the time and the address of its delivery', () => {
    const { event } = parsed('telnyx', 'call.answered');
    should(event).match({
      own_id: 'sample-1',
      occurred_at: NOW.toISOString(),
      attempt: 1,
      delivered_to: TO,
      client_state: 'sample delivery'
    });
  });

  it('a delivery that is repeated keeps its content, and counts its attempts', () => {
    const facts = sampleFacts('sample-1', NOW, TO);
    const bodyOf = sampleAttempts('telnyx', 'conference.created', facts, { name: 'Monday' });
    const [first, second] = [1, 2].map((attempt) =>
      bodyOf?.({ attempt, to: `${TO}/${attempt}` }).rawBody.toString('utf8')
    );
    should(second).equal(first?.replace(/"meta":.*/, `"meta":{"attempt":2,"delivered_to":"${TO}/2"}}`));
    should(first).containEql('"name":"Monday"').and.containEql('"attempt":1');
    const form = sampleAttempts('telnyx', 'texml.transcription', facts);
    should(form?.({ attempt: 2, to: TO })).deepEqual(form?.({ attempt: 1, to: TO }));
    should(sampleAttempts('telnyx', 'call.something.new', facts)).equal(null);
  });

  it('two calls differ', () => {
    should(parsed('telnyx', 'call.answered').text).not.equal(parsed('telnyx', 'call.answered').text);
  });
});
