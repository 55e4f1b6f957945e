import should from 'should';
import { providers } from '../../../src/providers/registry';
import {
  type RecordingRequest,
  STORED_RECORD_TYPE,
  fromStored,
  referenceFromMessage,
  storedDetails
} from '../../../src/recording/find-recordings';
import type { RecordingDetails } from '../../../src/recording/recording-details';
import { identityOfId, identityOfUrl } from '../../../src/recording/recording-reference';

const named = (message: RecordingRequest) => referenceFromMessage(message, providers);

describe('reference-from-message', () => {
  it('accepts a recording id, of Telnyx by default', () => {
    const reference = named({ recording_id: 'rec-1' });
    reference!.identity.should.equal('telnyx:rec-1');
    reference!.links.should.eql([]);
    named({ recording_id: 'rec-1', provider: 'daily' })!.identity.should.equal('daily:rec-1');
    named({ recording_id: 'rec-1', provider: 'elsewhere' })!.identity.should.equal('telnyx:rec-1');
  });

  it('accepts an address and guesses only its format', () => {
    const reference = named({ url: 'https://example.com/a/b.WAV?token=x' });
    reference!.details.format!.should.equal('wav');
    reference!.identity.should.not.containEql('token');
    named({ url: 'https://example.com/a.pdf' })!.kind.should.equal('fax');
  });

  it('accepts nothing else', () => {
    for (const message of [{}, { url: '' }, { url: Infinity }, { recording_id: {} }, { recording_id: ' ' }]) {
      should(named(message)).be.null();
    }
  });

  it('distinguishes addresses that differ in more than their signature', () => {
    const one = identityOfUrl('telnyx', 'https://example.com/get?id=1&Expires=5');
    const again = identityOfUrl('telnyx', 'https://example.com/get?Expires=6&id=1');
    const two = identityOfUrl('telnyx', 'https://example.com/get?id=2&Expires=5');
    one.should.equal(again);
    one.should.not.equal(two);
    one.should.not.containEql('id=');
    // Two storage hosts may use the same path for different recordings.
    identityOfUrl('telnyx', 'https://example.org/get?id=1').should.not.equal(one);
    identityOfUrl('telnyx', 'not an address').should.not.containEql('not an address');
  });
});

describe('the identity of a recording', () => {
  it('is its id, and after a "#" what distinguishes its files', () => {
    for (const id of ['rec-1', '0f1e2d3c-1111-4222-8333-444455556666', 'a%23b', 'v3:a/b+c=', '__proto__'])
      should([identityOfId('daily', id), identityOfId('daily', id, 'd/r/1#2')]).eql([
        `daily:${id}`,
        `daily:${id}#d/r/1#2`
      ]);
  });

  it('is never that of another recording or track, whatever an id contains', () => {
    const ids = [
      'a',
      'a#b',
      'a#b#c',
      'a%23b',
      'a%23b#c',
      'a%2523b#c',
      '#a',
      '#a%23b',
      '#',
      '%',
      'b#c',
      '##a'
    ];
    const all = ids.flatMap((id) =>
      [null, 'b', 'b#c', 'c', '#', 'a%23b'].map((part) => identityOfId('daily', id, part))
    );
    new Set(all).size.should.equal(all.length);
  });

  it('still has the key of a track when its damaged file is fetched again', () => {
    for (const recording_id of ['rec-1', 'a#b', '#', 'a%23b'])
      for (const key of ['d/r/1-cam-audio-2', 'd/r#1/a%23b#c']) {
        const identity = identityOfId('daily', recording_id, key);
        const payload = { record_type: STORED_RECORD_TYPE, provider: 'daily', recording_id, identity };
        should(fromStored({ ...payload, track: 'x' }, providers)).have.properties({
          kind: 'track',
          storage_key: key
        });
        const whole = { ...payload, identity: identityOfId('daily', recording_id) };
        should(fromStored(whole, providers)).have.properties({ kind: 'video', storage_key: null });
      }
  });
});

describe('the details of a stored recording', () => {
  it('are read back from JSON, each field as it was, and none of another type', () => {
    const details: RecordingDetails = {
      provider: 'telnyx',
      recording_id: 'rec-1',
      event_type: 'call.recording.saved',
      event_id: 'evt-1',
      format: 'mp3',
      channels: 'dual',
      started_at: '2026-03-04T09:15:02.118Z',
      ended_at: '2026-03-04T09:16:02.118Z',
      duration_seconds: 61.5,
      call_control_id: 'control',
      call_leg_id: 'leg',
      call_session_id: 'session',
      conference_id: 'conference',
      connection_id: 'connection',
      from: '+15550100',
      to: '+15550101',
      initiated_by: 'RecordVerb',
      room_name: 'room',
      max_participants: 3,
      track: 'audio',
      mtg_session_id: 'session',
      transcription: 'Hello.'
    };
    const read = JSON.parse(JSON.stringify(details)) as Record<string, unknown>;
    should(storedDetails(read, 'telnyx')).eql(details);
    should(
      storedDetails({ ...read, duration_seconds: '61.5', from: 15550100, max_participants: [3] }, 'telnyx')
    ).eql({ ...details, duration_seconds: null, from: null, max_participants: null });
  });
});
