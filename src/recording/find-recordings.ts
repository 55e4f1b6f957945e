import { announcementsOf, type Announcement, type RecordingSource } from './extract/announcement';
import { fromDaily } from './extract/from-daily';
import { fromFax } from './extract/from-fax';
import { fromMessageMedia } from './extract/from-message-media';
import { fromRecordingUrls } from './extract/from-recording-urls';
import { fromTexml } from './extract/from-texml';
import { fromTranscription } from './extract/from-transcription';
import { fromVideoRoom } from './extract/from-video-room';
import type { RecordingReference } from './recording-reference';

export type { RecordingSource } from './extract/announcement';

/** Links first, ids last: an event that has both needs no API. */
const EXTRACTORS: readonly ((announcement: Announcement) => RecordingReference[])[] = [
  fromRecordingUrls,
  fromTexml,
  fromFax,
  fromMessageMedia,
  fromVideoRoom,
  fromDaily,
  fromTranscription
];

/**
 * Finds what an event announces that can be stored. Fields decide, never the event type: Telnyx adds
 * types without notice, and a new one with `recording_urls` shall be archived too.
 *
 * @param source `msg.event` and `msg.payload` of a webhook node; either may be missing or changed
 * @returns one reference per file; empty when there is nothing to store. Never throws.
 */
export function findRecordings(source: RecordingSource): RecordingReference[] {
  for (const announcement of announcementsOf(source)) {
    for (const extract of EXTRACTORS) {
      const found = extract(announcement);
      if (found.length > 0) return found;
    }
  }
  return [];
}

/**
 * Whether the event carries something the download node can store: a link, or an id whose link the
 * provider's API knows. Announcements without a file (`in-progress`, `absent`, `*.started`,
 * `*.error`, `meeting.recording.available`) do not.
 */
export function carriesRecording(source: RecordingSource): boolean {
  return findRecordings(source).length > 0;
}

/** Whether an event brings the text of a recording, or names one. */
export function announcesText({ details, transcription_id }: RecordingReference): boolean {
  return details.transcription !== null || transcription_id !== undefined;
}
