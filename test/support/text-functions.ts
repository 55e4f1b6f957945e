import { CodedError } from '../../src/errors/coded-error';
import { apiFault } from '../../src/api/api-fault';
import { apiBase } from '../../src/api/api-base';
import { idSegment } from '../../src/api/api-path';
import { readJsonBody } from '../../src/api/json-body';
import { ServerPace } from '../../src/api/server-pace';
import { apiAuthorization } from '../../src/archive/api-authorization';
import { partialCopyId } from '../../src/archive/archive-job';
import { withoutLink } from '../../src/archive/archive-faults';
import { keptMessage } from '../../src/archive/kept-message';
import { accessLink } from '../../src/daily-api/access-link';
import type { DailyApi } from '../../src/daily-api/daily-client';
import { createDailyLinkResolver } from '../../src/daily-api/link-resolver';
import { decodeClientState } from '../../src/events/client-state';
import { isDailyProbeBody } from '../../src/events/daily-probe';
import { normaliseTime } from '../../src/events/occurred-at';
import { parseBody } from '../../src/events/parse-body';
import { parseDailyDelivery } from '../../src/events/parse-daily';
import { parseTelnyxDelivery } from '../../src/events/parse-telnyx';
import { isTooDeep } from '../../src/events/sanitise-json';
import { archiveFolder } from '../../src/naming/archive-folder';
import { compileFilename } from '../../src/naming/filename-template';
import { filenameValues } from '../../src/naming/filename-values';
import { safeSegment, safeStart, safeValue } from '../../src/naming/safe-segment';
import { comparablePath, pathProblem } from '../../src/receiving/route-path';
import { IdSet } from '../../src/reconcile/id-set';
import { readFilter } from '../../src/reconcile/read-filter';
import { readRange } from '../../src/reconcile/read-moment';
import { sidecarEntry } from '../../src/reconcile/sidecar-entry';
import { unknownDetails } from '../../src/recording/announcement';
import { findRecordings } from '../../src/recording/find-recordings';
import { identityOfId, identityOfUrl } from '../../src/recording/identity';
import { asFormat, formatOfUrl } from '../../src/recording/media-link';
import { readTime } from '../../src/recording/read-time';
import { asCount, asParty, asProse, asSha256, asText } from '../../src/recording/read-value';
import { referenceFromMessage } from '../../src/recording/reference-from-message';
import { compileGlob, GlobIndex } from '../../src/routing/glob-index';
import { splitPatterns } from '../../src/routing/rules';
import { nameSegments } from '../../src/store/archive-path';
import { bucketFault } from '../../src/store/bucket-fault';
import { bucketLink } from '../../src/store/bucket-link';
import { shownKey } from '../../src/store/bucket-key';
import { readBucketSettings } from '../../src/store/bucket-settings';
import { isSetAside } from '../../src/store/damaged-file';
import { nameVariants } from '../../src/store/name-variants';
import { readPartName } from '../../src/store/part-names';
import { withoutSecrets } from '../../src/store/without-secrets';
import { leadingRun, trailingRun } from '../../src/text/edges';
import { losslessText } from '../../src/text/lossless';
import { parseUrl } from '../../src/text/parse-url';
import { shownText } from '../../src/text/shown-text';
import { checkAddress } from '../../src/transfer/address-guard';
import { linkExpiry } from '../../src/transfer/link-expiry';
import { checkMedia } from '../../src/transfer/media-check';
import { mediaSignature } from '../../src/transfer/media-signature';
import { pageKind } from '../../src/transfer/page-kind';
import { isPublicAddress, isPublicAnswer } from '../../src/transfer/public-address';
import { strongEtag } from '../../src/transfer/resume';
import { retryAfterMs } from '../../src/transfer/retry-after';
import { parseS3Error } from '../../src/transfer/s3-error';
import { urlKind } from '../../src/transfer/url-kind';
import { DailyHmac } from '../../src/verification/daily-hmac';
import { parseDailySecrets } from '../../src/verification/daily-secrets';
import { parsePublicKeys } from '../../src/verification/public-keys';
import { parseSecrets } from '../../src/verification/secrets';
import { decodePaddedBase64, decodeStrictBase64 } from '../../src/verification/strict-base64';
import { verifyLegacy } from '../../src/verification/telnyx-legacy';
import { verifyMeeting } from '../../src/verification/telnyx-meeting';
import { checkTimestamp } from '../../src/verification/timestamp';
import { isUnsetVariable } from '../../src/verification/unset-variable';

