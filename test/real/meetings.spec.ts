import { existsSync, readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import should from 'should';
import { TelnyxStandIn } from '../../src/simulator/stand-in';
import { MEETING_EVENTS, type MeetingEvent, type StandInMeeting } from '../../src/simulator/telnyx/meeting';
import type { MeetingFault } from '../../src/simulator/telnyx/meetings-api';
import { formDelivery, jsonDelivery } from '../support/deliveries';
import { account, catchAll, functionNode, node, recorder, tab, webhookIn } from '../support/flows';
import { type LocalServer, localServer, mp4, sha256 } from '../support/media';
import type { RecordedMessage } from '../support/node-red-process';
import { TRUSTED } from '../support/sign';
import { until } from '../support/until';
import { WebhookInstance } from '../support/webhook-instance';

/** A video of a room. */
const FILM = mp4({ size: 200_000, seed: 7 });

const ERROR = { code: 'made_up', message: 'On purpose.' };

function flow(apiUrl: string, apiKey: string) {
  const download = (id: string, properties: object) =>
    node(id, 'telnyx-recording-download', {
      account: 'account',
      destination: 'folder',
      folder: 'archive',
      network: 'any',
      retries: '3',
      wires: [['seen']],
      ...properties
    });
  return [
    tab(),
    account({ publicKeys: TRUSTED.publicKey, apiUrl, credentials: { apiKey } }),
    { ...account({ publicKeys: TRUSTED.publicKey, apiUrl }), id: 'no-key' },
    webhookIn({ wires: [['way']] }),
    functionNode(
      'way',
      "const id = msg.payload.session_id || msg.payload.recording_id || ''; return [id.startsWith('del') ? msg : null, id.startsWith('nokey') ? msg : null, /^(del|nokey)/.test(id) ? null : msg];",
      { outputs: 3, wires: [['delete'], ['nokey'], ['keep']] }
    ),
    download('keep', {}),
    download('delete', { deleteAtSource: true }),
    download('nokey', { account: 'no-key' }),
    node('register', 'http in', {
      url: '/register',
      method: 'post',
      upload: false,
      swaggerDoc: '',
      wires: [['set']]
    }),
    // As in the example flow, behind the request that starts a meeting.
    node('set', 'change', {
      rules: [
        {
          t: 'set',
          p: 'telnyxMeetingSecrets[msg.payload.data.id]',
          pt: 'global',
          to: 'payload.data.webhook_secret',
          tot: 'msg'
        },
        { t: 'delete', p: 'payload', pt: 'msg' }
      ],
      wires: [['answer']]
    }),
    node('answer', 'http response', { statusCode: '200', headers: {} }),
    ...recorder(),
    ...catchAll()
  ];
}

describe('meetings in a real Node-RED', function () {
  this.timeout(120_000);
  let standIn: TelnyxStandIn;
  let instance: WebhookInstance;
  const faults = new Map<string, (request: string, nth: number) => MeetingFault | undefined>();
  const asked = new Map<string, number>();

  before(async () => {
    standIn = new TelnyxStandIn();
    await standIn.start();
    standIn.meetings.fault = (request, { id }) => {
      const key = `${id} ${request}`;
      asked.set(key, (asked.get(key) ?? 0) + 1);
      return faults.get(id)?.(request, asked.get(key) ?? 0);
    };
    instance = await WebhookInstance.start({ flow: flow(standIn.apiUrl, standIn.apiKey) });
  });
  after(async () => {
    await instance.stop();
    await standIn.stop();
  });

  const url = () => `http://127.0.0.1:${instance.nodeRed.port}${instance.nodeRed.nodePath('/telnyx')}`;
  const send = async (meeting: StandInMeeting, event: MeetingEvent): Promise<number | null> => {
    const { last } = await standIn.deliverMeeting(meeting, event, url(), { retryDelaysMs: [] });
    return last.status;
  };
  const register = async ({ id, secret }: StandInMeeting): Promise<void> => {
    const body = Buffer.from(JSON.stringify({ data: { id, webhook_secret: secret } }));
    const headers = { 'content-type': 'application/json' };
    const { status } = await instance.request('/register', { method: 'POST', headers, body });
    should(status).equal(200);
  };
  /** A session whose secret the flow knows. */
  const started = async (id: string, overrides: Partial<StandInMeeting> = {}): Promise<StandInMeeting> => {
    const meeting = standIn.meetings.add({ id, ...overrides });
    await register(meeting);
    return meeting;
  };
  const told = (id: string): RecordedMessage[] =>
    instance.nodeRed.recorded().filter(({ recording }) => recording?.['recording_id'] === id);
  const failed = (id: string): RecordedMessage[] =>
    instance.nodeRed
      .recorded('errors.jsonl')
      .filter(({ payload }) => JSON.stringify(payload ?? '').includes(id));
  const stored = (id: string, count: number): Promise<RecordedMessage[]> =>
    until(`${count} files of ${id}`, () => (told(id).length >= count ? told(id) : undefined), {
      deadline: 60_000
    });
  const error = (id: string): Promise<RecordedMessage> =>
    until(`the error of ${id}`, () => failed(id)[0], { deadline: 60_000 });

  const checked = (meeting: StandInMeeting, messages: readonly RecordedMessage[]): void => {
    const expected = standIn.expectedOfMeeting(meeting).map((file) => file.sha256);
    const videos = messages.filter(({ recording }) => recording?.['format'] === 'mp4');
    should(videos.map(({ payload }) => sha256(readFileSync(String(payload)))).sort()).deepEqual(
      expected.sort()
    );
  };

  it('are stored with transcript and artifact beside the recording, and without a deploy', async () => {
    const meeting = standIn.meetings.add({ types: ['video_mixed', 'audio_mixed'] });
    // A secret that nobody has registered yet: Telnyx tries again.
    should(await send(meeting, 'meeting.recording.available')).equal(503);
    await register(meeting);
    for (const event of MEETING_EVENTS) should(await send(meeting, event)).equal(200);
    const messages = await stored(meeting.id, 5);
    checked(meeting, messages);
    const names = messages.map(({ payload }) => path.basename(String(payload))).sort();
    const begin = `${new Date(meeting.joinedAt).toISOString().replace(/[-:]|\.\d+/g, '')}_${meeting.id}_`;
    should(names).deepEqual(
      ['audio_mixed.mp4', 'summary.txt', 'transcript.json', 'transcript.txt', 'video_mixed.mp4'].map(
        (name) => (name === 'summary.txt' ? names.find((one) => one.endsWith(name)) : begin + name)
      )
    );
    const text = messages.find(({ payload }) => String(payload).endsWith('transcript.txt'));
    should(readFileSync(String(text?.payload), 'utf8')).equal(
      '[00:00:00] Ann: Good morning.\n[00:00:02] Ben: Good morning. Shall we begin?\n[00:00:04] Ann: That was all. Thank you.\n'
    );
    for (const { payload, recording } of messages) {
      const sidecar = JSON.parse(readFileSync(`${String(payload)}.json`, 'utf8')) as Record<string, unknown>;
      should(sidecar).have.properties({ sha256: recording?.['sha256'], recording_id: meeting.id });
      should(JSON.stringify([sidecar, recording])).not.match(/X-Amz|pwd=|whsec_/);
    }
    const video = messages.find(({ payload }) => String(payload).endsWith('video_mixed.mp4'));
    should(video?.recording).have.properties({
      track: 'video_mixed',
      room_name: 'meet.example.com/abc-defg-hij',
      initiated_by: 'Note taker'
    });
    should(instance.nodeRed.log).not.match(/whsec_|X-Amz-Signature/);
  });

  it('are refused with the secret of another session', async () => {
    const other = await started('mtgsess_other');
    const victim = await started('mtgsess_victim');
    should(await send({ ...victim, secret: other.secret }, 'meeting.recording.available')).equal(401);
  });

  it('survive every temporary fault of the API', async () => {
    const temporary: Record<string, (request: string, nth: number) => MeetingFault | undefined> = {
      'mtgsess_404-once': (request, nth) =>
        request === 'GET recordings' && nth === 1 ? { status: 404, body: { error: ERROR } } : undefined,
      mtgsess_late: (request, nth) =>
        request === 'GET recordings' && nth <= 2 ? { status: 200, body: { data: [] } } : undefined,
      mtgsess_429: (request, nth) =>
        request === 'GET recordings' && nth === 1
          ? { status: 429, body: { error: ERROR }, headers: { 'Retry-After': '1' } }
          : undefined,
      mtgsess_502: (request, nth) =>
        nth <= 2 && request !== 'GET'
          ? { status: 502, body: { error: { ...ERROR, code: 'provider_error' } } }
          : undefined,
      'mtgsess_no-details': (request) => (request === 'GET' ? { status: 500 } : undefined),
      // Half of what is announced is listed at first.
      mtgsess_half: (request, nth) =>
        request === 'GET recordings' && nth <= 2
          ? { status: 200, body: { data: [{ type: 'video_mixed', url: linkOf('mtgsess_half') }] } }
          : undefined,
      // Links that die before they are used: refused, and a page in place of the file.
      mtgsess_dead: (request, nth) =>
        request === 'GET recordings' && nth === 1
          ? {
              status: 200,
              body: { data: [{ type: 'video_mixed', url: `${standIn.url}/meetings/gone/0.mp4` }] }
            }
          : undefined,
      mtgsess_page: (request, nth) =>
        request === 'GET recordings' && nth === 1
          ? { status: 200, body: { data: [{ type: 'video_mixed', url: pageUrl() }] } }
          : undefined
    };
    const linkOf = (id: string): string => {
      const found = standIn.meetings.linkTo(id, 0);
      if (found === null) throw new Error(id);
      return found;
    };
    // Answered by the editor, with status 200.
    const pageUrl = (): string => `http://127.0.0.1:${instance.nodeRed.port}/`;
    const meetings: StandInMeeting[] = [];
    for (const [id, fault] of Object.entries(temporary)) {
      faults.set(id, fault);
      const types = id === 'mtgsess_half' ? ['video_mixed', 'audio_mixed'] : ['video_mixed'];
      meetings.push(await started(id, { types }));
    }
    for (const meeting of meetings) should(await send(meeting, 'meeting.recording.available')).equal(200);
    for (const meeting of meetings) checked(meeting, await stored(meeting.id, meeting.types.length));
  });

  it('survive a transcript that comes late, page by page', async () => {
    const segments = Array.from({ length: 1203 }, (_, index) => ({
      seq: 3 * index + 1,
      text: `Sentence ${index}.`,
      speaker_label: null,
      relative_ts: index,
      confidence: 1,
      occurred_at: '2026-03-04T09:15:02Z'
    }));
    faults.set('mtgsess_pages', (request, nth) =>
      request === 'GET transcript' && nth === 1
        ? { status: 200, body: { data: [], meta: { next_after: null } } }
        : undefined
    );
    const meeting = await started('mtgsess_pages', { segments });
    should(await send(meeting, 'meeting.transcript.completed')).equal(200);
    const messages = await stored(meeting.id, 2);
    const json = messages.find(({ payload }) => String(payload).endsWith('.json'));
    const { complete, segments: kept } = JSON.parse(readFileSync(String(json?.payload), 'utf8')) as {
      complete: boolean;
      segments: { seq: number }[];
    };
    should([complete, kept.length, kept.at(-1)?.seq]).deepEqual([true, 1203, 3607]);
  });

  it('end with a code when the API refuses for good', async () => {
    const final: [string, MeetingFault, string][] = [
      [
        'mtgsess_401',
        { status: 401, body: { errors: [{ code: '10009', title: 'Authentication failed' }] } },
        'API_UNAUTHORIZED'
      ],
      ['mtgsess_404', { status: 404, body: { error: ERROR } }, 'API_NOT_FOUND'],
      ['mtgsess_never', { status: 200, body: { data: [] } }, 'GAVE_UP']
    ];
    for (const [id, fault, code] of final) {
      faults.set(id, (request) => (request === 'GET recordings' ? fault : undefined));
      should(await send(await started(id), 'meeting.recording.available')).equal(200);
      should((await error(id)).error?.code ?? (await error(id)).error?.message).startWith(code);
    }
  });

  it('say which setting is missing without an API key', async () => {
    const meeting = await started('nokey-1');
    should(await send(meeting, 'meeting.recording.available')).equal(200);
    should((await error('nokey-1')).error?.message).match(/"API key" as "Telnyx"/);
  });

  it('are deleted at the source once every type is stored, and not before', async () => {
    const whole = await started('del-whole', { types: ['video_mixed', 'audio_mixed'] });
    faults.set('del-half', (request) =>
      request === 'GET recordings'
        ? {
            status: 200,
            body: { data: [{ type: 'video_mixed', url: standIn.meetings.linkTo('del-half', 0) }] }
          }
        : undefined
    );
    const half = await started('del-half', { types: ['video_mixed', 'audio_mixed'] });
    faults.set('del-422', (request) =>
      request === 'DELETE recording_media'
        ? { status: 422, body: { error: { ...ERROR, code: 'unsupported_capability' } } }
        : undefined
    );
    const unsupported = await started('del-422');
    faults.set('del-409', (request, nth) =>
      request === 'DELETE recording_media' && nth === 1
        ? { status: 409, body: { error: { ...ERROR, code: 'invalid_state' } } }
        : undefined
    );
    const early = await started('del-409');
    faults.set('del-404', (request) =>
      request === 'DELETE recording_media' ? { status: 404, body: { error: ERROR } } : undefined
    );
    const notOffered = await started('del-404');
    // Whether it was deleted is unknown then, so it is asked for again.
    faults.set('del-502', (request, nth) =>
      request === 'DELETE recording_media' && nth === 1
        ? { status: 502, body: { error: { ...ERROR, code: 'provider_error' } } }
        : undefined
    );
    const unclear = await started('del-502');
    for (const meeting of [whole, half, unsupported, early, notOffered, unclear])
      should(await send(meeting, 'meeting.recording.available')).equal(200);
    const messages = await stored(whole.id, 2);
    for (const { payload, recording } of messages) {
      should(existsSync(String(payload))).be.true();
      should(recording?.['deleted_at_source']).be.a.String();
    }
    should(standIn.meetings.isDeleted(whole)).be.true();
    for (const meeting of [early, unclear])
      await until('the second deletion', () => standIn.meetings.isDeleted(meeting) || undefined, {
        deadline: 60_000
      });
    await until(
      'the other warning',
      () =>
        /not deleted at Telnyx.*does not offer that for this meeting \(404\)/.test(instance.nodeRed.log) ||
        undefined
    );
    for (const meeting of [notOffered, unclear]) checked(meeting, await stored(meeting.id, 1));
    should(standIn.meetings.isDeleted(notOffered)).be.false();
    await stored(unsupported.id, 1);
    await until(
      'the warning',
      () => /not deleted at Telnyx.*cannot delete/.test(instance.nodeRed.log) || undefined
    );
    await error(half.id);
    should(standIn.meetings.isDeleted(half)).be.false();
    should(standIn.meetings.requests.filter((request) => request.startsWith('DELETE'))).have.length(7);
    // The transcript does not count as deleted with the recording.
    should(await send(whole, 'meeting.transcript.completed')).equal(200);
    const texts = (await stored(whole.id, 4)).slice(2);
    for (const { recording } of texts) should(recording?.['deleted_at_source']).be.null();
  });

  it('still verify after a restart, which empties the context', async () => {
    // Of one a delivery came before the restart, of the other none.
    const [known, silent] = [await started('mtgsess_running'), await started('mtgsess_silent')];
    should(await send(known, 'meeting.transcript.completed')).equal(200);
    await instance.nodeRed.restart();
    for (const meeting of [known, silent]) {
      should(await send({ ...meeting, secret: 'whsec_wrong' }, 'meeting.recording.available')).equal(401);
      should(await send(meeting, 'meeting.recording.available')).equal(200);
      const video = (): RecordedMessage | undefined =>
        told(meeting.id).find(({ recording }) => recording?.['format'] === 'mp4');
      checked(meeting, [await until(`the video of ${meeting.id}`, video, { deadline: 60_000 })]);
    }
    should(instance.nodeRed.log).not.match(/whsec_/);
  });
});

describe('events with an id and no links, in a real Node-RED', function () {
  this.timeout(90_000);
  let standIn: TelnyxStandIn;
  let instance: WebhookInstance;
  /** The API of the stand-in, and what that does not have: video rooms, and recordings by TeXML. */
  let api: LocalServer;
  const others = new Map<string, object>();
  before(async () => {
    standIn = new TelnyxStandIn();
    await standIn.start();
    api = await localServer((request, response) => void answer(request, response));
    instance = await WebhookInstance.start({ flow: flow(`${api.url}/v2`, standIn.apiKey) });
  });
  after(async () => {
    await instance.stop();
    await api.close();
    await standIn.stop();
  });

  async function answer({ url = '', headers }: IncomingMessage, response: ServerResponse): Promise<void> {
    const own = others.get(url);
    if (url === '/film.mp4') response.setHeader('content-type', 'video/mp4').end(FILM);
    else if (own !== undefined)
      response.setHeader('content-type', 'application/json').end(JSON.stringify(own));
    else {
      const { authorization = '' } = headers;
      const passed = await fetch(standIn.url + url, { headers: { authorization } });
      response.writeHead(passed.status, {
        'content-type': passed.headers.get('content-type') ?? 'text/plain'
      });
      response.end(Buffer.from(await passed.arrayBuffer()));
    }
  }

  const event = (payload: object, event_type = 'call.recording.saved'): ReturnType<typeof jsonDelivery> =>
    jsonDelivery(
      JSON.stringify({
        data: {
          record_type: 'event',
          event_type,
          id: JSON.stringify(payload),
          occurred_at: '2026-05-06T07:08:09.100Z',
          payload
        }
      })
    );

  it('are asked for at the API', async () => {
    for (const links of [{}, { recording_urls: {} }, { recording_urls: null, public_recording_urls: {} }]) {
      const recording = standIn.addRecording();
      should((await instance.deliver(event({ recording_id: recording.id, ...links }))).status).equal(200);
      const message = await until('the file', () =>
        instance.nodeRed.recorded().find((one) => one.recording?.['recording_id'] === recording.id)
      );
      const [expected] = standIn.expectedFiles(recording);
      should(sha256(readFileSync(String(message.payload)))).equal(expected?.sha256);
    }
  });

  const file = async (id: string): Promise<string> => {
    const find = (): RecordedMessage | undefined =>
      instance.nodeRed.recorded().find((one) => one.recording?.['recording_id'] === id);
    const { payload } = await until(`the file of ${id}`, find, { deadline: 60_000 });
    return sha256(readFileSync(String(payload)));
  };

  it('are asked for when they are of a conference', async () => {
    const recording = standIn.addRecording();
    const payload = { recording_id: recording.id, conference_id: 'conf-1', recording_urls: {} };
    should((await instance.deliver(event(payload, 'conference.recording.saved'))).status).equal(200);
    should(await file(recording.id)).equal(standIn.expectedFiles(recording)[0]?.sha256);
  });

  it('are asked for when they are of a video room, also while it is not ready', async () => {
    const download_url = `${api.url}/film.mp4`;
    others.set('/v2/room_recordings/room-1', { data: { id: 'room-1', status: 'processing' } });
    others.set('/v2/room_compositions/comp-1', { data: { id: 'comp-1', status: 'completed', download_url } });
    const room = event({ recording_id: 'room-1', download_url: null }, 'video.room.recording.completed');
    const film = event(
      { composition_id: 'comp-1', recording_id: 'room-1' },
      'video.room.composition.completed'
    );
    for (const one of [room, film]) should((await instance.deliver(one)).status).equal(200);
    should(await file('comp-1')).equal(sha256(FILM));
    await instance.nodeRed.waitForLog(/Telnyx has not finished the recording yet/);
    others.set('/v2/room_recordings/room-1', { data: { id: 'room-1', status: 'completed', download_url } });
    should(await file('room-1')).equal(sha256(FILM));
  });

  it('are asked for when they are of TeXML, at the API that knows them', async () => {
    const recording = standIn.addRecording();
    const callback = (sid: string): ReturnType<typeof formDelivery> =>
      formDelivery(`RecordingSid=${sid}&RecordingStatus=completed&AccountSid=acc-1&CallSid=v3%3Acall-1`);
    const media_url = standIn.link(recording, recording.formats[0] ?? 'mp3');
    others.set('/v2/texml/Accounts/acc-1/Recordings/RS-1.json', {
      sid: 'RS-1',
      status: 'completed',
      media_url
    });
    for (const sid of [recording.id, 'RS-1']) {
      should((await instance.deliver(callback(sid))).status).equal(200);
      should(await file(sid)).equal(standIn.expectedFiles(recording)[0]?.sha256);
    }
  });

  it('say which setting is missing without an API key', async () => {
    should((await instance.deliver(event({ recording_id: 'nokey-2', recording_urls: {} }))).status).equal(
      200
    );
    const { error } = await until('the error', () => instance.nodeRed.recorded('errors.jsonl')[0]);
    should(error?.message).match(/no link.*"API key" as "Telnyx"/);
  });
});
