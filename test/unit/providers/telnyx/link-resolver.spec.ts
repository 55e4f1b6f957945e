import should from 'should';
import { TelnyxApi } from '../../../../src/providers/telnyx/api-client';
import { findMedia } from '../../../../src/providers/telnyx/find-media';
import { createLinkResolver } from '../../../../src/providers/telnyx/link-resolver';
import { findRecordings } from '../../../../src/recording/find-recordings';
import { type RecordingReference, mediaLink } from '../../../../src/recording/recording-reference';
import { TelnyxStandIn } from '../../../../src/simulator/stand-in';
import { ApiServer, link, never, recordingItem, reference } from './api-server';

const STARTED = '2026-03-04T09:15:02.118Z';

describe('link-resolver', () => {
  let server: ApiServer;
  beforeEach(async () => {
    server = await ApiServer.start();
  });
  afterEach(async () => {
    await server.stop();
  });

  const resolve = (wanted: RecordingReference, why: 'missing' | 'dead' = 'dead'): Promise<string[]> =>
    createLinkResolver({ api: server.client(), lagMs: 1 })(wanted, why, never).then((links) =>
      links.map(({ format, url }) => `${String(format)} ${new URL(url).pathname.split('/').at(-1) ?? ''}`)
    );

  function lists(...items: Record<string, unknown>[]): void {
    server.json('GET /v2/recordings', {
      data: items,
      meta: { page_number: 1, page_size: 250, total_pages: 1, total_results: items.length }
    });
  }

  describe('by id', () => {
    it('returns the links of the recording', async () => {
      const download_urls = { wav: link('a.wav'), mp3: link('a.mp3'), ogg: null };
      server.json('GET /v2/recordings/rec-1', { data: recordingItem({ download_urls }) });
      (await resolve(reference({ recording_id: 'rec-1' }))).should.eql(['wav a.wav', 'mp3 a.mp3']);
    });

    it('rejects the links of another recording, and a response without one', async () => {
      server.json('GET /v2/recordings/rec-2', { data: recordingItem() });
      await resolve(reference({ recording_id: 'rec-2' })).should.be.rejectedWith({ code: 'LINK_REFUSED' });
      server.json('GET /v2/recordings/rec-3', { data: [] });
      await resolve(reference({ recording_id: 'rec-3' })).should.be.rejectedWith({ code: 'LINK_REFUSED' });
    });

    it('sends no request for an id that is a path', async () => {
      for (const id of ['../faxes/fax-1', '..', 'rec-1?x', '%2e%2e/faxes'])
        await resolve(reference({ recording_id: id }), 'missing').should.be.rejectedWith({
          code: 'NO_RECORDING'
        });
      server.seen.should.be.empty();
    });

    it('reports that a recording is deleted, unfinished, or in custom storage', async () => {
      await resolve(reference({ recording_id: 'gone' })).should.be.rejectedWith({ code: 'API_NOT_FOUND' });
      const states: [string, unknown, object][] = [
        ['processing', {}, { code: 'LINK_REFUSED', retryable: true }],
        ['completed', {}, { code: 'LINK_EXPIRED', retryable: false }],
        ['completed', null, { code: 'LINK_EXPIRED', retryable: false }],
        ['deleted', {}, { code: 'API_NOT_FOUND', retryable: false }]
      ];
      for (const [index, [status, download_urls, fault]] of states.entries()) {
        const id = `rec-s${index}`;
        server.json(`GET /v2/recordings/${id}`, { data: recordingItem({ id, status, download_urls }) });
        await resolve(reference({ recording_id: id })).should.be.rejectedWith(fault);
      }
    });

    it('asks again for a recording that an event just announced', async () => {
      server.status('GET /v2/recordings/rec-1', 404);
      server.json('GET /v2/recordings/rec-1', { data: recordingItem() });
      (await resolve(reference({ recording_id: 'rec-1' }), 'missing')).should.have.length(1);
      server.seen.should.have.length(2);
      // A flow that names an id itself gets the error immediately.
      const named = reference({ recording_id: 'rec-9', event_type: null });
      await resolve(named, 'missing').should.be.rejectedWith({ code: 'API_NOT_FOUND' });
      server.seen.should.have.length(3);
    });

    it('stops waiting for the API when aborted', async () => {
      const abort = new AbortController();
      const reason = new Error('closing');
      server.on('GET /v2/recordings/rec-1', (response) => {
        response.writeHead(404).end(() => setImmediate(() => abort.abort(reason)));
      });
      const resolver = createLinkResolver({ api: server.client(), lagMs: 600_000 });
      await resolver(reference({ recording_id: 'rec-1' }), 'missing', abort.signal).should.be.rejectedWith(
        reason
      );
    });
  });

  describe('TeXML', () => {
    const wanted = (): RecordingReference =>
      findRecordings({
        event: { provider: 'telnyx', event_type: 'texml.recording.completed' },
        payload: {
          AccountSid: 'acc-1',
          CallSid: 'v3:leg-1',
          RecordingSid: 'RS1',
          RecordingStatus: 'completed'
        }
      })[0]!;

    it('uses the RecordingSid as an id of the recordings API', async () => {
      server.json('GET /v2/recordings/RS1', { data: recordingItem({ id: 'RS1' }) });
      (await resolve(wanted(), 'missing')).should.eql(['mp3 rec-1-1772615702.mp3']);
    });

    for (const status of [404, 422])
      it(`asks the TeXML API when the recordings API answers ${status}`, async () => {
        server.status('GET /v2/recordings/RS1', status);
        server.json('GET /v2/texml/Accounts/acc-1/Recordings/RS1.json', {
          sid: 'RS1',
          status: 'completed',
          media_url: link('RS1.wav')
        });
        (await resolve(wanted(), 'missing')).should.eql(['wav RS1.wav']);
      });

    it('waits for the recordings API instead when it fails only temporarily', async () => {
      server.status('GET /v2/recordings/RS1', 409);
      await resolve(wanted()).should.be.rejectedWith({ code: 'LINK_REFUSED', retryable: true });
      server.seen.should.have.length(1);
    });

    it('does not ask it when the key is rejected, or for an AccountSid that is a path', async () => {
      server.status('GET /v2/recordings/RS1', 401);
      await resolve(wanted()).should.be.rejectedWith({ code: 'API_UNAUTHORIZED' });
      server.status('GET /v2/recordings/RS2', 404);
      const hostile = { ...wanted(), account_sid: '../../..' };
      hostile.details = { ...hostile.details, recording_id: 'RS2' };
      await resolve(hostile).should.be.rejectedWith({ code: 'LINK_EXPIRED' });
      server.lines.should.eql(['GET /v2/recordings/RS1', 'GET /v2/recordings/RS2']);
    });
  });

  describe('among the recordings of a call', () => {
    it('queries by the most specific id of the event', async () => {
      const ids = { call_leg_id: 'leg-1', call_session_id: 'ses-1', call_control_id: 'v3:leg-1' };
      const orders: [Partial<RecordingReference['details']>, string][] = [
        [{ ...ids, conference_id: 'conf-1' }, 'conference_id'],
        [ids, 'call_leg_id'],
        [{ ...ids, call_leg_id: null }, 'call_control_id'],
        [{ call_session_id: 'ses-1' }, 'call_session_id']
      ];
      for (const [details, name] of orders) {
        server.seen.length = 0;
        const of = name === 'conference_id' ? { conference_id: 'conf-1' } : {};
        lists(recordingItem(of));
        const fresh = await resolve(reference({ started_at: STARTED, ...details }));
        fresh.should.have.length(1);
        server.seen[0]!.query.get(`filter[${name}]`)!.should.equal((details as Record<string, string>)[name]);
        server.seen.should.have.length(1);
        // The next query starts from scratch.
        await server.stop();
        server = await ApiServer.start();
      }
    });

    it('distinguishes them by their times', async () => {
      lists(
        recordingItem({
          id: 'a',
          recording_started_at: '2026-03-04T09:14:00Z',
          download_urls: { mp3: link('a.mp3') }
        }),
        recordingItem({ id: 'b', download_urls: { mp3: link('b.mp3') } })
      );
      const wanted = reference({ call_leg_id: 'leg-1', started_at: STARTED });
      (await resolve(wanted)).should.eql(['mp3 b.mp3']);
    });

    it('rejects a recording with different times, even when it is the only one', async () => {
      lists(recordingItem({ recording_started_at: '2026-03-04T09:15:06Z' }));
      const wanted = reference({ call_leg_id: 'leg-1', started_at: STARTED });
      await resolve(wanted).should.be.rejectedWith({ code: 'API_NOT_FOUND', message: /none with its times/ });
      lists();
    });

    it('rejects a recording with a different end, channels, session or duration', async () => {
      const contradictions: [Partial<RecordingReference['details']>, Record<string, unknown>][] = [
        [{ started_at: STARTED, ended_at: '2026-03-04T09:20:00.000Z' }, {}],
        [{ channels: 'single' }, {}],
        [{ call_session_id: 'ses-2' }, {}],
        [{ connection_id: '1' }, {}],
        [{ duration_seconds: 70 }, { recording_started_at: null }]
      ];
      for (const [details, item] of contradictions) {
        await server.stop();
        server = await ApiServer.start();
        lists(recordingItem(item));
        const wanted = reference({ call_leg_id: 'leg-1', ...details });
        await resolve(wanted).should.be.rejectedWith({ code: 'API_NOT_FOUND' });
      }
    });

    it('recognises the file of the expired link, whatever the times', async () => {
      const dead =
        'https://s3.example.com/telephony-recorder-prod/acc-1/2026-03-04/rec-7-1.mp3?X-Amz-Signature=old';
      const same = { recording_started_at: null, recording_ended_at: null };
      lists(
        recordingItem({ ...same, id: 'a', download_urls: { mp3: link('rec-6-1.mp3') } }),
        recordingItem({ ...same, id: 'b', download_urls: { mp3: link('rec-7-1.mp3') } })
      );
      const wanted = reference({ call_leg_id: 'leg-1' }, { links: [mediaLink(dead, 'mp3')] });
      (await resolve(wanted)).should.eql(['mp3 rec-7-1.mp3']);
    });

    it('uses channels, format and duration when the times do not decide', async () => {
      lists(
        recordingItem({ id: 'a', channels: 'single', download_urls: { wav: link('a.wav') } }),
        recordingItem({ id: 'b', download_urls: { wav: link('b.wav') } }),
        recordingItem({ id: 'c', download_urls: { mp3: link('c.mp3') } })
      );
      const wanted = { call_leg_id: 'leg-1', started_at: STARTED };
      (await resolve(reference({ ...wanted, channels: 'single' }))).should.eql(['wav a.wav']);
      (await resolve(reference({ ...wanted, channels: 'dual', format: 'mp3' }))).should.eql(['mp3 c.mp3']);
    });

    it('prefers the one with the right times to one without times', async () => {
      lists(
        recordingItem({ id: 'a', recording_started_at: null, recording_ended_at: null }),
        recordingItem({ id: 'b', download_urls: { mp3: link('b.mp3') } })
      );
      const wanted = reference({ call_leg_id: 'leg-1', started_at: STARTED });
      (await resolve(wanted)).should.eql(['mp3 b.mp3']);
    });

    it('uses the duration when no times are known', async () => {
      const untimed = { recording_started_at: null, recording_ended_at: null };
      lists(
        recordingItem({ ...untimed, id: 'a', duration_millis: 63_000 }),
        recordingItem({ ...untimed, id: 'b', duration_millis: 61_400, download_urls: { mp3: link('b.mp3') } })
      );
      const wanted = reference({ call_leg_id: 'leg-1', duration_seconds: 61 });
      (await resolve(wanted)).should.eql(['mp3 b.mp3']);
    });

    it('does not treat every recording.mp3 as the same file', async () => {
      const short = (host: string): string => `https://${host}/recording.mp3`;
      lists(recordingItem({ download_urls: { mp3: short('new.example.com') } }));
      const wanted = reference(
        { call_leg_id: 'leg-1' },
        { links: [mediaLink(short('old.example.com'), 'mp3')] }
      );
      const found = await findMedia(server.client(), wanted, never);
      found.by.should.equal('elimination');
    });

    it('returns none when nothing identifies the right one', async () => {
      lists(recordingItem({ id: 'a' }), recordingItem({ id: 'b' }));
      const wanted = reference({ call_leg_id: 'leg-1', started_at: STARTED });
      await resolve(wanted, 'missing').should.be.rejectedWith({
        code: 'NO_RECORDING',
        message: /2 recordings with the call_leg_id.*msg\.recording_id/
      });
    });

    it('rejects a list of other calls', async () => {
      lists(recordingItem({ call_leg_id: 'leg-2' }), recordingItem({ call_leg_id: null }));
      await resolve(reference({ call_leg_id: 'leg-1' })).should.be.rejectedWith({ code: 'API_NOT_FOUND' });
    });

    it('mistakes no leg of a conference for the conference, or vice versa', async () => {
      lists(
        recordingItem({ id: 'leg', download_urls: { mp3: link('leg.mp3') } }),
        recordingItem({ id: 'conf', conference_id: 'conf-1', download_urls: { mp3: link('conf.mp3') } })
      );
      const wanted = { call_session_id: 'ses-1', started_at: STARTED };
      (await resolve(reference({ ...wanted, conference_id: 'conf-1' }))).should.eql(['mp3 conf.mp3']);
      (await resolve(reference(wanted))).should.eql(['mp3 leg.mp3']);
    });

    it('reads all pages', async () => {
      const meta = { total_pages: 3 };
      for (const id of ['a', 'b', 'c'])
        server.json('GET /v2/recordings', {
          data: [recordingItem({ id, channels: id === 'c' ? 'single' : 'dual', recording_started_at: null })],
          meta
        });
      await resolve(reference({ call_leg_id: 'leg-1', channels: 'single' }));
      server.seen.map(({ query }) => query.get('page[number]')).should.eql(['1', '2', '3']);
    });

    it('sends no request for an event that names neither recording nor call', async () => {
      await resolve(reference(), 'missing').should.be.rejectedWith({ code: 'NO_RECORDING' });
      await resolve(reference(), 'dead').should.be.rejectedWith({ code: 'LINK_EXPIRED' });
      const { resource, ...ownAddress } = reference({ event_type: null });
      should(resource).equal('recording');
      (await resolve(ownAddress)).should.eql([]);
      server.seen.should.be.empty();
    });
  });

  describe('other media', () => {
    const faxEvent = (media_url: string | null): RecordingReference =>
      findRecordings({
        event: { provider: 'telnyx', event_type: 'fax.received', id: 'evt-1' },
        payload: { fax_id: 'fax-1', direction: 'inbound', status: 'received', media_url }
      })[0]!;

    it('renews the link of a fax before use', async () => {
      let renewed = false;
      server
        .on('POST /v2/faxes/fax-1/actions/refresh', (response) => {
          renewed = true;
          response.end(JSON.stringify({ data: { result: 'ok' } }));
        })
        .on('GET /v2/faxes/fax-1', (response) => {
          const media_url = link(renewed ? 'new.pdf' : 'old.pdf');
          response.end(
            JSON.stringify({ data: { id: 'fax-1', record_type: 'fax', status: 'received', media_url } })
          );
        });
      (await resolve(faxEvent(link('old.pdf')))).should.eql(['pdf new.pdf']);
      server.lines.should.eql(['POST /v2/faxes/fax-1/actions/refresh', 'GET /v2/faxes/fax-1']);
      (await resolve(faxEvent(null), 'missing')).should.eql(['pdf new.pdf']);
    });

    it('uses the link of a fax that needs no renewal', async () => {
      server.status('POST /v2/faxes/fax-1/actions/refresh', 422);
      server.json('GET /v2/faxes/fax-1', { data: { id: 'fax-1', media_url: link('x.tiff') } });
      (await resolve(faxEvent(null), 'missing')).should.eql(['pdf x.tiff']);
    });

    it('reports that a received fax has no document', async () => {
      server.json('POST /v2/faxes/fax-1/actions/refresh', { data: { result: 'ok' } });
      server.json('GET /v2/faxes/fax-1', { data: { id: 'fax-1', status: 'received', media_url: null } });
      await resolve(faxEvent(null), 'missing').should.be.rejectedWith({
        code: 'NO_RECORDING',
        retryable: false
      });
    });

    for (const [status, code] of [
      [404, 'API_NOT_FOUND'],
      [401, 'API_UNAUTHORIZED'],
      [429, 'RATE_LIMITED'],
      [500, 'LINK_REFUSED']
    ] as const)
      it(`reports ${code} when the renewal is answered ${status}`, async () => {
        server.status('POST /v2/faxes/fax-1/actions/refresh', status);
        await resolve(faxEvent(link('old.pdf'))).should.be.rejectedWith({ code });
        server.seen.should.have.length(1);
      });

    it('finds room recordings and compositions at their endpoints', async () => {
      const room = { recording_id: 'room-1', download_url: link('old.mp4') };
      const composed = { composition_id: 'comp-1', download_url: link('old.mp4') };
      const event = { provider: 'telnyx' };
      server.json('GET /v2/room_recordings/room-1', {
        data: { id: 'room-1', status: 'completed', download_url: link('room.webm') }
      });
      server.json('GET /v2/room_compositions/comp-1', {
        data: { id: 'comp-1', status: 'completed', format: 'mp4', download_url: link('comp') }
      });
      (await resolve(findRecordings({ event, payload: room })[0]!)).should.eql(['webm room.webm']);
      (await resolve(findRecordings({ event, payload: composed })[0]!)).should.eql(['mp4 comp']);
    });

    it('waits for a composition that is still being made', async () => {
      server.json('GET /v2/room_compositions/comp-1', {
        data: { id: 'comp-1', status: 'enqueued', download_url: null }
      });
      const wanted = reference({ recording_id: 'comp-1' }, { resource: 'room-composition', kind: 'video' });
      await resolve(wanted).should.be.rejectedWith({ code: 'LINK_REFUSED', retryable: true });
    });

    it('reports that attachments have no fresh links, and ignores other providers', async () => {
      const attachment = reference({ recording_id: 'msg-1' }, { resource: 'message', kind: 'attachment' });
      await resolve(attachment).should.be.rejectedWith({ code: 'LINK_EXPIRED', message: /attachment/ });
      (await resolve(reference({ provider: 'daily', recording_id: 'rec-1' }))).should.eql([]);
      server.seen.should.be.empty();
    });
  });

  it('reports that an API key would help', async () => {
    const wanted = reference({ recording_id: 'rec-1' });
    for (const api of [null, server.client({ apiKey: () => null })]) {
      const resolver = createLinkResolver({ api });
      const missing = { code: 'NO_RECORDING', message: /API key/ };
      await resolver(wanted, 'missing', never).should.be.rejectedWith(missing);
      await resolver(wanted, 'dead', never).should.be.rejectedWith({
        code: 'LINK_EXPIRED',
        message: /API key/
      });
    }
    server.seen.should.be.empty();
  });

  it('waits without a key for the audio of a text, which may still arrive', async () => {
    const resolver = createLinkResolver({ api: null });
    const spoken = reference({ recording_id: 'rec-1', transcription: 'Hello.' });
    const named = reference({ recording_id: 'rec-1' }, { transcription_id: 'tr-1' });
    for (const wanted of [spoken, named])
      await resolver(wanted, 'missing', never).should.be.rejectedWith({
        code: 'NO_RECORDING',
        retryable: true,
        retryAfterMs: 15_000
      });
    const plain = reference({ recording_id: 'rec-1' });
    await resolver(plain, 'missing', never).should.be.rejectedWith({ retryable: false });
  });

  it('gets working links from the stand-in, for every kind of event that it sends', async () => {
    const standIn = new TelnyxStandIn();
    await standIn.start();
    const api = new TelnyxApi({ apiUrl: standIn.apiUrl, apiKey: () => standIn.apiKey });
    try {
      const resolver = createLinkResolver({ api });
      for (const name of ['call.recording.saved', 'conference.recording.saved']) {
        const sample = standIn.sample(name);
        const { data } = JSON.parse(sample.body(1, 'https://example.com').toString()) as {
          data: { payload: Record<string, unknown> };
        };
        const [wanted] = findRecordings({
          event: { provider: 'telnyx', event_type: name },
          payload: data.payload
        });
        for (const recording_id of [wanted!.details.recording_id, null]) {
          const links = await resolver(
            { ...wanted!, details: { ...wanted!.details, recording_id } },
            'dead',
            never
          );
          const answer = await fetch(links[0]!.url);
          answer.status.should.equal(200);
          const bytes = Buffer.from(await answer.arrayBuffer());
          bytes.should.have.length(standIn.expectedFiles(sample.recording!)[0]!.size);
        }
      }
    } finally {
      await api.close();
      await standIn.stop();
    }
  });
});
