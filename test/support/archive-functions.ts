import { NO_HASH, formatLine, parseLine, recordingName } from '../../src/evidence/custody/custody-line';
import { custodyFileNumber } from '../../src/evidence/custody/custody-reader';
import { readCertificates } from '../../src/evidence/timestamp/certificates';
import { judgeStamp } from '../../src/evidence/timestamp/time-stamp';
import { withoutLink } from '../../src/archive/download/archive-faults';
import { partialCopyId } from '../../src/archive/download/partial-copies';
import { keptMessage } from '../../src/archive/queue/job';
import { digitsOf } from '../../src/archive/index/search-entries';
import { CodedError } from '../../src/errors/coded-error';
import { readRange as readByteRange } from '../../src/http/byte-range';
import { retryAfterMs } from '../../src/http/retry-after';
import { mediaAnswer } from '../../src/library/content/media-answer';
import { dispositionOf, isPlayable } from '../../src/library/content/media-type';
import { isMeant, readRecordingQuery } from '../../src/library/actions/recording-query';
import { entryMatcher, holdsText, readQuery } from '../../src/library/search/query';
import { archiveFolder } from '../../src/naming/archive-folder';
import {
  compileFilename,
  filenameValues,
  safeSegment,
  safeStart,
  safeValue
} from '../../src/naming/filename-template';
import { asLink } from '../../src/providers/daily/access-link';
import { linkedOutputs } from '../../src/providers/daily/batch-outputs';
import type { DailyApi } from '../../src/providers/daily/daily-client';
import { IdSet } from '../../src/providers/daily/id-set';
import { accessLink, createDailyLinkResolver } from '../../src/providers/daily/link-resolver';
import { apiBase, idSegment } from '../../src/providers/http/api-address';
import { apiFault } from '../../src/providers/http/api-fault';
import { readJsonBody } from '../../src/providers/http/json-body';
import { ServerPace } from '../../src/providers/http/server-pace';
import { readFilter } from '../../src/providers/list-filter';
import { readPolicySettings } from '../../src/retention/policy-settings';
import { readRequested } from '../../src/retention/requested-retention';
import { RetentionPolicy } from '../../src/retention/retention-policy';
import { providers } from '../../src/providers/registry';
import { readTranscript, transcriptLinks } from '../../src/providers/telnyx/meetings/transcript';
import { apiAuthorization } from '../../src/providers/telnyx/telnyx-provider';
import { readEvents } from '../../src/reconcile/deliveries/event-patterns';
import { maskedText } from '../../src/reconcile/deliveries/search/masked';
import { readRange } from '../../src/reconcile/read-moment';
import { sidecarEntry } from '../../src/reconcile/rebuild-index';
import { outputName, restoredByDaily } from '../../src/recording/extract/from-daily-text';
import { findRecordings } from '../../src/recording/find-recordings';
import { bucketFault } from '../../src/store/bucket/client/fault';
import { readBucketSettings } from '../../src/store/bucket/client/settings';
import { shownKey } from '../../src/store/bucket/object-key';
import { keyInBucket } from '../../src/store/bucket/bucket-address';
import { bucketLink } from '../../src/store/bucket/own-bucket';
import { nameSegments, nameVariants, readPartName } from '../../src/store/folder/archive-path';
import { isSetAside } from '../../src/store/folder/quarantine';
import { withoutSecrets } from '../../src/store/sidecar';
import { numberParts } from '../../src/text/number-parts';
import { checkMedia, mediaSignature, pageKind } from '../../src/transfer/media-check';
import { checkText } from '../../src/transfer/text-check';
import { isPublicAddress, isPublicAnswer } from '../../src/transfer/public-address';
import { parseS3Error } from '../../src/transfer/refused-response';
import { checkAddress, linkExpiry, strongEtag, urlKind } from '../../src/transfer/source-request';
import { RECEIVED_AT, type TextFunction, bytesOf, details, event, onEach, refuses } from './text-function';

const WHOLE = new AbortController().signal;

async function refusesLater(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof CodedError)) throw error;
  });
}

