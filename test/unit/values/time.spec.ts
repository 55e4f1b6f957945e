import should from 'should';
import { parseTelnyxDelivery } from '../../../src/events/reading/parse-telnyx';
import { findRecordings } from '../../../src/recording/find-recordings';
import { firstTime, readTime } from '../../../src/values/time';

describe('events: times', () => {
  const readable: readonly (readonly [string | number, string])[] = [
    ['2026-03-04T09:15:02Z', '2026-03-04T09:15:02.000Z'],
    ['2026-03-04T09:15:02.118Z', '2026-03-04T09:15:02.118Z'],
    ['2026-03-04T09:15:02.118204Z', '2026-03-04T09:15:02.118Z'],
    ['2026-03-04T09:15:02.6Z', '2026-03-04T09:15:02.600Z'],
    ['2026-03-04T23:59:59.999999Z', '2026-03-04T23:59:59.999Z'],
    ['2026-03-04T09:15:02+00:00', '2026-03-04T09:15:02.000Z'],
    ['2026-03-04T10:15:02.118+01:00', '2026-03-04T09:15:02.118Z'],
    ['2026-03-03T23:45:02-0930', '2026-03-04T09:15:02.000Z'],
    ['2026-03-04T10:15:02+01', '2026-03-04T09:15:02.000Z'],
    ['2026-03-04T09:15:02.118204', '2026-03-04T09:15:02.118Z'],
    ['2026-03-04T09:15:02', '2026-03-04T09:15:02.000Z'],
    ['2026-03-04 09:15:02.118204Z', '2026-03-04T09:15:02.118Z'],
    ['2026-03-04 09:15:02', '2026-03-04T09:15:02.000Z'],
    ['2026-03-04 09:15:02 UTC', '2026-03-04T09:15:02.000Z'],
    ['2026-03-04T09:15Z', '2026-03-04T09:15:00.000Z'],
    ['2016-12-31T23:59:60Z', '2017-01-01T00:00:00.000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
    ['Wed, 04 Mar 2026 09:15:02 +0000', '2026-03-04T09:15:02.000Z'],
    ['Wed, 4 Mar 2026 10:15:02 +0100', '2026-03-04T09:15:02.000Z'],
    ['04 Mar 2026 09:15:02 GMT', '2026-03-04T09:15:02.000Z'],
    [1772615702, '2026-03-04T09:15:02.000Z'],
    [1772615702.118, '2026-03-04T09:15:02.118Z'],
    [1772615702118, '2026-03-04T09:15:02.118Z'],
    ['1772615702', '2026-03-04T09:15:02.000Z'],
    ['1772615702.118', '2026-03-04T09:15:02.118Z'],
    ['1772615702118', '2026-03-04T09:15:02.118Z']
  ];
  for (const [value, expected] of readable) {
    it(`reads ${JSON.stringify(value)}`, () => should(readTime(value)).equal(expected));
  }

  const unreadable: readonly unknown[] = [
    undefined,
    null,
    '',
    'yesterday',
    'v3:2026',
    '2026-03-04',
    '2026-02-30T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-03-04T25:00:00Z',
    '2026-03-04T09:60:00Z',
    '2026-03-04T09:15:02+99:00',
    'Wed, 31 Feb 2026 09:15:02 +0000',
    '12',
    '0001-01-01T00:00:00Z',
    0,
    -1,
    Number.NaN,
    Infinity,
    1e300,
    true,
    {},
    [1772615702],
    '9'.repeat(1_000_000)
  ];
  for (const value of unreadable) {
    it(`treats ${(JSON.stringify(value) as string | undefined)?.slice(0, 40) ?? 'undefined'} as no time`, () => {
      should(readTime(value)).be.null();
    });
  }

  it('uses the first readable time of several', () => {
    should(firstTime(undefined, 'soon', '2026-03-04T09:15:02Z', 1)).equal('2026-03-04T09:15:02.000Z');
    should(firstTime(null, {})).be.null();
  });
});

describe('recordings: times', () => {
  it('reads every spelling as the same time', () => {
    for (const value of [
      '2026-03-04T09:15:02Z',
      '2026-03-04T09:15:02+00:00',
      '2026-03-04T10:15:02+01:00',
      '2026-03-04 09:15:02Z',
      '2026-03-04 09:15:02.000000',
      '2026-03-04T09:15:02',
      'Wed, 04 Mar 2026 09:15:02 +0000',
      1772615702,
      '1772615702',
      1772615702000
    ]) {
      should(readTime(value)).equal('2026-03-04T09:15:02.000Z', String(value));
    }
  });

  it('rejects values that are not times', () => {
    for (const value of [null, undefined, '', 'soon', {}, 0, -5, NaN, 1e300, '99999-01-01T00:00:00Z']) {
      should(readTime(value)).be.null();
    }
  });
});

describe('times of an event and of its recording', () => {
  /** The time of the event and that of its recording, from the same text. */
  const read = (time: string | number) => {
    const recording_urls = { mp3: 'https://example.com/a.mp3' };
    const payload = {
      recording_id: 'r',
      recording_started_at: time,
      recording_ended_at: time,
      recording_urls
    };
    const delivery = parseTelnyxDelivery({
      rawBody: Buffer.from(
        JSON.stringify({ data: { event_type: 'call.recording.saved', occurred_at: time, payload } })
      ),
      contentType: 'application/json',
      query: null
    });
    if (!delivery.ok) throw new Error('The delivery must be readable.');
    const { event } = delivery;
    const [recording] = findRecordings({ event, payload: event.payload });
    const { started_at, ended_at } = recording!.details;
    return { event: event.occurred_at, announced: recording!.announced_at, started_at, ended_at };
  };

  for (const time of [
    '2026-03-04T09:15:02.1189Z',
    '2026-03-04T09:15:02.1234567890Z',
    '2026-03-04 09:15:02 UTC',
    '2026-03-04T10:15:02+01',
    '2016-12-31T23:59:60Z',
    'Wed, 04 Mar 2026 09:15:02 GMT',
    'Wed, 04 Mar 2026 09:15:02 UT',
    1772615702.118,
    '1772615702118'
  ])
    it(`agree on ${time}`, () => {
      const { event, announced, started_at, ended_at } = read(time);
      should(event).be.a.String();
      should([announced, started_at, ended_at]).deepEqual([event, event, event]);
    });

  for (const time of [
    '2026-02-30T00:00:00Z',
    '2023-02-29T12:00:00Z',
    '2026-04-31 00:00:00',
    'Mon, 30 Feb 2026 09:15:02 +0000',
    '2026-03-04',
    '12'
  ])
    it(`agree that ${time} is invalid`, () => {
      should(read(time)).deepEqual({ event: null, announced: null, started_at: null, ended_at: null });
    });
});
