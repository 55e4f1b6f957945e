import should from 'should';
import { deleteAtSource, isInOwnStorage } from '../../../../src/providers/telnyx/delete-at-source';
import { fetchTranscription } from '../../../../src/providers/telnyx/fetch-transcription';
import { mediaLink } from '../../../../src/recording/recording-reference';
import { ApiServer, link, never, recordingItem, reference } from './api-server';

const DELETED = { ok: true, already_gone: false };
const GONE = { ok: true, already_gone: true };

describe('delete-at-source', () => {
  let server: ApiServer;
  beforeEach(async () => {
    server = await ApiServer.start();
  });
  afterEach(async () => {
    await server.stop();
  });

  it('deletes each kind of media at its endpoint, and accepts any 2xx', async () => {
    server.json('DELETE /v2/recordings/one', { data: recordingItem({ id: 'one' }) });
    for (const place of ['faxes', 'room_recordings', 'room_compositions'])
      server.status(`DELETE /v2/${place}/one`, 204);
    const api = server.client();
    for (const resource of [
      'recording',
      'texml-recording',
      'fax',
      'room-recording',
      'room-composition'
    ] as const) {
      const wanted = reference({ recording_id: 'one' }, { resource });
      (await deleteAtSource(api, wanted, never)).should.eql(DELETED);
    }
    server.lines.should.eql([
      'DELETE /v2/recordings/one',
      'DELETE /v2/recordings/one',
      'DELETE /v2/faxes/one',
      'DELETE /v2/room_recordings/one',
      'DELETE /v2/room_compositions/one'
    ]);
  });

  it('knows what is in a storage of the customer: by its links, else by where the stored files came from', () => {
    const own = {
      hasAddress: (url: string) => url.startsWith('https://minio.example.com/own/'),
      hasHost: (host: string) => host === 'minio.example.com'
    };
    const stored = [{ source_host: 'minio.example.com' }];
    const cases: [string[], { source_host: string }[], boolean][] = [
      [['s3://own/a'], [], true],
      [['GS://own/a'], [], true],
      [['https://me.blob.core.windows.net/c/a?sig=x'], [], true],
      [['https://minio.example.com/own/a'], [], true],
      [['https://s3.amazonaws.com/telephony-recorder-prod/a', 's3://own/a'], [], true],
      [['https://s3.amazonaws.com/telephony-recorder-prod/a'], stored, false],
      [['https://media.example.com/s3://own/a'], [], false],
      [[], stored, true],
      [[], [{ source_host: 's3.amazonaws.com' }], false],
      [[], [], false]
    ];
    for (const [urls, files, expected] of cases) {
      const links = urls.map((url) => mediaLink(url, 'mp3'));
      should(isInOwnStorage({ links }, files, own)).equal(expected, urls.join(' '));
    }
    should(isInOwnStorage({ links: [mediaLink('s3://own/a', null)] }, [], undefined)).be.true();
  });

  it('treats a missing recording as deleted', async () => {
    (await deleteAtSource(server.client(), reference({ recording_id: 'gone' }), never)).should.eql(GONE);
  });

  it('does not treat a RecordingSid as deleted because the recordings API does not know it', async () => {
    const wanted = reference({ recording_id: 'RS1' }, { resource: 'texml-recording' });
    const unknown = await deleteAtSource(server.client(), wanted, never);
    unknown.ok.should.be.false();
    const known = { ...wanted, account_sid: 'acc-1' };
    (await deleteAtSource(server.client(), known, never)).should.eql(GONE);
    server.status('DELETE /v2/texml/Accounts/acc-1/Recordings/RS1.json', 204);
    (await deleteAtSource(server.client(), known, never)).should.eql(DELETED);
  });

  it('deletes nothing else: no other endpoint, and nothing that the event does not name', async () => {
    for (const id of ['..', '../faxes/f', 'a/b', 'a?b', '%2e%2e'])
      await deleteAtSource(server.client(), reference({ recording_id: id }), never).should.be.rejectedWith({
        code: 'NO_RECORDING'
      });
    server.json('GET /v2/recordings', { data: [recordingItem()] });
    const timed = reference({ call_leg_id: 'leg-1', started_at: '2026-03-04T09:15:02.118Z' });
    for (const wanted of [reference(), timed]) {
      const outcome = await deleteAtSource(server.client(), wanted, never);
      outcome.should.have.property('ok', false);
    }
    server.lines.filter((line) => line.startsWith('DELETE')).should.be.empty();
  });

  it('deletes a recording without an id when its file is that of the event', async () => {
    server.json('GET /v2/recordings', { data: [recordingItem()] });
    server.json('DELETE /v2/recordings/rec-1', { data: recordingItem() });
    const links = [mediaLink(`${link('rec-1-1772615702.mp3')}-old`, 'mp3')];
    const wanted = reference({ call_leg_id: 'leg-1' }, { links });
    (await deleteAtSource(server.client(), wanted, never)).should.eql(DELETED);
  });

  it('reports what it cannot delete', async () => {
    const wanted = reference({ recording_id: 'rec-1' });
    const cases = [
      await deleteAtSource(null, wanted, never),
      await deleteAtSource(server.client({ apiKey: () => null }), wanted, never),
      await deleteAtSource(server.client(), { ...wanted, resource: 'message' }, never),
      await deleteAtSource(server.client(), reference({ provider: 'daily', recording_id: 'rec-1' }), never)
    ];
    const messages = cases.map((outcome) => (outcome.ok ? '' : outcome.message));
    messages[0]!.should.match(/API key/);
    messages[1]!.should.match(/API key/);
    messages[2]!.should.match(/attachments/);
    messages[3]!.should.match(/not deleted/);
    server.seen.should.be.empty();
  });

  it('passes on rejections of the API', async () => {
    const table = [
      [401, 'API_UNAUTHORIZED', false],
      [429, 'RATE_LIMITED', true],
      [500, 'LINK_REFUSED', true]
    ] as const;
    for (const [status, code, retryable] of table) {
      server.status(`DELETE /v2/recordings/r${status}`, status);
      const wanted = reference({ recording_id: `r${status}` });
      await deleteAtSource(server.client(), wanted, never).should.be.rejectedWith({ code, retryable });
      server.status('GET /v2/recordings', status);
      const unnamed = reference({ call_leg_id: 'leg-1' });
      await deleteAtSource(server.client(), unnamed, never).should.be.rejectedWith({ code, retryable });
      await server.stop();
      server = await ApiServer.start();
    }
  });
});

