import { decodeClientState } from '../../src/events/build-event';
import { isTooDeep, parseBody } from '../../src/events/reading/parse-body';
import { isDailyProbeBody, parseDailyDelivery } from '../../src/events/reading/parse-daily';
import { parseTelnyxDelivery } from '../../src/events/reading/parse-telnyx';
import { providers } from '../../src/providers/registry';
import { findRecordings, referenceFromMessage } from '../../src/recording/find-recordings';
import {
  asFormat,
  formatOfUrl,
  identityOfId,
  identityOfUrl,
  isStoragePlace
} from '../../src/recording/recording-reference';
import { GlobIndex, compileGlob } from '../../src/routing/glob-index';
import { splitPatterns } from '../../src/routing/rules';
import { SampleProof } from '../../src/samples/sample-proof';
import { isPaddedBase64 } from '../../src/text/base64';
import { leadingRun, trailingRun } from '../../src/text/edges';
import { decodePaddedBase64, decodeStrictBase64 } from '../../src/values/fields';
import { shownText } from '../../src/text/shown-text';
import { asCount, asParty, asProse, asSha256, asText, losslessText, parseUrl } from '../../src/values/fields';
import { readTime } from '../../src/values/time';
import {
  isUnsetVariable,
  parseDailySecrets,
  parsePublicKeys,
  parseSecrets
} from '../../src/verification/account-keys';
import { DailyHmac } from '../../src/verification/daily-hmac';
import { checkTimestamp } from '../../src/verification/signed-delivery';
import { claimedSession, verifyLegacy, verifyMeeting } from '../../src/verification/telnyx-hmac';
import { comparablePath, pathProblem } from '../../src/webhook/express/route-path';
import { RECEIVED_AT, SETTING, type TextFunction, bytesOf, event, onEach } from './text-function';

const PROOF = new SampleProof();

/** Bytes of a request line or a header; Node.js accepts 16 kB in total by default. */
const HEADER = 65_536;

function delivery(header: string, text: string, body = text) {
  return { rawHeaders: [header, text], rawBody: Buffer.from(body), query: null, receivedAt: RECEIVED_AT };
}

const GLOBS = new GlobIndex();
for (const glob of ['*a*', 'a*b', '*.recording.*', 'call.*', '*'.repeat(20)]) GLOBS.add(glob, 0);

let made: { text: string; bytes: Buffer } | undefined;

/** A delivery that contains a text wherever possible; JSON writes some characters with six. Made once per text. */
function inJson(text: string, deliveryOf: (value: string) => unknown): Buffer {
  if (made?.text !== text)
    made = { text, bytes: Buffer.from(JSON.stringify(deliveryOf(text.slice(0, text.length / 20)))) };
  return made.bytes;
}