function body(text: string) {
  const bytes = bytesOf(text);
  return {
    destroy: () => undefined,
    async *[Symbol.asyncIterator]() {
      yield await Promise.resolve(bytes);
    }
  };
}

const BUCKET = {
  endpoint: 'https://s3.example.com',
  region: 'us-east-1',
  bucket: 'archive',
  prefix: 'calls',
  forcePathStyle: true,
  sse: '',
  kmsKeyId: '',
  accessKeyId: '',
  secretAccessKey: ''
};

const POLICY = new RetentionPolicy(
  readPolicySettings({
    policy: 'calls',
    rules: [
      { when: { events: '*a.*.a*recording*.saved', number: '+49' } },
      { when: { direction: 'inbound', property: 'a.b=c' } }
    ]
  })
);

const NAMES = compileFilename('{{channels}}/{{recording_id}}_{{recording_id}}.{{ext}}');

const [REFERENCE] = findRecordings({
  event,
  payload: { recording_urls: { mp3: 'https://h.example.com/a' } }
});

const daily = (answer: unknown) =>
  ({ hasKey: true, request: () => Promise.resolve(answer) }) as unknown as DailyApi;

async function transcriptOf(text: string): Promise<unknown> {
  const facts = { session_id: 's', types: [], last_seq: null, segment_count: null, artifact_id: null };
  const answer = { data: [{ seq: 1, text, speaker_label: text, relative_ts: text }] };
  const transcript = await readTranscript({ request: () => Promise.resolve(answer) }, facts, WHOLE);
  return transcriptLinks(transcript, facts, { bot_name: text, meeting_url: text });
}

