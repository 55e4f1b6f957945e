import should from 'should';
import { providers } from '../../../src/providers/registry';
import { openProviders } from '../../../src/providers/registry';
import { findRecordings } from '../../../src/recording/find-recordings';
import type { RecordingReference } from '../../../src/recording/recording-reference';
import { sampleReference } from '../../../src/recording/sample-reference';

function found(payload: object, event_type = 'call.recording.saved'): RecordingReference {
  const [reference] = findRecordings({ event: { provider: 'telnyx', event_type, id: 'e' }, payload });
  if (reference === undefined) throw new Error('Nothing was found');
  return reference;
}

const SAMPLE = { recording_id: 'sample-1', recording_urls: { wav: 'sample:tone.wav' } };

describe('sampleReference', () => {
  it('leads to the tone, and keeps identity and details', () => {
    const reference = found({ ...SAMPLE, channels: 'dual' });
    const sample = sampleReference(reference);
    should(sample.links).deepEqual([{ format: 'wav', url: '', sha256: null, size: null, sample: 'tone' }]);
    should(sample).match({
      sample: true,
      identity: reference.identity,
      details: { channels: 'dual', format: 'wav' }
    });
  });

  it('drops what would be asked of a provider', () => {
    const payload = {
      recording_id: 'sample-1',
      recording_transcription_id: 'sample-2',
      transcription_text: 'Hello.'
    };
    const sample = sampleReference(found(payload, 'call.recording.transcription.saved'));
    should(sample).not.have.properties(['resource', 'transcription_id', 'isCollection', 'meeting', 'output']);
    should(sample.details.transcription).equal('Hello.');
  });

  it('leads to a page in place of a fax', () => {
    const sample = sampleReference(
      found({ fax_id: 'sample-1', media_url: 'sample:fax.pdf', direction: 'inbound' })
    );
    should(sample.links[0]).match({ format: 'pdf', sample: 'page' });
  });

  it('keeps a text that the event contains', () => {
    const payload = { session_id: 'sample-1', artifact_id: 'sample-2', content: { text: 'A summary.' } };
    const sample = sampleReference(found(payload, 'meeting.artifact.completed'));
    should(sample.links[0]?.content?.text).equal('A summary.\n');
    should(sample.sample).be.true();
  });

  it('leaves alone what a flow has put into the message', () => {
    for (const payload of [
      { ...SAMPLE, recording_id: 'real' },
      { recording_urls: { wav: 'sample:tone.wav' } },
      { ...SAMPLE, recording_urls: { wav: 'sample:tone.wav', mp3: 'https://media.example.com/real.mp3' } }
    ]) {
      const reference = found(payload);
      should(sampleReference(reference)).equal(reference);
    }
  });

  it('is known to no provider, which is neither asked nor told to delete', async () => {
    const open = openProviders(providers, new Map(), { breakers: new Map() } as never);
    const { signal } = new AbortController();
    const sample = sampleReference(found(SAMPLE));
    should(await open.resolveLinks(sample, 'missing', signal)).be.empty();
    should(await open.completeDetails(sample, signal)).equal(sample.details);
    should(await open.fetchTranscript(sample, signal)).equal(null);
    should(await open.expand(sample, true, signal)).be.empty();
    should(open.sideFilesUntil(sample, 0)).equal(null);
    should((await open.deleteRecording(sample, signal)).ok).be.false();
    await open.close();
  });
});
