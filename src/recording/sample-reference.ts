import type { SampleFile } from '../samples/sample-file';
import { SAMPLE_ID, SAMPLE_SCHEME } from '../samples/sample-facts';
import type { MediaKind, RecordingReference } from './recording-reference';

const FORMATS = { tone: 'wav', page: 'pdf' } as const;

/**
 * What a message that is proved to be a sample leads to: a file of this package, and no provider is asked about it. A flow
 * may have put a real recording into such a message; that stays as it is.
 *
 * @param reference as found in the message
 */
export function sampleReference(reference: RecordingReference): RecordingReference {
  const { kind, identity, details, links, media_index, announced_at } = reference;
  const isOfSample = details.recording_id?.startsWith(SAMPLE_ID) === true;
  const isElsewhere = links.some(
    ({ url, content }) => content === undefined && !url.startsWith(SAMPLE_SCHEME)
  );
  if (!isOfSample || isElsewhere) return reference;
  const sample = fileOf(kind);
  const format = sample === 'text' ? details.format : FORMATS[sample];
  const hasContent = links.length > 0 && links.every(({ content }) => content !== undefined);
  return {
    kind,
    identity,
    details: { ...details, format: hasContent ? details.format : format },
    links: hasContent ? links : [{ format, url: '', sha256: null, size: null, sample }],
    media_index,
    announced_at,
    storage_key: null,
    sample: true
  };
}

function fileOf(kind: MediaKind): SampleFile {
  if (kind === 'fax') return 'page';
  return kind === 'text' ? 'text' : 'tone';
}
