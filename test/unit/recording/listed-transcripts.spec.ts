import should from 'should';
import { providers } from '../../../src/providers/registry';
import { transcriptsListedByTelnyx } from '../../../src/recording/extract/from-listed-transcript';
import { transcriptsFromMessage } from '../../../src/recording/find-recordings';
import type { ListedState } from '../../../src/recording/origin';

const ITEM = {
  record_type: 'recording_transcription',
  id: 'text-1',
  recording_id: 'rec-1',
  status: 'completed',
  transcription_text: ' Good morning. ',
  duration_millis: 60_000,
  created_at: '2026-03-04T09:20:00Z'
};

describe('transcripts as Telnyx lists them', () => {
  const { idOf, fromListed, stateOf } = {
    idOf: (item: object) => transcriptsListedByTelnyx.idOf({ ...item }),
    fromListed: (item: object) => transcriptsListedByTelnyx.fromListed({ ...item }),
    stateOf: (item: object) => transcriptsListedByTelnyx.stateOf({ ...item })
  };

  it('stand for the text of a recording', () => {
    should(idOf(ITEM)).equal('text-1');
    const [reference, ...others] = fromListed(ITEM);
    others.should.eql([]);
    should(reference).match({
      identity: 'telnyx:rec-1',
      transcription_id: 'text-1',
      announced_at: '2026-03-04T09:20:00.000Z',
      links: [],
      details: { provider: 'telnyx', recording_id: 'rec-1', transcription: 'Good morning.' }
    });
  });

  it('stand for nothing without a recording', () => {
    const nameless = { ...ITEM, recording_id: null };
    should(idOf(nameless)).be.null();
    fromListed(nameless).should.eql([]);
  });

  it('are ready, not ready, or never have a text', () => {
    const states: Record<ListedState, object[]> = {
      ready: [
        ITEM,
        { ...ITEM, status: 'archived' },
        { ...ITEM, status: undefined },
        // The API is asked for it alone.
        { ...ITEM, transcription_text: null }
      ],
      'not-ready': [
        { ...ITEM, status: 'in-progress', transcription_text: null },
        { ...ITEM, status: 'In_Progress' },
        { ...ITEM, status: 'pending' }
      ],
      'without-file': [
        { ...ITEM, status: 'failed', transcription_text: null },
        { ...ITEM, transcription_text: '  ' }
      ]
    };
    for (const [state, items] of Object.entries(states))
      for (const item of items) should([item, stateOf(item)]).eql([item, state]);
  });

  it('are read back from the message of the list node, and from no other', () => {
    const message = { transcript_id: 'text-1', recording_id: 'rec-1', provider: 'telnyx', payload: ITEM };
    transcriptsFromMessage(message, providers).should.match([{ transcription_id: 'text-1' }]);
    for (const other of [
      { ...message, transcript_id: 'text-2' },
      { ...message, transcript_id: undefined },
      { ...message, payload: '/archive/rec-1.mp3' },
      { ...message, payload: { ...ITEM, recording_id: 'x\ud800', id: {} } }
    ])
      transcriptsFromMessage(other, providers).should.eql([]);
  });
});