/** Functions that read deliveries and events before anything is fetched. */
export const EVENT_FUNCTIONS: readonly TextFunction[] = [
  { file: 'src/text/edges.ts', name: 'leadingRun', call: (text) => leadingRun(text, '. ') },
  { file: 'src/text/edges.ts', name: 'trailingRun', call: (text) => trailingRun(text, '. ') },
  { file: 'src/values/fields.ts', name: 'losslessText', call: losslessText },
  { file: 'src/values/fields.ts', name: 'parseUrl', call: parseUrl },
  {
    file: 'src/values/fields.ts',
    name: 'parseUrl, of the longest',
    call: (text) => [2048, 16_384].map((length) => parseUrl(text.slice(0, length)))
  },
  { file: 'src/text/shown-text.ts', name: 'shownText', call: (text) => shownText(text) },

  { file: 'src/text/base64.ts', name: 'isPaddedBase64', call: isPaddedBase64 },
  { file: 'src/values/fields.ts', name: 'decodeStrictBase64', call: decodeStrictBase64 },
  { file: 'src/values/fields.ts', name: 'decodePaddedBase64', call: decodePaddedBase64 },
  { file: 'src/verification/account-keys.ts', name: 'isUnsetVariable', call: isUnsetVariable },
  {
    file: 'src/verification/signed-delivery.ts',
    name: 'checkTimestamp',
    call: (text) => checkTimestamp('x', [text], { receivedAt: RECEIVED_AT, toleranceSeconds: 300 })
  },
  {
    file: 'src/verification/daily-hmac.ts',
    name: 'DailyHmac',
    call: (text) => new DailyHmac([Buffer.from('a')], 300).verify(delivery('x-webhook-signature', text, ''))
  },
  {
    file: 'src/verification/telnyx-hmac.ts',
    name: 'verifyLegacy',
    call: (text) => verifyLegacy(delivery('x-telnyx-signature', text, ''), ['a'])
  },
  {
    file: 'src/verification/telnyx-hmac.ts',
    name: 'verifyMeeting',
    call: (text) => verifyMeeting(delivery('x-meeting-bot-signature', text.slice(0, 16_384), ''), ['a'], 300)
  },
  {
    file: 'src/verification/telnyx-hmac.ts',
    name: 'claimedSession',
    isParser: true,
    call: (text) => claimedSession(bytesOf(text))
  },
  {
    file: 'src/verification/account-keys.ts',
    name: 'parsePublicKeys',
    call: (text) => parsePublicKeys(text.slice(0, SETTING))
  },
  {
    file: 'src/verification/account-keys.ts',
    name: 'parseDailySecrets',
    call: (text) => parseDailySecrets(text.slice(0, SETTING))
  },
  {
    file: 'src/verification/account-keys.ts',
    name: 'parseSecrets',
    call: (text) => parseSecrets(text.slice(0, SETTING))
  },

  { file: 'src/events/build-event.ts', name: 'decodeClientState', call: decodeClientState },
  {
    file: 'src/events/reading/parse-daily.ts',
    name: 'isDailyProbeBody',
    call: (text) => isDailyProbeBody(Buffer.from(text))
  },
  { file: 'src/values/time.ts', name: 'readTime', call: readTime },
  { file: 'src/events/reading/parse-body.ts', name: 'isTooDeep', call: isTooDeep },
  {
    file: 'src/events/reading/parse-body.ts',
    name: 'parseBody',
    isParser: true,
    call: (text) => parseBody(bytesOf(text), undefined)
  },
  {
    file: 'src/events/reading/parse-body.ts',
    name: 'parseBody, of a form',
    isParser: true,
    call: (text) => parseBody(bytesOf(text), 'application/x-www-form-urlencoded')
  },
  {
    file: 'src/events/reading/parse-telnyx.ts',
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
    file: 'src/events/reading/parse-daily.ts',
    name: 'parseDailyDelivery, of a text in JSON',
    call: (text) =>
      parseDailyDelivery({
        rawBody: inJson(text, (value) => ({ type: value, id: value, event_ts: value, payload: {} })),
        contentType: undefined
      })
  },

  { file: 'src/values/fields.ts', name: 'asText', call: asText },
  { file: 'src/values/fields.ts', name: 'asProse', call: asProse },
  { file: 'src/values/fields.ts', name: 'asCount', call: asCount },
  { file: 'src/values/fields.ts', name: 'asSha256', call: asSha256 },
  { file: 'src/values/fields.ts', name: 'asParty', call: asParty },
  { file: 'src/recording/recording-reference.ts', name: 'asFormat', call: asFormat },
  { file: 'src/recording/recording-reference.ts', name: 'formatOfUrl', call: formatOfUrl },
  { file: 'src/recording/recording-reference.ts', name: 'isStoragePlace', call: isStoragePlace },
  {
    file: 'src/recording/recording-reference.ts',
    name: 'identityOfUrl',
    call: (text) => identityOfUrl('telnyx', text)
  },
  {
    file: 'src/recording/recording-reference.ts',
    name: 'identityOfUrl, of the longest',
    call: (text) => identityOfUrl('telnyx', text.slice(0, 16_384))
  },
  {
    file: 'src/recording/recording-reference.ts',
    name: 'identityOfId',
    call: (text) => onEach(text, (part) => identityOfId('telnyx', part, part))
  },
  {
    file: 'src/recording/extract/from-recording-urls.ts',
    name: 'findRecordings, of links',
    call: (text) =>
      onEach(text, (part) => findRecordings({ event, payload: { recording_urls: { mp3: part, wav: part } } }))
  },
  {
    file: 'src/recording/extract/from-recording-urls.ts',
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
    file: 'src/recording/extract/from-meeting.ts',
    name: 'findRecordings, of meetings',
    call: (text) =>
      onEach(text, (part) => [
        findRecordings({ event, payload: { session_id: part, recording_types: [part, part] } }),
        findRecordings({
          event,
          payload: { session_id: part, artifact_id: part, type: part, content: part }
        }),
        findRecordings({
          event,
          payload: { session_id: part, segment_count: part, last_seq: part, ended_at: part }
        })
      ])
  },
  {
    file: 'src/recording/extract/from-message-media.ts',
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
    file: 'src/recording/extract/from-texml.ts',
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
    file: 'src/recording/extract/from-daily.ts',
    name: 'findRecordings, of tracks',
    call: (text) =>
      findRecordings({
        event: { provider: 'daily' },
        payload: { recording_id: 'a', status: 'finished', tracks: [{ s3Key: text }] }
      })
  },
  {
    file: 'src/recording/find-recordings.ts',
    name: 'referenceFromMessage',
    call: (text) => onEach(text, (part) => referenceFromMessage({ url: part }, providers))
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
    file: 'src/samples/sample-proof.ts',
    name: 'SampleProof',
    call: (text) => PROOF.proves({ sample: true, id: text })
  },
  {
    file: 'src/webhook/express/route-path.ts',
    name: 'comparablePath',
    call: (text) => comparablePath(text.slice(0, HEADER))
  },
  { file: 'src/webhook/express/route-path.ts', name: 'pathProblem', call: (text) => pathProblem(text, true) }
];
