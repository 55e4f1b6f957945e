import should from 'should';
import { CodedError } from '../../../../src/errors/coded-error';
import { completeDetails } from '../../../../src/providers/telnyx/complete-details';
import { mediaLink } from '../../../../src/recording/recording-reference';
import { ApiServer, link, never, recordingItem, reference } from './api-server';

describe('complete-details', () => {
  let server: ApiServer;
  beforeEach(async () => {
    server = await ApiServer.start();
  });
  afterEach(async () => {
    await server.stop();
  });

  it('adds what the event lacks', async () => {
    server.json('GET /v2/recordings/rec-1', { data: recordingItem() });
    const wanted = reference({ recording_id: 'rec-1' });
    const complete = await completeDetails(server.client(), wanted, never);
    complete.should.eql({
      ...wanted.details,
      channels: 'dual',
      started_at: '2026-03-04T09:15:02.118Z',
      ended_at: '2026-03-04T09:16:03.600Z',
      duration_seconds: 61.5,
      call_control_id: 'v3:leg-1',
      call_leg_id: 'leg-1',
      call_session_id: 'ses-1',
      connection_id: '1893004417265530001',
      from: '+12025550101',
      to: '+12025550102',
      initiated_by: 'StartCallRecordingAPI'
    });
    should(wanted.details.from).be.null();
  });

  it('never overrides the event', async () => {
    server.json('GET /v2/recordings/rec-1', { data: recordingItem() });
    const said = {
      recording_id: 'rec-1',
      channels: 'single',
      started_at: '2026-03-04T01:00:00.000Z',
      ended_at: '2026-03-04T02:00:00.000Z',
      duration_seconds: 0,
      call_control_id: 'c',
      call_leg_id: 'l',
      call_session_id: 's',
      conference_id: 'f',
      connection_id: 'n',
      from: '+12025550111',
      to: '+12025550112',
      initiated_by: 'DialVerb',
      format: 'wav'
    };
    const complete = await completeDetails(server.client(), reference(said), never);
    complete.should.containEql(said);
  });

  it('finds a recording without an id by its file or its times, not by elimination', async () => {
    server.json('GET /v2/recordings', { data: [recordingItem()] });
    const api = server.client();
    const leg = { call_leg_id: 'leg-1' };
    const timed = reference({ ...leg, started_at: '2026-03-04T09:15:02.118Z' });
    should((await completeDetails(api, timed, never)).recording_id).equal('rec-1');
    const same = reference(leg, { links: [mediaLink(`${link('rec-1-1772615702.mp3')}old`, 'mp3')] });
    should((await completeDetails(api, same, never)).recording_id).equal('rec-1');
    const other = reference(leg);
    (await completeDetails(api, other, never)).should.equal(other.details);
  });

  it('leaves the details unchanged when the API fails', async () => {
    for (const status of [401, 404, 429, 500, 302]) {
      const wanted = reference({ recording_id: `rec-${status}` });
      const before = structuredClone(wanted.details);
      server.status(`GET /v2/recordings/rec-${status}`, status);
      const complete = completeDetails(server.client(), wanted, never);
      // The caller decides what can wait.
      if (status === 429 || status === 500) await complete.should.be.rejectedWith({ retryable: true });
      else (await complete).should.equal(wanted.details);
      wanted.details.should.eql(before);
    }
    const hostile = reference({ recording_id: '../faxes' });
    (await completeDetails(server.client(), hostile, never)).should.equal(hostile.details);
  });

  it('sends no request without a key, or for other providers, messages and faxes', async () => {
    const wanted = reference({ recording_id: 'rec-1' });
    const api = server.client();
    (await completeDetails(null, wanted, never)).should.equal(wanted.details);
    await completeDetails(server.client({ apiKey: () => null }), wanted, never);
    await completeDetails(api, reference({ recording_id: 'rec-1', provider: 'daily' }), never);
    for (const resource of ['fax', 'message'] as const)
      await completeDetails(api, { ...wanted, resource }, never);
    server.seen.should.be.empty();
  });

  it('ends when aborted', async () => {
    const abort = new AbortController();
    const reason = new CodedError('GAVE_UP', 'closing');
    server.on('GET /v2/recordings/rec-1', () => abort.abort(reason));
    const wanted = reference({ recording_id: 'rec-1' });
    await completeDetails(server.client(), wanted, abort.signal).should.be.rejectedWith(reason);
  });

  it('reads the field names of the TeXML API', async () => {
    server.json('GET /v2/texml/Accounts/acc-1/Recordings/RS1.json', {
      sid: 'RS1',
      call_sid: 'v3:leg-1',
      channels: 2,
      duration: '61',
      source: 'RecordVerb',
      start_time: 'Wed, 04 Mar 2026 09:15:02 +0000'
    });
    const wanted = reference({ recording_id: 'RS1' }, { resource: 'texml-recording', account_sid: 'acc-1' });
    const complete = await completeDetails(server.client(), wanted, never);
    complete.should.containEql({
      call_control_id: 'v3:leg-1',
      channels: 'dual',
      duration_seconds: 61,
      initiated_by: 'RecordVerb',
      started_at: '2026-03-04T09:15:02.000Z'
    });
  });
});
