import should from 'should';
import { emittedMessage, summaryMessage } from '../../nodes/list/list-messages';
import { providers } from '../../src/providers/registry';
import { fromStored, referenceFromMessage, storedDetails } from '../../src/recording/find-recordings';

const RED = { util: { cloneMessage: structuredClone } } as unknown as Parameters<typeof emittedMessage>[0];

/** Everything that a message from another node may carry. */
const TRIGGER = {
  _msgid: 'made-up',
  topic: 'nightly',
  customer: { name: 'kept' },
  payload: 'of the trigger',
  from: '7d',
  to: '1d',
  filter: {},
  verify: true,
  rebuild: false,
  folder: 'calls',
  event: { provider: 'telnyx' },
  recording: { recording_id: 'of another message' },
  url: 'https://example.com/of-another.mp3',
  parts: { index: 3 },
  req: {},
  res: {}
};

describe('the messages of telnyx-recording-list', () => {
  const missing = {
    provider: 'telnyx' as const,
    recording_id: 'rec-1',
    isStored: false,
    item: { id: 'rec-1' }
  };

  it('name one recording, and carry nothing that could be taken for another', () => {
    should(emittedMessage(RED, TRIGGER, { kind: 'recording', recording: missing })).eql({
      _msgid: 'made-up',
      topic: 'recording.missing',
      customer: { name: 'kept' },
      provider: 'telnyx',
      recording_id: 'rec-1',
      payload: { id: 'rec-1' }
    });
  });

  it('share nothing with each other', () => {
    const { customer } = emittedMessage(RED, TRIGGER, { kind: 'recording', recording: missing });
    should(customer).not.equal(TRIGGER.customer);
  });

  it('say when a recording is stored already', () => {
    const stored = { ...missing, isStored: true };
    should(emittedMessage(RED, {}, { kind: 'recording', recording: stored })).have.property(
      'topic',
      'recording.stored'
    );
  });

  it('lead to the damaged file itself, even to a track in a bucket', () => {
    const identity = 'daily:rec-1#made-up/room/1-cam-audio';
    const details = storedDetails({ recording_id: 'rec-1', track: '1-cam-audio' }, 'daily');
    const recording = {
      ...details,
      size: 1,
      sha256: 'made-up',
      content_type: 'video/webm',
      destination: 'folder' as const,
      path: '/calls/rec-1.webm',
      sidecar: null,
      source_host: 'example.com',
      attempts: 1,
      resumed: false,
      already_stored: false,
      stored_at: '2026-03-04T10:00:00.000Z',
      deleted_at_source: null
    };
    const file = { identity, wantedFormat: null, recording, damage: 'changed' as const };
    const message = emittedMessage(RED, TRIGGER, { kind: 'damaged', file });
    should(message).have.properties({ topic: 'recording.damaged', provider: 'daily', recording_id: 'rec-1' });
    should(message['payload']).have.properties({ damage: 'changed', identity, wanted_format: null });
    should(fromStored(message['payload'], providers)).have.properties({
      kind: 'track',
      identity,
      storage_key: 'made-up/room/1-cam-audio'
    });
    // A download node that knew nothing of it would fetch the recording by its id.
    should(referenceFromMessage(message, providers)?.identity).equal('daily:rec-1');
  });

  it('end with the trigger and the summary', () => {
    should(summaryMessage(TRIGGER, { listed: 1 })).eql({
      ...TRIGGER,
      topic: 'recording.list',
      payload: { listed: 1 }
    });
  });
});