/** Functions that read responses, names and files. */
export const ARCHIVE_FUNCTIONS: readonly TextFunction[] = [
  { file: 'src/archive/index/search-entries.ts', name: 'digitsOf', call: digitsOf },
  { file: 'src/http/byte-range.ts', name: 'readRange', call: (text) => readByteRange(text, 1000) },
  {
    file: 'src/library/content/media-answer.ts',
    name: 'mediaAnswer',
    call: (text) => mediaAnswer({ range: text, 'if-none-match': text }, { size: 1000, etag: '"a"' })
  },
  {
    file: 'src/library/content/media-type.ts',
    name: 'dispositionOf',
    call: (text) => [isPlayable(text), dispositionOf('inline', text)]
  },
  {
    file: 'src/library/actions/recording-query.ts',
    name: 'isMeant',
    call: (text) => {
      // A text that is not well-formed gets longer when it is read.
      const number = text.slice(0, 900).trim() || '1';
      const query = readRecordingQuery({ number }, () => ({ from: null, to: null }));
      return [false, true].map((isPartEnough) => isMeant(query, { from: text }, isPartEnough));
    }
  },
  {
    file: 'src/library/search/query.ts',
    name: 'entryMatcher',
    call: (text) => {
      const query = readQuery((name) => (['what', 'text'].includes(name) ? text.slice(0, 200) : undefined));
      return [entryMatcher(query), holdsText(text, query)];
    }
  },
  { file: 'src/reconcile/deliveries/search/masked.ts', name: 'maskedText', call: maskedText },
  {
    file: 'src/retention/policy-settings.ts',
    name: 'readPolicySettings',
    call: (text) =>
      onEach(text, (part) =>
        refuses(() =>
          readPolicySettings({
            policy: 'calls',
            deleteAfter: part,
            rules: [{ when: { events: part, number: part, property: part } }]
          })
        )
      )
  },
  {
    file: 'src/retention/requested-retention.ts',
    name: 'readRequested',
    call: (text) => refuses(() => readRequested({ keepUntil: text }))
  },
  {
    file: 'src/retention/retention-policy.ts',
    name: 'RetentionPolicy',
    call: (text) =>
      onEach(text, (part) =>
        POLICY.of(
          { started_at: part, ended_at: part, stored_at: part, event_type: part, from: part, to: part },
          { payload: { direction: part }, [part]: part }
        )
      )
  },
  { file: 'src/text/number-parts.ts', name: 'numberParts', call: numberParts },
  { file: 'src/providers/daily/id-set.ts', name: 'IdSet', call: (text) => new IdSet().add(text) },
  {
    file: 'src/providers/list-filter.ts',
    name: 'readFilter',
    call: (text) =>
      onEach(text, (part) => refuses(() => readFilter({ [part]: part }, providers.usual.filters)))
  },
  {
    file: 'src/reconcile/deliveries/event-patterns.ts',
    name: 'readEvents',
    call: (text) => {
      refuses(() => readEvents(text));
      refuses(() => readEvents(text.slice(0, 20_000)));
    }
  },
  {
    file: 'src/reconcile/read-moment.ts',
    name: 'readRange',
    call: (text) => onEach(text, (part) => refuses(() => readRange(part, part, RECEIVED_AT)))
  },
  {
    file: 'src/reconcile/rebuild-index.ts',
    name: 'sidecarEntry',
    call: (text) =>
      onEach(text, (part) =>
        sidecarEntry(
          {
            provider: 'telnyx',
            sha256: 'a'.repeat(64),
            stored_at: part,
            size: 1,
            identity: `telnyx:${part}`,
            format: part,
            transcription_file: part
          },
          '/archive/a.mp3',
          providers
        )
      )
  },

  {
    file: 'src/providers/http/api-address.ts',
    name: 'apiBase',
    call: (text) => refuses(() => apiBase(text.slice(0, 2048), 'https://api.example.com'))
  },
  {
    file: 'src/providers/http/api-address.ts',
    name: 'idSegment',
    call: (text) => refuses(() => idSegment(text))
  },
  {
    file: 'src/providers/http/api-fault.ts',
    name: 'apiFault',
    call: (text) =>
      onEach(text, (part) =>
        apiFault(
          {
            what: 'GET /',
            status: 400,
            headers: { 'retry-after': part },
            body: null,
            now: RECEIVED_AT,
            apiKey: 'key'
          },
          {
            provider: 'x',
            defaultUrl: '',
            keyPlace: '',
            readError: () => ({ code: part, title: part }),
            meanings: {}
          }
        )
      )
  },
  {
    file: 'src/providers/http/json-body.ts',
    name: 'readJsonBody',
    isParser: true,
    call: (text) => readJsonBody(body(text), 8_000_000)
  },
  {
    file: 'src/providers/http/server-pace.ts',
    name: 'ServerPace',
    call: (text) =>
      onEach(text, (part) =>
        new ServerPace().answered({
          'x-ratelimit-limit': part,
          'x-ratelimit-remaining': part,
          'x-ratelimit-reset': part
        })
      )
  },
  {
    file: 'src/providers/telnyx/meetings/transcript.ts',
    name: 'readTranscript',
    call: (text) => onEach(text, (part) => refusesLater(transcriptOf(part)))
  },
  {
    file: 'src/providers/daily/link-resolver.ts',
    name: 'accessLink',
    call: (text) => refusesLater(accessLink(daily({ download_link: text }), 'a', WHOLE))
  },
  {
    file: 'src/providers/daily/link-resolver.ts',
    name: 'createDailyLinkResolver',
    call: (text) =>
      refusesLater(
        createDailyLinkResolver({
          api: null,
          bucket: { link: () => Promise.resolve('https://h.example.com/') }
        })({ kind: 'track', details: { ...details, provider: 'daily' }, storage_key: text }, 'missing', WHOLE)
      )
  },
  {
    file: 'src/providers/daily/access-link.ts',
    name: 'asLink',
    call: (text) => onEach(text, asLink)
  },
  {
    file: 'src/providers/daily/batch-outputs.ts',
    name: 'linkedOutputs',
    call: (text) =>
      linkedOutputs({ [text]: { format: text, link: text }, other: [{ type: text, link: text }] })
  },
  {
    file: 'src/transfer/text-check.ts',
    name: 'checkText',
    call: (text) => checkText(null, { type: text, page: 'a JSON text' }, bytesOf(text))
  },
  {
    file: 'src/recording/extract/from-daily-text.ts',
    name: 'outputName',
    call: (text) => onEach(text, outputName)
  },
  {
    file: 'src/recording/extract/from-daily-text.ts',
    name: 'restoredByDaily',
    call: (text) => restoredByDaily(`daily:batch:${text}`)
  },

  {
    file: 'src/naming/archive-folder.ts',
    name: 'archiveFolder',
    call: (text) => refuses(() => archiveFolder(text, { userDir: '/data', env: () => 'x' }))
  },
  {
    file: 'src/naming/filename-template.ts',
    name: 'compileFilename',
    call: (text) => refuses(() => compileFilename(text))
  },
  {
    file: 'src/naming/filename-template.ts',
    name: 'compileFilename, of values',
    call: (text) =>
      onEach(text, (part) =>
        NAMES.name({
          ...filenameValues(details, { ext: 'mp3', announced_at: null, media_index: null }),
          recording_id: part,
          channels: part
        })
      )
  },
  {
    file: 'src/naming/filename-template.ts',
    name: 'filenameValues',
    call: (text) =>
      onEach(text, (part) =>
        filenameValues({ ...details, started_at: part }, { ext: part, announced_at: part, media_index: null })
      )
  },
  { file: 'src/naming/filename-template.ts', name: 'safeValue', call: safeValue },
  { file: 'src/naming/filename-template.ts', name: 'safeStart', call: safeStart },
  { file: 'src/naming/filename-template.ts', name: 'safeSegment', call: (text) => safeSegment(text, 200) },

  { file: 'src/store/sidecar.ts', name: 'withoutSecrets', call: withoutSecrets },
  {
    file: 'src/store/sidecar.ts',
    name: 'withoutSecrets, of a name',
    call: (text) => withoutSecrets({ [text]: 1 })
  },
  {
    file: 'src/store/folder/archive-path.ts',
    name: 'nameSegments',
    call: (text) => refuses(() => nameSegments(text))
  },
  { file: 'src/store/folder/archive-path.ts', name: 'readPartName', call: readPartName },
  { file: 'src/store/folder/quarantine.ts', name: 'isSetAside', call: isSetAside },
  {
    file: 'src/store/folder/archive-path.ts',
    name: 'nameVariants',
    call: (text) => [...nameVariants(text, 'tail')].length
  },
  {
    file: 'src/store/bucket/client/fault.ts',
    name: 'bucketFault',
    call: (text) =>
      onEach(text, (part) =>
        bucketFault(
          'store it',
          Object.assign(new Error(part), { Code: part, $metadata: { httpStatusCode: 500 } })
        )
      )
  },
  {
    file: 'src/store/bucket/bucket-address.ts',
    name: 'keyInBucket',
    call: (text) => {
      keyInBucket(readBucketSettings(BUCKET), text);
      keyInBucket({ endpoint: null, bucket: 'own' }, `s3://own/${text}`);
      keyInBucket({ endpoint: null, bucket: 'own' }, `https://own.s3.amazonaws.com/${text}`);
    }
  },
  {
    file: 'src/store/bucket/own-bucket.ts',
    name: 'bucketLink',
    call: (text) =>
      bucketLink(
        readBucketSettings(BUCKET),
        { accessKeyId: 'a', secretAccessKey: 'b', region: 'us-east-1' },
        text.toWellFormed().slice(0, 16_384),
        RECEIVED_AT
      )
  },
  { file: 'src/store/bucket/object-key.ts', name: 'shownKey', call: shownKey },
  {
    file: 'src/store/bucket/client/settings.ts',
    name: 'readBucketSettings',
    call: (text) =>
      onEach(text, (part) =>
        ['bucket', 'region', 'prefix', 'sse'].forEach((name) =>
          refuses(() => readBucketSettings({ ...BUCKET, [name]: part }))
        )
      )
  },

  { file: 'src/transfer/media-check.ts', name: 'pageKind', call: (text) => pageKind(Buffer.from(text)) },
  {
    file: 'src/transfer/media-check.ts',
    name: 'pageKind, of UTF-16',
    call: (text) => pageKind(Buffer.from(`\ufeff${text}`, 'utf16le'))
  },
  {
    file: 'src/transfer/media-check.ts',
    name: 'checkMedia',
    call: (text) => checkMedia('attachment', text, Buffer.from(text))
  },
  {
    file: 'src/transfer/media-check.ts',
    name: 'checkMedia, of a recording',
    call: (text) => checkMedia('audio', text, Buffer.from([7]))
  },
  {
    file: 'src/transfer/media-check.ts',
    name: 'mediaSignature',
    call: (text) => mediaSignature(Buffer.from(text))
  },
  {
    file: 'src/transfer/refused-response.ts',
    name: 'parseS3Error',
    call: (text) => parseS3Error(Buffer.from(text))
  },
  { file: 'src/transfer/source-request.ts', name: 'urlKind', call: urlKind },
  {
    file: 'src/transfer/source-request.ts',
    name: 'checkAddress',
    call: (text) => refuses(() => checkAddress(text, 'public-https'))
  },
  {
    file: 'src/transfer/source-request.ts',
    name: 'checkAddress, of the longest',
    call: (text) => refuses(() => checkAddress(text.slice(0, 16_384), 'any'))
  },
  {
    file: 'src/transfer/source-request.ts',
    name: 'linkExpiry',
    call: (text) =>
      linkExpiry(
        new URL(
          `https://h.example.com/?X-Amz-Date=${encodeURIComponent(text.slice(0, 8000).toWellFormed())}&X-Amz-Expires=${encodeURIComponent(text.slice(0, 8000).toWellFormed())}`
        )
      )
  },
  {
    file: 'src/transfer/public-address.ts',
    name: 'isPublicAddress',
    call: (text) => [isPublicAddress(text), isPublicAnswer(text)]
  },
  { file: 'src/transfer/source-request.ts', name: 'strongEtag', call: strongEtag },
  {
    file: 'src/http/retry-after.ts',
    name: 'retryAfterMs',
    call: (text) =>
      onEach(text, (part) =>
        retryAfterMs({ 'retry-after': part, 'retry-after-ms': part, 'x-ratelimit-reset': part }, RECEIVED_AT)
      )
  },

  {
    file: 'src/providers/telnyx/telnyx-provider.ts',
    name: 'apiAuthorization',
    call: (text) => apiAuthorization(text, 'https://api.example.com', 'key')
  },
  {
    file: 'src/archive/download/partial-copies.ts',
    name: 'partialCopyId',
    call: (text) => partialCopyId('node', text, 'mp3')
  },
  {
    file: 'src/archive/download/archive-faults.ts',
    name: 'withoutLink',
    call: (text) => withoutLink({ ...REFERENCE!, details: { ...details, recording_id: text } })
  },
  {
    file: 'src/archive/queue/job.ts',
    name: 'keptMessage',
    call: (text) =>
      onEach(text, (part) => keptMessage({ payload: part, event: { body: { part } }, topic: part }))
  },
  {
    file: 'src/evidence/custody/custody-line.ts',
    name: 'formatLine',
    call: (text) =>
      onEach(text, (part) =>
        formatLine(
          { event: 'stored', recording: recordingName(part, part), actor: part, details: { part } },
          { seq: 1, at: RECEIVED_AT, prev: NO_HASH }
        )
      )
  },
  {
    file: 'src/evidence/custody/custody-line.ts',
    name: 'parseLine',
    call: (text) => parseLine(Buffer.from(text))
  },
  {
    file: 'src/evidence/timestamp/time-stamp.ts',
    name: 'judgeStamp',
    call: (text) => judgeStamp(Buffer.from(text, 'latin1'), Buffer.alloc(1), { nonce: null, roots: [] })
  },
  {
    file: 'src/evidence/timestamp/certificates.ts',
    name: 'readCertificates',
    call: readCertificates
  },
  {
    file: 'src/evidence/custody/custody-reader.ts',
    name: 'custodyFileNumber',
    call: custodyFileNumber
  }
];
