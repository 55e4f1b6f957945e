import should from 'should';
import { readPolicySettings } from '../../../src/retention/policy-settings';
import { type KeptRecording, RetentionPolicy } from '../../../src/retention/retention-policy';
import type { Fields } from '../../../src/values/fields';

const RECORDING: KeptRecording = {
  started_at: '2026-03-05T10:00:00.000Z',
  ended_at: '2026-03-05T10:10:00.000Z',
  stored_at: '2026-03-05T10:11:00.000Z',
  event_type: 'call.recording.saved',
  from: '+15550100199',
  to: '+15550100122'
};

const policyOf = (given: Fields): RetentionPolicy =>
  new RetentionPolicy(readPolicySettings({ policy: 'calls', ...given }));

describe('the settings of a retention policy', () => {
  const refused = (given: Fields, message: RegExp): void =>
    void should(() => readPolicySettings({ policy: 'calls', ...given })).throw({
      code: 'BAD_SETTING',
      message
    });

  it('are read as a flow file has them, numbers as text, too', () => {
    should(
      readPolicySettings({
        policy: ' calls ',
        keepUntil: '30',
        deleteAfter: 90,
        rules: [
          { when: { events: 'call.*, conference.recording.saved', number: '+49' }, deleteAfter: '' },
          { when: { direction: 'inbound', property: 'msg.customer.tier = gold' }, keepUntil: 365 },
          {}
        ]
      })
    ).eql({
      policy: 'calls',
      keepUntil: 30,
      deleteAfter: 90,
      lockMode: 'none',
      rules: [
        {
          when: {
            events: ['call.*', 'conference.recording.saved'],
            direction: null,
            number: '+49',
            property: null
          },
          keepUntil: null,
          deleteAfter: null
        },
        {
          when: {
            events: [],
            direction: 'inbound',
            number: null,
            property: { name: 'customer.tier', value: 'gold' }
          },
          keepUntil: 365,
          deleteAfter: null
        },
        {
          when: { events: [], direction: null, number: null, property: null },
          keepUntil: null,
          deleteAfter: null
        }
      ]
    });
  });

  it('must have a name', () => refused({ policy: ' ' }, /"Policy" must have a name/));

  for (const days of [0, -1, 1.5, 36_526, '12 days', '1e3', '0x10', true, [90], {}, Number.NaN])
    it(`refuse ${JSON.stringify(days)} as days`, () => {
      refused({ deleteAfter: days }, /"Delete" must be a whole number of days from 1 to 36525/);
      refused({ rules: [{}, { keepUntil: days }] }, /^Rule 2: "Keep" must be/);
    });

  it('refuse to delete what is kept', () => {
    refused({ keepUntil: 90, deleteAfter: 30 }, /Delete them later/);
    refused({ rules: [{ keepUntil: 2, deleteAfter: 1 }] }, /^Rule 1: /);
  });

  it('refuse words that they do not know', () => {
    refused({ lockMode: 'Compliance' }, /"Lock" must be one of none, governance, compliance/);
    refused({ rules: [{ deletAfter: 1 }] }, /nothing else/);
    refused({ rules: [{ when: { event: 'call.*' } }] }, /nothing else/);
    refused({ rules: [{ when: { direction: 'both' } }] }, /inbound, outbound/);
    refused({ rules: [{ when: { number: '*49' } }] }, /begin with digits/);
    refused({ rules: [{ when: { property: '=gold' } }] }, /written as its name/);
    refused({ rules: [{ when: { property: 'a..b' } }] }, /written as its name/);
    refused({ rules: {} }, /must be a list/);
    refused({ rules: [null] }, /must be an object/);
    refused({ rules: [{ when: 'always' }] }, /must be an object/);
    refused({ rules: Array(201).fill({}) }, /at most 200/);
    refused({ rules: [{ when: { events: 'x'.repeat(201) } }] }, /at most 200 characters/);
  });
});

