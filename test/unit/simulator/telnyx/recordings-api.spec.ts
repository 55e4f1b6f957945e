import should from 'should';
import { TelnyxStandIn } from '../../../../src/simulator/stand-in';

interface Listed {
  id: string;
  download_urls: Record<string, string>;
  [field: string]: unknown;
}

const NOON = Date.parse('2026-03-04T12:00:00Z');
const MINUTE = 60_000;

describe('simulator recordings API', () => {
  let now: number;
  let standIn: TelnyxStandIn;

  beforeEach(async () => {
    now = NOON;
    standIn = new TelnyxStandIn({ clock: () => now });
    await standIn.start();
  });
  afterEach(() => standIn.stop());

  const call = (where: string, init: RequestInit = {}) =>
    fetch(standIn.apiUrl + where, { headers: { authorization: `Bearer ${standIn.apiKey}` }, ...init });

  const list = async (query: string) => {
    const response = await call(`/recordings?${query}`);
    should(response.status).equal(200);
    return (await response.json()) as { data: Listed[]; meta: Record<string, number> };
  };

  it('describes one recording with fresh links under download_urls', async () => {
    const recording = standIn.addRecording({ formats: ['mp3', 'wav'], channels: 'dual', seconds: 5 });
    now += 20 * MINUTE;
    const response = await call(`/recordings/${recording.id}`);
    should(response.status).equal(200);
    const { data } = (await response.json()) as { data: Listed };
    should(data.id).equal(recording.id);
    should(data).containDeep({
      record_type: 'recording',
      status: 'completed',
      source: 'call',
      channels: 'dual',
      duration_millis: 5000,
      conference_id: null,
      ...recording.call,
      recording_started_at: '2026-03-04T11:59:55.000Z',
      recording_ended_at: '2026-03-04T12:00:00.000Z',
      created_at: '2026-03-04T12:00:00.000Z'
    });
    should(Object.keys(data.download_urls)).deepEqual(['mp3', 'wav']);
    for (const url of Object.values(data.download_urls)) should((await fetch(url)).status).equal(200);
  });

  it('requires the API key', async () => {
    for (const authorization of ['', 'Bearer wrong', standIn.apiKey]) {
      const response = await call('/recordings', { headers: { authorization } });
      should(response.status).equal(401);
      const { errors } = (await response.json()) as { errors: Record<string, string>[] };
      should(errors[0]!['code']).equal('401');
    }
  });

  it('deletes with 200 and the object, once', async () => {
    const { id } = standIn.addRecording();
    const first = await call(`/recordings/${id}`, { method: 'DELETE' });
    should(first.status).equal(200);
    should(((await first.json()) as { data: Listed }).data.id).equal(id);
    should((await call(`/recordings/${id}`, { method: 'DELETE' })).status).equal(404);
    should((await call(`/recordings/${id}`)).status).equal(404);
  });

  it('answers 404 elsewhere and to other methods', async () => {
    should((await call('/calls')).status).equal(404);
    should((await call('/recordings', { method: 'POST', body: '{}' })).status).equal(404);
  });

  it('lists page by page, newest first, every recording exactly once', async () => {
    for (let n = 0; n < 45; n++) standIn.addRecording({ createdAt: NOON + ((n * 7) % 45) * MINUTE });
    const defaults = await list('');
    should(defaults.meta).deepEqual({ page_number: 1, page_size: 20, total_pages: 3, total_results: 45 });
    const seen: Listed[] = [];
    for (let page = 1; page <= 5; page++) {
      const { data } = await list(`page[number]=${page}&page[size]=10`);
      should(data.length).equal(page < 5 ? 10 : 5);
      seen.push(...data);
    }
    should(new Set(seen.map(({ id }) => id)).size).equal(45);
    const times = seen.map((recording) => String(recording['created_at']));
    should(times).deepEqual([...times].sort().reverse());
    should((await list('page[number]=6&page[size]=10')).data).be.empty();
  });

  it('allows pages of 1 to 250', async () => {
    should((await list('page[size]=250')).meta['page_size']).equal(250);
    for (const query of ['page[size]=0', 'page[size]=251', 'page[size]=x', 'page[number]=0']) {
      should((await call(`/recordings?${query}`)).status).equal(422);
    }
  });

  it('filters by ids, numbers and times, all together', async () => {
    const one = standIn.addRecording({ createdAt: NOON - 10 * MINUTE });
    const two = standIn.addRecording({ createdAt: NOON, source: 'conference' });
    const found = async (query: string) => (await list(query)).data.map(({ id }) => id);
    for (const field of ['call_control_id', 'call_leg_id', 'call_session_id', 'connection_id'] as const) {
      should(await found(`filter[${field}]=${encodeURIComponent(one.call[field])}`)).deepEqual([one.id]);
    }
    should(await found(`filter[conference_id]=${two.conferenceId ?? ''}`)).deepEqual([two.id]);
    should(await found('filter[created_at][gte]=2026-03-04T11:55:00Z')).deepEqual([two.id]);
    should(await found('filter[created_at][lte]=2026-03-04T11:50:00Z')).deepEqual([one.id]);
    should(
      await found('filter[created_at][gte]=2026-03-04T11:55:00Z&filter[created_at][lte]=2026-03-04T11:58:00Z')
    ).be.empty();
    should((await call('/recordings?filter[color]=red')).status).equal(422);
    should((await call('/recordings?filter[created_at][gte]=yesterday')).status).equal(422);
  });

  it('limits requests when told to, and reports it in headers', async () => {
    await standIn.stop();
    standIn = new TelnyxStandIn({ clock: () => now, apiLimit: { requests: 2, seconds: 10 } });
    await standIn.start();
    const answers = [await call('/recordings'), await call('/recordings'), await call('/recordings')];
    should(answers.map(({ status }) => status)).deepEqual([200, 200, 429]);
    should(answers.map(({ headers }) => headers.get('x-ratelimit-remaining'))).deepEqual(['1', '0', '0']);
    should(answers[2]!.headers.get('x-ratelimit-reset')).equal('10');
    should(await answers[2]!.json()).containDeep({ errors: [{ code: '10011' }] });
    now += 10_000;
    should((await call('/recordings')).status).equal(200);
  });
});
