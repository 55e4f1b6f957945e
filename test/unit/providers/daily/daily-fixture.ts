import { DailyApi } from '../../../../src/providers/daily/daily-client';
import type { JsonApiOptions } from '../../../../src/providers/http/json-api';
import type { RecordingDetails } from '../../../../src/recording/recording-details';
import type { RecordingReference } from '../../../../src/recording/recording-reference';
import { ApiServer, reference } from '../telnyx/api-server';

export const DAILY_KEY = 'daily-key-0189af23-example-only';
/** Parsing and rebuilding this link changes it, so that its signature no longer matches. */
export const LINK =
  "https://media.example.com:443/made-up/./standup/1?X-Amz-Signature=a%2Bb&x-id=GetObject&odd=%7e&room='a'";

/** A stand-in for Daily's API, and a client for it. */
export class DailyServer {
  private constructor(
    readonly server: ApiServer,
    readonly api: DailyApi
  ) {}

  static async start(options: Partial<JsonApiOptions> = {}): Promise<DailyServer> {
    const server = await ApiServer.start();
    const apiUrl = `${server.origin}/v1`;
    return new DailyServer(server, new DailyApi({ apiUrl, apiKey: () => DAILY_KEY, ...options }));
  }

  async stop(): Promise<void> {
    await this.api.close();
    await this.server.stop();
  }
}

/** A reference as extracted from `recording.ready-to-download`. */
export function dailyReference(
  details: Partial<RecordingDetails> = {},
  rest: Partial<Omit<RecordingReference, 'details'>> = {}
): RecordingReference {
  const made = reference(
    {
      provider: 'daily',
      event_type: 'recording.ready-to-download',
      recording_id: 'rec-1',
      format: 'mp4',
      ...details
    },
    { kind: 'video', identity: 'daily:rec-1', storage_key: 'made-up/standup/1', ...rest }
  );
  delete made.resource;
  return made;
}

/** A recording in the form of the API. */
export function recordingObject(fields: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    id: 'rec-1',
    room_name: 'standup',
    start_ts: 1772615702,
    status: 'finished',
    max_participants: 3,
    duration: 80,
    share_token: 'made-up',
    s3key: 'made-up/standup/1',
    mtgSessionId: 'mtg-1',
    tracks: [],
    ...fields
  };
}