/** What looks at text from outside, and is called with it. */
export interface TextFunction {
  /** Where it is. */
  file: string;
  name: string;
  call: (text: string) => unknown;
  /** Whether it parses JSON, which takes Node.js its time for a million lists. */
  isParser?: boolean;
}

/** Characters of a list in the settings, which its owner typed: an entry each costs more than a character does. */
const SETTING = 4096;
/** Bytes of a request line or a header; Node.js takes 16 kB of all together unless it is told to take more. */
const HEADER = 65_536;
const RECEIVED_AT = Date.UTC(2026, 0, 31);
const WHOLE = new AbortController().signal;

/** For what reads several fields: of a body of 1 MB each can have a part only. */
function onEach(text: string, call: (part: string) => unknown): unknown {
  return call(text.slice(0, text.length / 8));
}

/** As many bytes as the text has characters, with none of them cut in two. */
function bytesOf(text: string): Buffer {
  return Buffer.from(text).subarray(0, text.length - (text.length % 36));
}

function delivery(header: string, text: string, body = text) {
  return { rawHeaders: [header, text], rawBody: Buffer.from(body), query: null, receivedAt: RECEIVED_AT };
}

function refuses(call: () => unknown): void {
  try {
    call();
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
  }
}

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

const details = unknownDetails({ provider: 'telnyx', event_type: null, event_id: null, announced_at: null });
const event = { provider: 'telnyx', event_type: 'call.recording.saved', id: 'e' };
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
const NAMES = compileFilename('{{channels}}/{{recording_id}}_{{recording_id}}.{{ext}}');
const GLOBS = new GlobIndex();
for (const glob of ['*a*', 'a*b', '*.recording.*', 'call.*', '*'.repeat(20)]) GLOBS.add(glob, 0);
const [REFERENCE] = findRecordings({
  event,
  payload: { recording_urls: { mp3: 'https://h.example.com/a' } }
});

let made: { text: string; bytes: Buffer } | undefined;

/** A delivery that says a text wherever it can; JSON spells some characters with six. Made once for each text. */
function inJson(text: string, deliveryOf: (value: string) => unknown): Buffer {
  if (made?.text !== text)
    made = { text, bytes: Buffer.from(JSON.stringify(deliveryOf(text.slice(0, text.length / 20)))) };
  return made.bytes;
}

const daily = (answer: unknown) =>
  ({ hasKey: true, request: () => Promise.resolve(answer) }) as unknown as DailyApi;

/**
 * Every function with a pattern or an own walk through text that somebody else made. A few bytes of such text go
 * through several of them; none may take long.
 */
