import should from 'should';
import { CodedError } from '../../../../src/errors/coded-error';
import {
  isMeant,
  isNaming,
  isOpen,
  readRecordingQuery
} from '../../../../src/library/actions/recording-query';

const read = (value: unknown) => readRecordingQuery(value, () => ({ from: null, to: null }));
const meant = (query: unknown, recording: object, isPartEnough = false): boolean =>
  isMeant(read(query), recording, isPartEnough);

describe('recording-query', () => {
  it('means everything without a query', () => {
    should(isOpen(read(undefined))).be.true();
    should(isOpen(read({}))).be.true();
    should(isOpen(read({ text: 'refund' }))).be.false();
    should(isNaming(read({ text: 'refund' }))).be.false();
    should(isNaming(read({ call: 'c' }))).be.true();
  });

  it('hands the span to its reader', () => {
    const query = readRecordingQuery({ from: '7d', to: 5 }, (from, to) => {
      should([from, to]).eql(['7d', 5]);
      return { from: 1, to: 2 };
    });
    should(query).containEql({ from: 1, before: 2 });
  });

  it('refuses what a flow failed to set, and names that nobody knows', () => {
    for (const query of [
      { number: '' },
      { number: undefined },
      { number: null },
      { recording_id: {} },
      { call: 'x'.repeat(1001) },
      { from_number: '+15550100' },
      'rec-1',
      [],
      JSON.parse('{"__proto__": {"number": "+15550100"}}')
    ])
      should(() => read(query)).throw(CodedError, { code: 'BAD_SETTING' });
  });

  it('compares numbers by all of their digits', () => {
    for (const [number, from, expected] of [
      ['+15550100199', '+15550100199', true],
      ['+1 (555) 010-0199', '+15550100199', true],
      ['001 555 0100199', '+15550100199', true],
      ['15550100199', 'sip:+15550100199@pbx.example.com', true],
      ['5550100199', '+15550100199', false],
      ['+1555010019', '+15550100199', false],
      ['0', '+15550100199', false],
      ['+', '', false],
      ['anonymous', 'Anonymous', true],
      ['sip:alice@example.com', 'sip:ALICE@example.com', true],
      ['sip:1@example.com', 'sip:2@example.com', false],
      ['sip:1@a.example.com', '+1', false]
    ] as [string, string, boolean][]) {
      should([number, from, meant({ number }, { from, to: null })]).eql([number, from, expected]);
      should(meant({ number }, { from: null, to: from })).equal(expected);
    }
  });

  it('is content with a part of a number where the caller is', () => {
    should(meant({ number: '0555 010' }, { from: '+15550100199' }, true)).be.true();
    should(meant({ number: 'ali' }, { to: 'sip:Alice@example.com' }, true)).be.true();
    should(meant({ number: '0556' }, { from: '+15550100199' }, true)).be.false();
  });

  it('compares ids as a whole, and wants all that is given', () => {
    const recording = { recording_id: 'r-1', call_leg_id: 'leg', conference_id: 'conf', from: '+15550100' };
    should(meant({ recording_id: 'r-1' }, recording)).be.true();
    should(meant({ recording_id: 'r-' }, recording)).be.false();
    should(meant({ call: 'leg' }, recording)).be.true();
    should(meant({ call: 'conf' }, recording)).be.true();
    should(meant({ call: 'r-1' }, recording)).be.false();
    should(meant({ call: 'leg', number: '+15550101' }, recording)).be.false();
    should(meant({ recording_id: 'r-1', number: '+15550100' }, recording)).be.true();
    should(meant({ number: '+15550100' }, {})).be.false();
  });
});
