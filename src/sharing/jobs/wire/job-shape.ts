import type { Job } from '../../../archive/queue/job';
import { TROUBLES } from '../../../errors/trouble';
import { FORMAT_CHOICES } from '../../../recording/recording-reference';
import { readRetention } from '../../../store/kept-facts';
import {
  type Check,
  isCount,
  isFlag,
  isNumber,
  isObject,
  isText,
  listOf,
  mapOf,
  oneOf,
  orNull,
  shape
} from './shape';

const isTextOrNull = orNull(isText);
const isNumberOrNull = orNull(isNumber);

/** All other details are text, or null. */
const isDetails: Check = (value) =>
  shape(
    { provider: isText, recording_id: isTextOrNull, event_type: isTextOrNull },
    { duration_seconds: isNumberOrNull, max_participants: isNumberOrNull }
  )(value) && mapOf((field) => field === null || isText(field) || isNumber(field))(value);

const isLink = shape(
  { format: isTextOrNull, url: isText, sha256: isTextOrNull, size: isNumberOrNull },
  { isFleeting: oneOf([true]), content: shape({ text: isText, contentType: isText }), sample: isObject }
);

const isReference = shape(
  {
    kind: oneOf(['audio', 'video', 'fax', 'attachment', 'track', 'text']),
    identity: isText,
    details: isDetails,
    links: listOf(isLink),
    media_index: isNumberOrNull,
    announced_at: isTextOrNull,
    storage_key: isTextOrNull
  },
  {
    resource: isText,
    account_sid: isText,
    transcription_id: isText,
    meeting: shape({
      session_id: isText,
      types: listOf(isText),
      last_seq: isNumberOrNull,
      segment_count: isNumberOrNull,
      artifact_id: isTextOrNull
    }),
    isCollection: isFlag,
    output: shape(
      {
        what: oneOf(['transcript', 'batch-job', 'side-file']),
        of: isText,
        name: isText,
        format: isTextOrNull
      },
      {
        total: isNumber,
        listed: listOf(shape({ name: isText, format: isTextOrNull, key: isTextOrNull }))
      }
    ),
    sample: oneOf([true])
  }
);

const isPublished = shape(
  {
    result: shape({ size: isCount, sha256: isText, contentType: isText }),
    location: isText,
    alreadyStored: isFlag
  },
  { versionId: isTextOrNull }
);

const isNote = shape(
  { attempts: isCount, failures: isCount },
  {
    details: isDetails,
    areDetailsLate: isFlag,
    links: listOf(isLink),
    retention: orNull((value) => readRetention(value) !== null),
    published: isPublished,
    failed: shape(
      { code: isText, message: isText },
      { trouble: oneOf(TROUBLES), cause: shape({ code: isText, message: isText }) }
    )
  }
);

/** A file after it was put into its place: its payload is then where it is. */
const isStoredFile = shape({
  payload: isText,
  recording: shape(
    { provider: isText, size: isCount, sha256: isText, deleted_at_source: isTextOrNull },
    {
      ...{ path: isText, bucket: isText, key: isText, identity: isText },
      ...{ sidecar: isTextOrNull, transcription_file: isText }
    }
  )
});

const isJob = shape(
  {
    id: isText,
    acceptedAt: isNumber,
    message: isObject,
    items: listOf(shape({ reference: isReference, format: oneOf(FORMAT_CHOICES) })),
    files: mapOf(isNote)
  },
  {
    retry: shape({ trouble: oneOf(TROUBLES), attempt: isCount, of: isCount }),
    deletion: shape({
      recordings: listOf(shape({ reference: isReference, files: listOf(isStoredFile) })),
      failures: isCount
    }),
    details: shape({ recordings: listOf(isReference), failures: isCount }),
    sideFiles: shape({
      recordings: listOf(shape({ reference: isReference, until: isNumber, found: listOf(isText) })),
      looks: isCount
    })
  }
);

/**
 * A job that came from elsewhere, as a value of this program.
 *
 * @param id the one it is filed under
 * @returns null when it is no job, or another one
 */
export function asJob(value: unknown, id: string): Job | null {
  return isJob(value) && (value as Job).id === id ? (value as Job) : null;
}
