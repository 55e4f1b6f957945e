import { asFields, textField, type Fields } from '../../values/fields';
import { readTexml } from '../texml';
import type { BodyReading } from './body-reading';
import { emptyReading, UNKNOWN_TYPE } from './body-reading';
import { readDebugRecord, readEnvelope } from './telnyx-envelope';
import { readRootTyped } from './telnyx-root';
import {
  readCampaignStatus,
  readLegacyMessage,
  readLinkClick,
  readMeeting,
  readRecordingFragment
} from './telnyx-untyped';

/** TeXML fields sent as JSON, seen from re-sending proxies; without a CallSid an object is not TeXML. */
function readTexmlJson(body: Fields): BodyReading | undefined {
  return textField(body, 'CallSid') === null ? undefined : readTexml(body, 'texml-form');
}

/** One reader for each shape or group of shapes, in the order in which they are tried. */
const READERS: readonly ((body: Fields) => BodyReading | undefined)[] = [
  readEnvelope,
  readMeeting,
  readRootTyped,
  readLinkClick,
  readDebugRecord,
  readCampaignStatus,
  readLegacyMessage,
  readRecordingFragment,
  readTexmlJson
];

/** Reads a JSON body of Telnyx; one that no reader knows becomes `unknown` with the body as payload. */
export function readJson(body: unknown): BodyReading {
  const record = asFields(body);
  if (record !== null) {
    for (const read of READERS) {
      const reading = read(record);
      if (reading !== undefined) return reading;
    }
  }
  return emptyReading(UNKNOWN_TYPE, 'unstructured', body);
}
