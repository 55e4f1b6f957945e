import { setTimeout as timer } from 'node:timers/promises';
import { CodedError } from '../../../errors/coded-error';
import { artifactContent, textLink } from '../../../recording/extract/from-meeting';
import type { MediaLink, MeetingFacts, RecordingReference } from '../../../recording/recording-reference';
import type { Fields } from '../../../values/fields';
import type { LinkReason, RecordingProvider } from '../../provider';
import type { TelnyxApi } from '../api-client';
import { deleteMedia } from './delete-media';
import { factsOf, ofSession, sessionData, withSession } from './meeting-session';
import { fileOf, listAll, listFiles, referencesOf } from './recording-files';
import { expectAll, readTranscript, transcriptLinks, type Transcript } from './transcript';

/** What a provider does for the files of meeting sessions. Each reference has `meeting`. */
export type Meetings = Required<
  Pick<RecordingProvider, 'expand' | 'resolveLinks' | 'completeDetails' | 'deleteRecording'>
>;

export interface MeetingOptions {
  /** Milliseconds before a session that an event has just named is asked for again. Default 2000. */
  lagMs?: number;
}

/**
 * The recordings, transcripts and artifacts of Telnyx's meeting sessions (Telnyx "Meeting Sessions"). Links to
 * recordings have no promised lifetime, so each attempt asks for its own.
 *
 * @param api null when there is no account
 */
export function telnyxMeetings(api: TelnyxApi | null, { lagMs = 2000 }: MeetingOptions = {}): Meetings {
  return {
    expand: async (reference, isLast, signal) => {
      const session = await sessionIfThere(api, reference, signal);
      const whole = { ...reference, details: withSession(reference.details, session) };
      if (reference.resource === 'meeting-transcript') {
        const asked = withKey(api, 'missing');
        const facts = factsOf(reference);
        const transcript = await despiteLag(() => readTranscript(asked, facts, signal), lagMs, signal);
        if (!isLast || transcript.segments.length === 0) expectAll(transcript, facts);
        return [ofTranscript(whole, transcript, session)];
      }
      const { types } = factsOf(reference);
      try {
        return referencesOf(whole, await listAll(withKey(api, 'missing'), factsOf(reference), signal));
      } catch (error) {
        // Each that is announced is asked for by itself: it may be stored already.
        if (signal.aborted || types.length === 0) throw error;
        return referencesOf(whole, { files: [], unready: [] });
      }
    },

    resolveLinks: async (reference, why, signal) => {
      const asked = withKey(api, why);
      return await despiteLag(() => linksOf(asked, reference, signal), lagMs, signal);
    },

    completeDetails: async (reference, signal) => {
      const { details } = reference;
      // Known since the files were listed.
      if (api === null || details.started_at !== null) return details;
      try {
        return withSession(details, await sessionData(api.optional, factsOf(reference), signal));
      } catch (error) {
        if (signal.aborted || !(error instanceof CodedError) || error.retryable) throw error;
        return details;
      }
    },

    deleteRecording: (reference, signal, stored = []) => deleteMedia(api, reference, stored, signal)
  };
}

/** The API may lag behind the event. */
async function despiteLag<T>(ask: () => Promise<T>, lagMs: number, signal: AbortSignal): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof CodedError) || error.code !== 'API_NOT_FOUND') throw error;
    // When aborted, the next request throws.
    await timer(lagMs, undefined, { signal }).catch(() => undefined);
    return await ask();
  }
}

/** Files can do without it: their details are completed later. @throws `signal.reason` when aborted */
async function sessionIfThere(
  api: TelnyxApi | null,
  reference: RecordingReference,
  signal: AbortSignal
): Promise<Fields | null> {
  if (api?.hasKey !== true) return null;
  try {
    return await sessionData(api.optional, factsOf(reference), signal);
  } catch {
    signal.throwIfAborted();
    return null;
  }
}

/** A transcript that is still incomplete at the end is not taken for the complete one later. */
function ofTranscript(
  whole: RecordingReference,
  transcript: Transcript,
  session: Fields | null
): RecordingReference {
  const links = transcriptLinks(transcript, factsOf(whole), session);
  return transcript.isComplete(factsOf(whole))
    ? { ...whole, isCollection: false, links }
    : { ...ofSession(whole, 'transcript-incomplete'), links };
}

async function linksOf(
  api: TelnyxApi,
  reference: RecordingReference,
  signal: AbortSignal
): Promise<MediaLink[]> {
  const facts = factsOf(reference);
  if (reference.resource === 'meeting-recording')
    return [fileOf(reference, await listFiles(api, facts, signal))];
  if (reference.resource === 'meeting-artifact') return [await artifact(api, facts, signal)];
  const session = await sessionIfThere(api, reference, signal);
  const transcript = await readTranscript(api, facts, signal);
  expectAll(transcript, facts);
  return transcriptLinks(transcript, facts, session);
}

/** The text of an artifact (Telnyx "Get a meeting artifact"). */
async function artifact(api: TelnyxApi, facts: MeetingFacts, signal: AbortSignal): Promise<MediaLink> {
  const found = await sessionData(api, facts, signal, ['artifacts', facts.artifact_id ?? '']);
  const content = artifactContent(found);
  if (content !== null) return textLink('txt', content);
  if (found['status'] === 'failed')
    throw new CodedError(
      'API_NOT_FOUND',
      'Telnyx says that the artifact of the meeting has failed; it has no text.'
    );
  throw new CodedError('LINK_REFUSED', 'Telnyx has no text of the artifact yet; the next attempt waits.', {
    retryable: true,
    trouble: 'not-there'
  });
}

function withKey(api: TelnyxApi | null, why: LinkReason): TelnyxApi {
  if (api?.hasKey === true) return api;
  throw new CodedError(
    why === 'dead' ? 'LINK_EXPIRED' : 'NO_RECORDING',
    'Telnyx gives the files of meetings only to an API key: choose an account that has an "API key" as "Telnyx" in the ' +
      'download node, and send the message again.'
  );
}