describe('fetch-transcription', () => {
  let server: ApiServer;
  beforeEach(async () => {
    server = await ApiServer.start();
  });
  afterEach(async () => {
    await server.stop();
  });

  const LINE = 'GET /v2/recording_transcriptions/tr-1';
  const wanted = reference({ recording_id: 'rec-1' }, { transcription_id: 'tr-1' });

  it('requests the text that an event only names', async () => {
    server.json(LINE, {
      data: { recording_id: 'rec-1', status: 'completed', transcription_text: 'Good morning.' }
    });
    should(await fetchTranscription(server.client(), wanted, never)).equal('Good morning.');
  });

  it('sends no request when the event contains the text or names none, or without a key', async () => {
    const api = server.client();
    const spoken = reference({ transcription: 'Hello.' }, { transcription_id: 'tr-1' });
    should(await fetchTranscription(api, spoken, never)).equal('Hello.');
    should(await fetchTranscription(api, reference(), never)).be.null();
    should(await fetchTranscription(null, wanted, never)).be.null();
    server.seen.should.be.empty();
  });

  it('accepts neither an unfinished text nor that of another recording', async () => {
    server.json(LINE, { data: { recording_id: 'rec-1', status: 'in-progress' } });
    server.json(LINE, { data: { recording_id: 'rec-2', status: 'completed', transcription_text: 'No.' } });
    const ask = (): Promise<string | null> => fetchTranscription(server.client(), wanted, never);
    await ask().should.be.rejectedWith({ code: 'LINK_REFUSED', retryable: true });
    await ask().should.be.rejectedWith({ code: 'LINK_REFUSED', retryable: false });
    const hostile = { ...wanted, transcription_id: '../recordings' };
    await fetchTranscription(server.client(), hostile, never).should.be.rejectedWith({
      code: 'NO_RECORDING'
    });
  });
});