describe('a retention policy', () => {
  it('says nothing when it has no dates', () => {
    should(policyOf({}).of(RECORDING, {})).equal(null);
  });

  it('counts from the start of the recording, in UTC', () => {
    should(policyOf({ keepUntil: 30, deleteAfter: 90 }).of(RECORDING, {})).containDeep({
      policy: { name: 'calls' },
      retain_until: '2026-04-04T10:00:00.000Z',
      delete_after: '2026-06-03T10:00:00.000Z'
    });
  });

  it('counts from the end, or from storing, when the start is unknown or lies ahead', () => {
    const policy = policyOf({ deleteAfter: 1 });
    const dates = [
      { ...RECORDING, started_at: null },
      { ...RECORDING, started_at: null, ended_at: null },
      { ...RECORDING, started_at: '2099-01-01T00:00:00.000Z' }
    ].map((recording) => policy.of(recording, {})?.delete_after);
    should(dates).eql(['2026-03-06T10:10:00.000Z', '2026-03-06T10:11:00.000Z', '2026-03-06T10:11:00.000Z']);
  });

  it('has a version that changes with any setting, and with nothing else', () => {
    const rules = [{ when: { number: '+49' }, deleteAfter: 3 }];
    const version = (given: Fields): string => policyOf(given).version;
    should(version({ rules })).match(/^[0-9a-f]{16}$/);
    should(version({ rules, deleteAfter: '' })).equal(version({ rules: structuredClone(rules) }));
    const all = [
      {},
      { rules },
      { keepUntil: 1 },
      { lockMode: 'governance' },
      { rules: [{ deleteAfter: 3 }] },
      { policy: 'others' }
    ].map(version);
    should(new Set(all).size).equal(all.length);
  });

  describe('with rules', () => {
    const days = (
      when: Fields,
      message: Fields = {},
      over: Partial<KeptRecording> = {}
    ): number | undefined => {
      const policy = policyOf({ rules: [{ when, deleteAfter: 1 }, { deleteAfter: 2 }], deleteAfter: 9 });
      const recording = { ...RECORDING, ...over };
      const { delete_after } = policy.of(recording, message) ?? {};
      return (Date.parse(delete_after ?? '') - Date.parse(recording.started_at ?? '')) / 86_400_000;
    };

    it('uses the first that applies, else its own dates', () => {
      should(days({})).equal(1);
      should(days({ number: '+49' })).equal(2);
      const policy = policyOf({ rules: [{ when: { number: '+49' }, deleteAfter: 1 }], deleteAfter: 3 });
      should(policy.of(RECORDING, {})?.delete_after).equal('2026-03-08T10:00:00.000Z');
    });

    it('knows a rule without dates: such recordings are kept, with no end', () => {
      const policy = policyOf({ rules: [{ when: { events: 'call.*' } }], deleteAfter: 3 });
      should(policy.of(RECORDING, {})).equal(null);
    });

    it('compares event types', () => {
      should(days({ events: 'conference.*, call.*.saved' })).equal(1);
      should(days({ events: 'call.recording.save' })).equal(2);
      should(days({ events: '*' }, {}, { event_type: null })).equal(1);
      should(days({ events: 'call.*' }, {}, { event_type: null })).equal(2);
    });

    it('compares the beginnings of both numbers, however they are written', () => {
      should(days({ number: '+15550100122' })).equal(1);
      should(days({ number: '+1555' }, {}, { from: null, to: 'sip:+1 (555) 010-0122@example.com' })).equal(1);
      should(days({ number: '555' })).equal(2);
      should(days({ number: '555' }, {}, { from: 'tel:555-0100' })).equal(1);
    });

    it('compares the direction as calls and TeXML tell it', () => {
      for (const payload of [{ direction: 'incoming' }, { Direction: 'inbound' }])
        should(days({ direction: 'inbound' }, { payload })).equal(1);
      for (const payload of [{ direction: 'outgoing' }, { Direction: 'outbound-api' }])
        should(days({ direction: 'outbound' }, { payload })).equal(1);
      for (const payload of [undefined, 'incoming', { direction: ['incoming'] }, { direction: 'outgoing' }])
        should(days({ direction: 'inbound' }, { payload })).equal(2);
    });

    it('compares properties of the message, and none of its prototype', () => {
      const message = { customer: { tier: 'gold', count: 3, vip: false, none: '' } };
      for (const property of [
        'customer.tier',
        'customer.tier=gold',
        'customer.count=3',
        'customer.vip=false'
      ])
        should(days({ property }, message)).equal(1);
      for (const property of [
        'customer',
        'customer.tier=silver',
        'customer.none',
        'customer.constructor.name',
        '__proto__.a',
        'customer.tier.length'
      ])
        should(days({ property }, message)).equal(2);
    });
  });

  describe('with msg.retention', () => {
    const policy = policyOf({ keepUntil: 10, deleteAfter: 20 });
    const dates = (retention: unknown): unknown => {
      const { retain_until, delete_after } = policy.of(RECORDING, { retention }) ?? {};
      return [retain_until, delete_after];
    };

    it('lets the message win, field by field', () => {
      should(dates(undefined)).eql(['2026-03-15T10:00:00.000Z', '2026-03-25T10:00:00.000Z']);
      should(dates(null)).eql(dates(undefined));
      should(dates({ deleteAfter: 12 })).eql(['2026-03-15T10:00:00.000Z', '2026-03-17T10:00:00.000Z']);
      should(dates({ deleteAfter: null })).eql(['2026-03-15T10:00:00.000Z', null]);
      should(dates({ keepUntil: '2026-04-01T02:00:00+02:00', deleteAfter: '2026-05-01T00:00:00Z' })).eql([
        '2026-04-01T00:00:00.000Z',
        '2026-05-01T00:00:00.000Z'
      ]);
      should(dates({ keepUntil: null, deleteAfter: null })).eql([undefined, undefined]);
    });

    it('deletes nothing before what the rules keep', () => {
      should(dates({ deleteAfter: 3 })).eql(['2026-03-15T10:00:00.000Z', '2026-03-15T10:00:00.000Z']);
      should(dates({ keepUntil: 30 })).eql(['2026-04-04T10:00:00.000Z', '2026-04-04T10:00:00.000Z']);
    });

    for (const retention of [
      'never',
      90,
      [],
      { deletAfter: 3 },
      { deleteAfter: '3' },
      { deleteAfter: 0 },
      { deleteAfter: -3 },
      { deleteAfter: 1.5 },
      { deleteAfter: true },
      { deleteAfter: '2026-05-01' },
      { deleteAfter: '2026-05-01T00:00:00' },
      { keepUntil: 9, deleteAfter: 8 },
      { keepUntil: '2026-05-02T00:00:00Z', deleteAfter: '2026-05-01T00:00:00Z' }
    ])
      it(`refuses ${JSON.stringify(retention)}`, () => {
        should(() => policy.of(RECORDING, { retention })).throw({
          code: 'BAD_SETTING',
          message: /^msg\.retention cannot be used/
        });
      });
  });
});