export const FUNCTIONS: readonly TextFunction[] = [
  { file: 'src/text/edges.ts', name: 'leadingRun', call: (text) => leadingRun(text, '. ') },
  { file: 'src/text/edges.ts', name: 'trailingRun', call: (text) => trailingRun(text, '. ') },
  { file: 'src/text/lossless.ts', name: 'losslessText', call: losslessText },
  { file: 'src/text/parse-url.ts', name: 'parseUrl', call: parseUrl },
  {
    file: 'src/text/parse-url.ts',
    name: 'parseUrl, of the longest',
    call: (text) => [2048, 16_384].map((length) => parseUrl(text.slice(0, length)))
  },
  { file: 'src/text/shown-text.ts', name: 'shownText', call: (text) => shownText(text) },

  { file: 'src/verification/strict-base64.ts', name: 'decodeStrictBase64', call: decodeStrictBase64 },
  { file: 'src/verification/strict-base64.ts', name: 'decodePaddedBase64', call: decodePaddedBase64 },
  { file: 'src/verification/unset-variable.ts', name: 'isUnsetVariable', call: isUnsetVariable },
  {
    file: 'src/verification/timestamp.ts',
    name: 'checkTimestamp',
    call: (text) => checkTimestamp([text], 'x', RECEIVED_AT, 300)
  },
  {
    file: 'src/verification/daily-hmac.ts',
    name: 'DailyHmac',
    call: (text) => new DailyHmac([Buffer.from('a')], 300).verify(delivery('x-webhook-signature', text, ''))
  },
  {
    file: 'src/verification/telnyx-legacy.ts',
    name: 'verifyLegacy',
    call: (text) => verifyLegacy(delivery('x-telnyx-signature', text, ''), ['a'])
  },
  {
    file: 'src/verification/telnyx-meeting.ts',
    name: 'verifyMeeting',
    call: (text) => verifyMeeting(delivery('x-meeting-bot-signature', text.slice(0, SETTING), ''), ['a'], 300)
  },
  {
    file: 'src/verification/public-keys.ts',
    name: 'parsePublicKeys',
    call: (text) => parsePublicKeys(text.slice(0, SETTING))
  },
  {
    file: 'src/verification/daily-secrets.ts',
    name: 'parseDailySecrets',
    call: (text) => parseDailySecrets(text.slice(0, SETTING))
  },
  {
    file: 'src/verification/secrets.ts',
    name: 'parseSecrets',
    call: (text) => parseSecrets(text.slice(0, SETTING))
  },

  { file: 'src/events/client-state.ts', name: 'decodeClientState', call: decodeClientState },
  {
    file: 'src/events/daily-probe.ts',
    name: 'isDailyProbeBody',
    call: (text) => isDailyProbeBody(Buffer.from(text))
  },
  { file: 'src/events/occurred-at.ts', name: 'normaliseTime', call: normaliseTime },
  { file: 'src/events/sanitise-json.ts', name: 'isTooDeep', call: isTooDeep },
  {
    file: 'src/events/parse-body.ts',
    name: 'parseBody',
    isParser: true,
    call: (text) => parseBody(bytesOf(text), undefined)
  },
  {
    file: 'src/events/parse-body.ts',
    name: 'parseBody, of a form',
    isParser: true,
    call: (text) => parseBody(bytesOf(text), 'application/x-www-form-urlencoded')
  },
  {
    file: 'src/events/parse-telnyx.ts',
    name: 'parseTelnyxDelivery, of a text in JSON',
    call: (text) =>
      parseTelnyxDelivery({
        rawBody: inJson(text, (value) => ({
          data: { event_type: value, id: value, occurred_at: value, payload: { client_state: value } }
        })),
        contentType: undefined,
        query: null
      })
  },
  {
    file: 'src/events/reading/telnyx-form.ts',
    name: 'parseTelnyxDelivery, of a query',
    call: (text) =>
      parseTelnyxDelivery({ rawBody: Buffer.alloc(0), contentType: undefined, query: text.slice(0, 16_384) })
  },
  {
    file: 'src/events/parse-daily.ts',
    name: 'parseDailyDelivery, of a text in JSON',
    call: (text) =>
      parseDailyDelivery({
        rawBody: inJson(text, (value) => ({ type: value, id: value, event_ts: value, payload: {} })),
        contentType: undefined
      })
  },

  { file: 'src/recording/read-value.ts', name: 'asText', call: asText },
  { file: 'src/recording/read-value.ts', name: 'asProse', call: asProse },
  { file: 'src/recording/read-value.ts', name: 'asCount', call: asCount },
  { file: 'src/recording/read-value.ts', name: 'asSha256', call: asSha256 },
  { file: 'src/recording/read-value.ts', name: 'asParty', call: asParty },
  { file: 'src/recording/read-time.ts', name: 'readTime', call: readTime },
  { file: 'src/recording/media-link.ts', name: 'asFormat', call: asFormat },
  { file: 'src/recording/media-link.ts', name: 'formatOfUrl', call: formatOfUrl },
  { file: 'src/recording/identity.ts', name: 'identityOfUrl', call: (text) => identityOfUrl('telnyx', text) },
  {
    file: 'src/recording/identity.ts',
    name: 'identityOfUrl, of the longest',
    call: (text) => identityOfUrl('telnyx', text.slice(0, 16_384))
  },
  {
    file: 'src/recording/identity.ts',
    name: 'identityOfId',
    call: (text) => onEach(text, (part) => identityOfId('telnyx', part, part))
  },
  {
    file: 'src/recording/from-recording-urls.ts',
    name: 'findRecordings, of links',
    call: (text) =>
      onEach(text, (part) => findRecordings({ event, payload: { recording_urls: { mp3: part, wav: part } } }))
  },
  {
    file: 'src/recording/from-recording-urls.ts',
    name: 'findRecordings, of fields',
    call: (text) =>
      onEach(text, (part) =>
        findRecordings({
          event,
          payload: {
            recording_id: part,
            channels: part,
            start_time: part,
            format: part,
            from: part,
            recording_urls: { mp3: 'https://h.example.com/' }
          }
        })
      )
  },
  {
    file: 'src/recording/from-message-media.ts',
    name: 'findRecordings, of attachments',
    call: (text) =>
      onEach(text, (part) =>
        findRecordings({
          event: { provider: 'telnyx' },
          payload: { media: [{ url: part, content_type: part, sha256: part, size: part }] }
        })
      )
  },
  {
    file: 'src/recording/from-texml.ts',
    name: 'findRecordings, of TeXML',
    call: (text) =>
      onEach(text, (part) =>
        findRecordings({
          event,
          payload: { RecordingUrl: part, RecordingChannels: part, RecordingDuration: part }
        })
      )
  },
  {
    file: 'src/recording/from-daily.ts',
    name: 'findRecordings, of tracks',
    call: (text) =>
      findRecordings({
        event: { provider: 'daily' },
        payload: { recording_id: 'a', status: 'finished', tracks: [{ s3Key: text }] }
      })
  },
  {
    file: 'src/recording/reference-from-message.ts',
    name: 'referenceFromMessage',
    call: (text) => referenceFromMessage({ url: text })
  },

  {
    file: 'src/routing/rules.ts',
    name: 'splitPatterns',
    call: (text) => splitPatterns(text.slice(0, SETTING))
  },
  {
    file: 'src/routing/glob-index.ts',
    name: 'compileGlob',
    call: (text) => compileGlob('*a.*.a*recording*.saved')(text)
  },
  {
    file: 'src/routing/glob-index.ts',
    name: 'GlobIndex',
    call: (text) => GLOBS.collect(text, () => undefined)
  },

  {
    file: 'src/receiving/route-path.ts',
    name: 'comparablePath',
    call: (text) => comparablePath(text.slice(0, HEADER))
  },
  { file: 'src/receiving/route-path.ts', name: 'pathProblem', call: (text) => pathProblem(text, true) },

  { file: 'src/reconcile/id-set.ts', name: 'IdSet', call: (text) => new IdSet().add(text) },
  {
    file: 'src/reconcile/read-filter.ts',
    name: 'readFilter',
    call: (text) => onEach(text, (part) => refuses(() => readFilter({ [part]: part }, 'telnyx')))
  },
  {
    file: 'src/reconcile/read-moment.ts',
    name: 'readRange',
    call: (text) => onEach(text, (part) => refuses(() => readRange(part, part, RECEIVED_AT)))
  },
  {
    file: 'src/reconcile/sidecar-entry.ts',
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
          '/archive/a.mp3'
        )
      )
  },

  {
    file: 'src/api/api-base.ts',
    name: 'apiBase',
    call: (text) => refuses(() => apiBase(text.slice(0, 2048), 'https://api.example.com'))
  },
  { file: 'src/api/api-path.ts', name: 'idSegment', call: (text) => refuses(() => idSegment(text)) },
  {
    file: 'src/api/api-fault.ts',
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
    file: 'src/api/json-body.ts',
    name: 'readJsonBody',
    isParser: true,
    call: (text) => readJsonBody(body(text), 8_000_000)
  },
  {
    file: 'src/api/server-pace.ts',
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
    file: 'src/daily-api/access-link.ts',
    name: 'accessLink',
    call: (text) => refusesLater(accessLink(daily({ download_link: text }), 'a', WHOLE))
  },
  {
    file: 'src/daily-api/link-resolver.ts',
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
    file: 'src/naming/filename-values.ts',
    name: 'filenameValues',
    call: (text) =>
      onEach(text, (part) =>
        filenameValues({ ...details, started_at: part }, { ext: part, announced_at: part, media_index: null })
      )
  },
  { file: 'src/naming/safe-segment.ts', name: 'safeValue', call: safeValue },
  { file: 'src/naming/safe-segment.ts', name: 'safeStart', call: safeStart },
  { file: 'src/naming/safe-segment.ts', name: 'safeSegment', call: (text) => safeSegment(text, 200) },

  { file: 'src/store/without-secrets.ts', name: 'withoutSecrets', call: withoutSecrets },
  {
    file: 'src/store/without-secrets.ts',
    name: 'withoutSecrets, of a name',
    call: (text) => withoutSecrets({ [text]: 1 })
  },
  {
    file: 'src/store/archive-path.ts',
    name: 'nameSegments',
    call: (text) => refuses(() => nameSegments(text))
  },
  { file: 'src/store/part-names.ts', name: 'readPartName', call: readPartName },
  { file: 'src/store/damaged-file.ts', name: 'isSetAside', call: isSetAside },
  {
    file: 'src/store/name-variants.ts',
    name: 'nameVariants',
    call: (text) => [...nameVariants(text, 'tail')].length
  },
  {
    file: 'src/store/bucket-fault.ts',
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
    file: 'src/store/bucket-link.ts',
    name: 'bucketLink',
    call: (text) =>
      bucketLink(
        readBucketSettings(BUCKET),
        { accessKeyId: 'a', secretAccessKey: 'b', region: 'us-east-1' },
        text.toWellFormed().slice(0, 16_384),
        RECEIVED_AT
      )
  },
  { file: 'src/store/bucket-key.ts', name: 'shownKey', call: shownKey },
  {
    file: 'src/store/bucket-settings.ts',
    name: 'readBucketSettings',
    call: (text) =>
      onEach(text, (part) =>
        ['bucket', 'region', 'prefix', 'sse'].forEach((name) =>
          refuses(() => readBucketSettings({ ...BUCKET, [name]: part }))
        )
      )
  },

  { file: 'src/transfer/page-kind.ts', name: 'pageKind', call: (text) => pageKind(Buffer.from(text)) },
  {
    file: 'src/transfer/page-kind.ts',
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
    file: 'src/transfer/media-signature.ts',
    name: 'mediaSignature',
    call: (text) => mediaSignature(Buffer.from(text))
  },
  { file: 'src/transfer/s3-error.ts', name: 'parseS3Error', call: (text) => parseS3Error(Buffer.from(text)) },
  { file: 'src/transfer/url-kind.ts', name: 'urlKind', call: urlKind },
  {
    file: 'src/transfer/address-guard.ts',
    name: 'checkAddress',
    call: (text) => refuses(() => checkAddress(text, 'public-https'))
  },
  {
    file: 'src/transfer/address-guard.ts',
    name: 'checkAddress, of the longest',
    call: (text) => refuses(() => checkAddress(text.slice(0, 16_384), 'any'))
  },
  {
    file: 'src/transfer/link-expiry.ts',
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
  { file: 'src/transfer/resume.ts', name: 'strongEtag', call: strongEtag },
  {
    file: 'src/transfer/retry-after.ts',
    name: 'retryAfterMs',
    call: (text) =>
      onEach(text, (part) =>
        retryAfterMs({ 'retry-after': part, 'retry-after-ms': part, 'x-ratelimit-reset': part }, RECEIVED_AT)
      )
  },

  {
    file: 'src/archive/api-authorization.ts',
    name: 'apiAuthorization',
    call: (text) => apiAuthorization(text, 'https://api.example.com', 'key')
  },
  {
    file: 'src/archive/archive-job.ts',
    name: 'partialCopyId',
    call: (text) => partialCopyId('node', text, 'mp3')
  },
  {
    file: 'src/archive/archive-faults.ts',
    name: 'withoutLink',
    call: (text) => withoutLink({ ...REFERENCE!, details: { ...details, recording_id: text } })
  },
  {
    file: 'src/archive/kept-message.ts',
    name: 'keptMessage',
    call: (text) =>
      onEach(text, (part) => keptMessage({ payload: part, event: { body: { part } }, topic: part }))
  }
];

