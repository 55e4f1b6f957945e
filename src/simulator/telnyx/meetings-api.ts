import type { IncomingMessage, ServerResponse } from 'node:http';
import { sendJson } from '../send-json';
import { isAdmitted, type ApiAccess } from './api-answers';
import { meetingMedia, newMeeting, type StandInMeeting } from './meeting';
import type { Media } from '../../samples/media/media';

/** What the API answers in place of the truth, to test how its callers cope. */
export interface MeetingFault {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface MeetingsApiOptions extends ApiAccess {
  /** Makes a fresh link to a path. */
  link: (path: string) => string;
  now: () => number;
}

const DEFAULT_LIMIT = 100;
const LARGEST_LIMIT = 1000;

/** The meeting sessions of the made-up account, and the part of Telnyx's API v2 about them ("Meeting Sessions"). */
export class MeetingsApi {
  readonly #options: MeetingsApiOptions;
  readonly #meetings = new Map<string, StandInMeeting>();
  readonly #deleted = new Set<string>();
  /** Method and path below the session of every request, such as `GET recordings`. */
  readonly requests: string[] = [];
  /** Called for each request; what it returns is answered instead. */
  fault: ((request: string, meeting: StandInMeeting) => MeetingFault | undefined) | undefined;

  constructor(options: MeetingsApiOptions) {
    this.#options = options;
  }

  add(overrides: Partial<StandInMeeting> = {}): StandInMeeting {
    const meeting = newMeeting(overrides, this.#options.now());
    this.#meetings.set(meeting.id, meeting);
    return meeting;
  }

  /** All sessions, oldest first. */
  get all(): StandInMeeting[] {
    return [...this.#meetings.values()];
  }

  /** Whether the recordings of a session were deleted. */
  isDeleted({ id }: StandInMeeting): boolean {
    return this.#deleted.has(id);
  }

  /** A fresh link to a recording of a session; null when there is none. */
  linkTo(id: string, index: number): string | null {
    const path = `/meetings/${id}/${index}.mp4`;
    return this.mediaAt(path) === undefined ? null : this.#options.link(path);
  }

  /** The recording at a path; undefined when there is none. */
  mediaAt(path: string): { media: Media; meeting: StandInMeeting } | undefined {
    const [, id = '', index = ''] = /^\/meetings\/([^/]+)\/(\d+)\.mp4$/.exec(path) ?? [];
    const meeting = this.#meetings.get(id);
    const type = meeting?.types[Number(index)];
    if (!meeting || type === undefined || this.#deleted.has(id)) return undefined;
    return { media: meetingMedia(meeting, type), meeting };
  }

  /** Answers one request; `url` is its address. */
  handle(request: IncomingMessage, url: URL, response: ServerResponse): void {
    if (!isAdmitted(request, response, this.#options)) return;
    const [, id = '', below = ''] = /^\/v2\/meeting_sessions\/([^/]+)(?:\/(.+))?$/.exec(url.pathname) ?? [];
    const meeting = this.#meetings.get(id);
    if (url.pathname === '/v2/meeting_sessions' && request.method === 'POST') this.#create(response);
    else if (meeting === undefined) sendFault(response, 404, 'not_found', 'The session does not exist.');
    else {
      const asked = `${request.method ?? ''} ${below}`.trim();
      this.requests.push(asked);
      const fault = this.fault?.(asked, meeting);
      if (fault === undefined) this.#answer(asked, meeting, url.searchParams, response);
      else {
        for (const [name, value] of Object.entries(fault.headers ?? {})) response.setHeader(name, value);
        sendJson(response, fault.status, fault.body ?? { error: { code: 'fault', message: 'On purpose.' } });
      }
    }
  }

  #create(response: ServerResponse): void {
    const meeting = this.add();
    sendJson(response, 201, { data: { ...describe(meeting), webhook_secret: meeting.secret } });
  }

  #answer(asked: string, meeting: StandInMeeting, query: URLSearchParams, response: ServerResponse): void {
    const { id, types, segments, summary } = meeting;
    if (asked === 'GET') sendJson(response, 200, { data: describe(meeting) });
    else if (asked === 'GET recordings')
      sendJson(response, 200, {
        data: (this.#deleted.has(id) ? [] : types).map((type, index) => ({
          type,
          url: this.linkTo(id, index),
          expires_at: null
        }))
      });
    else if (asked === 'GET transcript') {
      const after = Number(query.get('after') ?? 0);
      const limit = Math.min(LARGEST_LIMIT, Number(query.get('limit') ?? DEFAULT_LIMIT));
      const data = segments.filter(({ seq }) => seq > after).slice(0, limit);
      sendJson(response, 200, { data, meta: { next_after: data.at(-1)?.seq ?? null } });
    } else if (asked === `GET artifacts/${summary.id}`)
      sendJson(response, 200, {
        data: { id: summary.id, type: 'summary', status: 'completed', content: { text: summary.text } }
      });
    else if (asked === 'DELETE recording_media') {
      const deletion_status = this.#deleted.has(id) ? 'already_in_progress' : 'requested';
      this.#deleted.add(id);
      const scope = 'provider_recording_media';
      sendJson(response, 202, {
        data: { meeting_session_id: id, provider: 'recall', scope, deletion_status }
      });
    } else sendFault(response, 404, 'not_found', 'The stand-in does not know this address.');
  }
}

function describe({ id, meetingUrl, botName, joinedAt, seconds, metadata }: StandInMeeting): object {
  return {
    id,
    status: 'ended',
    platform: 'google_meet',
    bot_name: botName,
    meeting_url: meetingUrl,
    joined_at: new Date(joinedAt).toISOString(),
    ended_at: new Date(joinedAt + seconds * 1000).toISOString(),
    metadata,
    recording: true,
    failure_reason: null
  };
}

function sendFault(response: ServerResponse, status: number, code: string, message: string): void {
  sendJson(response, status, { error: { code, message } });
}
