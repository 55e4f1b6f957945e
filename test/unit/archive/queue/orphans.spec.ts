import should from 'should';
import { entering } from '../../../../src/archive/effects';
import { LocalFacts } from '../../../../src/archive/index/local-facts';
import { effectsOfOrphan } from '../../../../src/archive/queue/orphans';
import type { StoredRecording } from '../../../../src/store/stored-recording';
import { jobFor, StateFixture } from '../state-fixture';

describe('effectsOfOrphan', () => {
  let state: StateFixture;

  beforeEach(() => (state = new StateFixture()));
  afterEach(() => state.remove());

  it('gives up what was not stored, and not what another Node-RED has stored', async () => {
    const facts = new LocalFacts(state.database);
    const recording = {
      ...{ path: '/a/1.mp3', sha256: 'aa', stored_at: '2026-03-04T09:05:00.000Z' },
      ...{ transcription: null, deleted_at_source: null }
    } as StoredRecording;
    const file = { identity: 'telnyx:a', wantedFormat: 'mp3', order: 'elsewhere', recording };
    await facts.commit(entering({ place: '/a' }, [file]));
    const { givenUp } = effectsOfOrphan('node', { items: ['a', 'b'].map(jobFor) }, facts, state.time);
    should(givenUp.map(({ node, identity, code }) => [node, identity, code])).eql([
      ['node', 'telnyx:b', 'GAVE_UP']
    ]);
  });
});