/**
 * Files whose patterns meet only what this package, the system or the owner of this Node-RED made, or which bound the
 * text themselves; and why.
 */
export const WITHOUT_OUTSIDE_TEXT: ReadonlyMap<string, string> = new Map([
  ['nodes/runtime/account-users.ts', 'settings of an account'],
  ['nodes/runtime/bucket-test-route.ts', 'what an administrator types into a dialog'],
  ['nodes/runtime/typed-property.ts', 'what JSONata says of a setting'],
  ['src/api/json-api.ts', 'the API key of an account'],
  ['src/archive/file-attempts.ts', 'locations that a store made'],
  ['src/archive/transcript-filing.ts', 'locations that a store made'],
  ['src/http/http-client.ts', 'addresses that were parsed, in headers of at most 16 kB'],
  ['src/receiving/lmdb-journal.ts', 'ids of at most 100 characters'],
  ['src/state/instance-id.ts', 'a file of the state'],
  ['src/state/open-state.ts', 'the time'],
  ['src/state/process-identity.ts', 'what the system says of processes'],
  ['src/state/state-disk.ts', 'what the system says of its file systems'],
  ['src/state/state-lease.ts', 'names of files in a directory, at most 255 bytes'],
  ['src/store/bucket-kind.ts', 'a header of a store, whose answers are capped'],
  ['src/store/bucket-objects.ts', 'a header of a store, whose answers are capped'],
  ['src/store/bucket-versions.ts', 'ids of a bounded length'],
  ['src/store/s3-sdk.ts', 'the source text of the AWS SDK'],
  ['src/store/bucket-connection.ts', 'errors of the AWS SDK, whose answers are capped'],
  ['src/store/partial-file.ts', 'names that the naming made'],
  ['src/store/temporary-file.ts', 'names of files in a directory, at most 255 bytes'],
  ['src/transfer/answer.ts', 'a header; all of them have at most 16 kB'],
  ['src/transfer/transfer.ts', 'headers; all of them have at most 16 kB'],
  ['src/transfer/transfer-agents.ts', 'host names of parsed addresses']
]);
