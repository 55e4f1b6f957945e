import should from 'should';
import { isWithoutTracks } from '../../../src/recording/extract/from-daily';
import { providers } from '../../../src/providers/registry';
import { carriesRecording, findRecordings, fromStored } from '../../../src/recording/find-recordings';
import { processorMsSince } from '../../support/processor-time';

const SIGNED =
  'https://s3.amazonaws.com/telephony-recorder-prod/acc/2026-03-04/leg-7.mp3?X-Amz-Expires=600&X-Amz-Signature=aa';

function envelope(
  event_type: string,
  payload: object,
  provider = 'telnyx'
): { event: unknown; payload: unknown } {
  return {
    event: {
      provider,
      event_type,
      id: 'evt-1',
      occurred_at: '2026-03-04T09:20:00.000Z',
      received_at: '2026-03-04T09:20:01.000Z',
      body: { data: { event_type, id: 'evt-1', payload } }
    },
    payload
  };
}

function texml(fields: Record<string, string>): { event: unknown; payload: unknown } {
  const payload = { AccountSid: 'acc-1', CallSid: 'v3:CALL', ...fields };
  return { event: { provider: 'telnyx', event_type: 'texml.x', id: 'h', body: payload }, payload };
}

describe('find-recordings', () => {
  describe('recording_urls maps', () => {
    it('reads every detail of a saved conference recording', () => {
      const found = findRecordings(
        envelope('conference.recording.saved', {
          call_control_id: 'v3:CONF',
          call_session_id: 'ses-1',
          channels: 'dual',
          conference_id: 'conf-1',
          connection_id: '1893004417265530001',
          format: 'mp3',
          recording_id: 'rec-1',
          recording_started_at: '2026-03-04T09:15:02.118204Z',
          recording_ended_at: '2026-03-04 09:16:02',
          recording_urls: { mp3: SIGNED, wav: null },
          public_recording_urls: {}
        })
      );
      found.should.have.length(1);
      found[0]!.should.eql({
        kind: 'audio',
        identity: 'telnyx:rec-1',
        details: {
          provider: 'telnyx',
          recording_id: 'rec-1',
          event_type: 'conference.recording.saved',
          event_id: 'evt-1',
          format: 'mp3',
          channels: 'dual',
          started_at: '2026-03-04T09:15:02.118Z',
          ended_at: '2026-03-04T09:16:02.000Z',
          duration_seconds: null,
          call_control_id: 'v3:CONF',
          call_leg_id: null,
          call_session_id: 'ses-1',
          conference_id: 'conf-1',
          connection_id: '1893004417265530001',
          from: null,
          to: null,
          initiated_by: null,
          room_name: null,
          max_participants: null,
          track: null,
          mtg_session_id: null,
          transcription: null
        },
        links: [{ format: 'mp3', url: SIGNED, sha256: null, size: null }],
        media_index: null,
        announced_at: '2026-03-04T09:20:00.000Z',
        storage_key: null,
        resource: 'recording'
      });
    });

    it('accepts an unknown type because of its fields', () => {
      carriesRecording(
        envelope('call.recording.archived', { recording_urls: { wav: SIGNED } })
      ).should.be.true();
    });

    it('prefers the signed link and keeps the public one as an alternative', () => {
      const [found] = findRecordings(
        envelope('call.recording.saved', {
          public_recording_urls: { mp3: 'https://media.example.com/p.mp3' },
          recording_urls: { mp3: SIGNED }
        })
      );
      found!.links.map((link) => link.url).should.eql([SIGNED, 'https://media.example.com/p.mp3']);
    });

    it('gives one identity to the same address signed twice', () => {
      const first = findRecordings(envelope('call.recording.saved', { recording_urls: { mp3: SIGNED } }))[0]!;
      const second = findRecordings(
        envelope('call.recording.saved', {
          recording_urls: { mp3: SIGNED.replace('Signature=aa', 'Signature=bb') }
        })
      )[0]!;
      first.identity.should.equal(second.identity);
      first.identity.should.not.containEql('Signature');
    });

    it('finds nothing in empty or broken maps', () => {
      for (const recording_urls of [
        {},
        null,
        'https://example.com/a.mp3',
        [],
        { mp3: null },
        { mp3: '' },
        { mp3: 7 }
      ]) {
        carriesRecording(
          envelope('call.recording.saved', { recording_urls, public_recording_urls: {} })
        ).should.be.false();
      }
    });

    it('reads the v1 shape, whose body has the payload at the root', () => {
      const body = {
        event_type: 'recording_saved',
        webhook_id: 'w-1',
        payload: {
          recording_id: 'rec-9',
          recording_urls: { wav: SIGNED },
          start_time: '2026-03-04T09:15:02Z'
        }
      };
      const [found] = findRecordings({ event: { provider: 'telnyx', body }, payload: undefined });
      found!.identity.should.equal('telnyx:rec-9');
      found!.details.started_at!.should.equal('2026-03-04T09:15:02.000Z');
    });

    it('still finds the recording after another node replaces msg.payload', () => {
      const source = envelope('call.recording.saved', { recording_urls: { wav: SIGNED } });
      carriesRecording({ ...source, payload: '/archive/2026/file.wav' }).should.be.true();
    });

    it('reads a recording in the form of the list API', () => {
      const [found] = findRecordings({
        event: undefined,
        payload: {
          id: 'rec-3',
          record_type: 'recording',
          duration_millis: 61500,
          download_urls: { mp3: SIGNED },
          from: '+12025550111'
        }
      });
      found!.identity.should.equal('telnyx:rec-3');
      found!.details.duration_seconds!.should.equal(61.5);
      found!.details.from!.should.equal('+12025550111');
    });
  });

  describe('TeXML', () => {
    it('reads a completed recording', () => {
      const [found] = findRecordings(
        texml({
          RecordingStatus: 'completed',
          RecordingSid: 'rs-1',
          RecordingUrl: 'https://api.telnyx.com/v2/recordings/rs-1.wav',
          RecordingDuration: '42',
          RecordingChannels: '2',
          From: '+12025550111'
        })
      );
      found!.identity.should.equal('telnyx:rs-1');
      found!.links.should.eql([
        { format: 'wav', url: 'https://api.telnyx.com/v2/recordings/rs-1.wav', sha256: null, size: null }
      ]);
      found!.details.duration_seconds!.should.equal(42);
      found!.details.channels!.should.equal('dual');
      found!.details.call_control_id!.should.equal('v3:CALL');
      found!.details.from!.should.equal('+12025550111');
    });

    it('gives an ended call and its recording the same identity', () => {
      const [call] = findRecordings(
        texml({ CallStatus: 'completed', RecordingUrl: 'https://api.telnyx.com/v2/recordings/rs-1.wav' })
      );
      call!.identity.should.equal('telnyx:rs-1');
    });

    it('knows that the API has the address when sendRecordingUrl is off', () => {
      const [found] = findRecordings(texml({ RecordingStatus: 'completed', RecordingSid: 'rs-2' }));
      found!.links.should.eql([]);
      found!.identity.should.equal('telnyx:rs-2');
    });

    it('finds nothing while a recording is in progress or absent', () => {
      for (const RecordingStatus of ['in-progress', 'absent', 'In-Progress']) {
        for (const RecordingUrl of ['', 'https://media.example.com/rs-1']) {
          const source = texml({ RecordingStatus, RecordingSid: 'rs-1', RecordingUrl });
          carriesRecording(source).should.be.false();
        }
      }
    });

    it('finds nothing in other callbacks', () => {
      carriesRecording(texml({ CallStatus: 'completed', CallDuration: '12' })).should.be.false();
      carriesRecording(texml({ SiprecEvent: 'siprec-started', SiprecSid: 's' })).should.be.false();
      carriesRecording(texml({ Transcript: 'hello', IsFinal: 'true' })).should.be.false();
    });

    it('is not misled by channel counts named like object members', () => {
      const [found] = findRecordings(texml({ RecordingSid: 'rs-1', RecordingChannels: 'constructor' }));
      found!.details.channels!.should.equal('constructor');
    });

    it('keeps the text of a transcription', () => {
      const [found] = findRecordings(
        texml({ TranscriptionStatus: 'completed', TranscriptionText: 'Good day.', RecordingSid: 'rs-1' })
      );
      found!.details.transcription!.should.equal('Good day.');
    });
  });

  it('reads a transcription, whose recording only the API can find', () => {
    const [found] = findRecordings(
      envelope('call.recording.transcription.saved', {
        recording_id: 'rec-1',
        recording_transcription_id: 'tr-1',
        transcription_text: 'Hello there.',
        status: 'completed'
      })
    );
    found!.links.should.eql([]);
    found!.details.transcription!.should.equal('Hello there.');
  });

  it('reads a received fax but neither a sent one nor the sound file of a playback', () => {
    const fax = {
      fax_id: 'fax-1',
      direction: 'inbound',
      media_url: 'https://s3.example.com/fax-1.pdf?X-Amz-Expires=7200'
    };
    const [found] = findRecordings(envelope('fax.received', fax));
    found!.kind.should.equal('fax');
    found!.identity.should.equal('telnyx:fax-1');
    found!.details.format!.should.equal('pdf');
    carriesRecording(envelope('fax.delivered', { ...fax, direction: 'outbound' })).should.be.false();
    carriesRecording(
      envelope('call.playback.ended', { media_url: 'https://example.com/hold.mp3' })
    ).should.be.false();
  });

  it('knows that the API has the link of a received fax that came without one', () => {
    const fax = { fax_id: 'fax-2', direction: 'inbound', status: 'received', media_url: null };
    const [found] = findRecordings(envelope('fax.received', fax));
    found!.kind.should.equal('fax');
    found!.resource!.should.equal('fax');
    found!.links.should.eql([]);
    for (const status of ['receiving', 'media.processing', 'failed'])
      carriesRecording(envelope('fax.x', { ...fax, status })).should.be.false();
  });

  it('gives the name to query the API with', () => {
    const link = 'https://media.example.com/x';
    const resources: [Record<string, unknown>, string, string][] = [
      [{ recording_id: 'r', recording_urls: { mp3: link } }, 'recording', 'audio'],
      [{ recording_id: 'r', recording_transcription_id: 't' }, 'recording', 'audio'],
      [{ fax_id: 'f', media_url: link }, 'fax', 'fax'],
      [{ recording_id: 'r', download_url: link }, 'room-recording', 'video'],
      [{ record_type: 'room_recording', id: 'r', download_url: link }, 'room-recording', 'video'],
      [{ composition_id: 'c', download_url: link }, 'room-composition', 'video'],
      [{ record_type: 'room_composition', id: 'c', download_url: link }, 'room-composition', 'video'],
      [{ id: 'm', media: [{ url: link }] }, 'message', 'attachment'],
      [{ id: 'm', body: { user_file: { payload: { file_uri: link } } } }, 'message', 'attachment']
    ];
    for (const [payload, resource, kind] of resources) {
      const [found] = findRecordings(envelope('some.event', payload));
      [found!.resource, found!.kind].should.eql([resource, kind]);
    }
    const [composed] = findRecordings(
      envelope('x', { composition_id: 'comp-1', recording_id: 'rec-1', download_url: link })
    );
    composed!.details.recording_id!.should.equal('comp-1');
    const [spoken] = findRecordings(
      texml({ RecordingSid: 'RS1', RecordingUrl: link, RecordingSource: 'DialVerb' })
    );
    [spoken!.resource, spoken!.account_sid].should.eql(['texml-recording', 'acc-1']);
    spoken!.details.initiated_by!.should.equal('DialVerb');
    const [text] = findRecordings(envelope('x', { recording_id: 'r', recording_transcription_id: 't-1' }));
    text!.transcription_id!.should.equal('t-1');
  });

  it('reads the attachments of a received message with the details from their sender', () => {
    const sha = 'AB'.repeat(32);
    const payload = {
      id: 'msg-1',
      direction: 'inbound',
      from: { phone_number: '+12025550118', carrier: 'X' },
      to: [{ phone_number: '+12025550124' }],
      media: [
        { url: 'https://media.example.com/1.png', content_type: 'image/png', sha256: sha, size: 10 },
        { url: null },
        { url: 'https://media.example.com/2', content_type: null, hash_sha256: sha, size: null }
      ]
    };
    const found = findRecordings(envelope('message.received', payload));
    found
      .map((one) => [one.kind, one.media_index, one.identity])
      .should.eql([
        ['attachment', 0, 'telnyx:msg-1#0'],
        ['attachment', 1, 'telnyx:msg-1#1']
      ]);
    found[0]!.links[0]!.should.eql({
      format: 'png',
      url: 'https://media.example.com/1.png',
      sha256: sha.toLowerCase(),
      size: 10
    });
    found[1]!.links[0]!.sha256!.should.equal(sha.toLowerCase());
    found[0]!.details.from!.should.equal('+12025550118');
    found[0]!.details.to!.should.equal('+12025550124');
    carriesRecording(envelope('message.sent', { ...payload, direction: 'outbound' })).should.be.false();
  });

  it('reads the file of an RCS message', () => {
    const [found] = findRecordings(
      envelope('message.received', {
        direction: 'inbound',
        body: {
          user_file: {
            payload: {
              file_uri: 'https://rcs.example.com/a.jpg',
              mime_type: 'image/jpeg',
              file_size_bytes: 7
            }
          }
        }
      })
    );
    found!.links[0]!.should.eql({
      format: 'jpeg',
      url: 'https://rcs.example.com/a.jpg',
      sha256: null,
      size: 7
    });
  });

  it('reads video-room recordings', () => {
    const [found] = findRecordings(
      envelope('video.room.composition.completed', {
        composition_id: 'cmp-1',
        download_url: 'https://example.com/x',
        duration_secs: 12,
        format: 'mp4'
      })
    );
    found!.kind.should.equal('video');
    found!.identity.should.equal('telnyx:cmp-1');
    found!.details.duration_seconds!.should.equal(12);
  });

  describe('Daily', () => {
    const cloud = {
      recording_id: 'rec-d',
      room_name: 'standup',
      start_ts: 1772615702.5,
      status: 'finished',
      duration: 80,
      s3_key: 'example/standup/1772615702484'
    };

    it('reads room, participants and duration', () => {
      const [found] = findRecordings(
        envelope('recording.ready-to-download', { ...cloud, max_participants: 3 }, 'daily')
      );
      should(found!.details).have.properties({
        provider: 'daily',
        recording_id: 'rec-d',
        room_name: 'standup',
        duration_seconds: 80,
        max_participants: 3,
        format: 'mp4'
      });
    });

    it('reads the key in the customer bucket in each spelling', () => {
      const { s3_key: key, ...keyless } = cloud;
      for (const name of ['s3_key', 's3Key', 's3key']) {
        const payload = { ...keyless, [name]: key };
        const [found] = findRecordings(envelope('recording.ready-to-download', payload, 'daily'));
        should(found?.storage_key).equal(key);
      }
    });

    it('ignores the tracks of a recording whose type says that it is one file', () => {
      const payload = { ...cloud, type: 'cloud', tracks: [{ s3Key: 'example/standup/1-cam-audio-2' }] };
      const found = findRecordings(envelope('recording.ready-to-download', payload, 'daily'));
      found.map(({ identity, kind }) => [identity, kind]).should.eql([['daily:rec-d', 'video']]);
    });

    it('reads a cloud recording without a type', () => {
      const [found] = findRecordings(envelope('recording.ready-to-download', cloud, 'daily'));
      found!.identity.should.equal('daily:rec-d');
      found!.kind.should.equal('video');
      found!.links.should.eql([]);
      found!.details.started_at!.should.equal('2026-03-04T09:15:02.500Z');
      found!.details.room_name!.should.equal('standup');
      found!.storage_key!.should.equal(cloud.s3_key);
    });

    it('reads one reference per raw track, in both spellings of the key', () => {
      const tracks = [
        { type: 'audio', s3Key: 'example/standup/1-cam-audio-2' },
        { s3key: 'example/standup/1-cam-video-3' }
      ];
      const found = findRecordings(envelope('recording.ready-to-download', { ...cloud, tracks }, 'daily'));
      found
        .map((one) => [one.kind, one.media_index, one.details.track, one.storage_key])
        .should.eql([
          ['track', 0, '1-cam-audio-2', 'example/standup/1-cam-audio-2'],
          ['track', 1, '1-cam-video-3', 'example/standup/1-cam-video-3']
        ]);
      new Set(found.map((one) => one.identity)).size.should.equal(2);
    });

    it('keeps a track without a key, so that it is reported', () => {
      const tracks = [{ s3Key: 'example/standup/1-cam-audio-2' }, { type: 'video' }, null, { s3Key: '' }];
      const found = findRecordings(
        envelope('recording.ready-to-download', { ...cloud, type: 'raw-tracks', tracks }, 'daily')
      );
      found
        .map(({ kind, storage_key, details }) => [kind, storage_key, details.track])
        .should.eql([
          ['track', 'example/standup/1-cam-audio-2', '1-cam-audio-2'],
          ...Array<unknown>(3).fill(['track', null, null])
        ]);
      new Set(found.map((one) => one.identity)).size.should.equal(4);
    });

    describe('texts', () => {
      const transcript = {
        id: 'tr-1',
        status: 't_finished',
        room_name: 'standup',
        mtg_session_id: 'mtg-1',
        duration: 124.4,
        out_params: { s3: { bucket: 'made-up', region: 'us-west-2', key: 'made-up/t.vtt' } }
      };
      const job = {
        id: 'job-1',
        preset: 'summarize',
        status: 'finished',
        input: { sourceType: 'recordingId', recordingId: 'rec-d' },
        output: {
          transcription: [
            { format: 'vtt', s3Config: { key: 'made-up/t.vtt' } },
            { format: 'vtt', s3Config: { key: 'made-up/u.vtt' } },
            null
          ],
          summary: { format: 'txt', s3Config: { key: 'made-up/s' } },
          'So ap!': { format: 'json' }
        }
      };

      it('reads a finished transcript', () => {
        const [found, ...others] = findRecordings(
          envelope('transcript.ready-to-download', transcript, 'daily')
        );
        others.should.be.empty();
        found!.should.have.properties({
          kind: 'text',
          identity: 'daily:transcript:tr-1',
          links: [],
          storage_key: 'made-up/t.vtt',
          output: { what: 'transcript', of: 'tr-1', name: 'transcript', format: 'vtt' }
        });
        should(found!.details).have.properties({
          recording_id: 'tr-1',
          format: 'vtt',
          track: 'transcript',
          room_name: 'standup',
          duration_seconds: 124.4,
          mtg_session_id: 'mtg-1'
        });
      });

      it('reads a finished job as what only the API can name all files of', () => {
        const [found, ...others] = findRecordings(envelope('batch-processor.job-finished', job, 'daily'));
        others.should.be.empty();
        found!.should.have.properties({ kind: 'text', identity: 'daily:batch:job-1', isCollection: true });
        should(found!.details.recording_id).equal('rec-d');
        should(found!.output).eql({
          what: 'batch-job',
          of: 'job-1',
          name: '',
          format: null,
          listed: [
            { name: 'transcription', format: 'vtt', key: 'made-up/t.vtt' },
            { name: 'transcription-2', format: 'vtt', key: 'made-up/u.vtt' },
            { name: 'summary', format: 'txt', key: 'made-up/s' },
            { name: 'so_ap_', format: 'json', key: null }
          ]
        });
      });

      it('reads a job without a recording, and one that lists nothing', () => {
        for (const more of [
          { input: { uri: 'https://example.com/a.mp4' } },
          { output: {} },
          { output: [] }
        ]) {
          const payload = { ...job, input: null, ...more };
          const [found] = findRecordings(envelope('batch-processor.job-finished', payload, 'daily'));
          should(found!.details.recording_id).equal('job-1');
        }
      });

      it('finds nothing in what is not finished, and never throws', () => {
        for (const payload of [
          { ...transcript, status: 't_in_progress' },
          { ...transcript, status: 't_error' },
          { ...transcript, id: null },
          { ...job, status: 'error' },
          { ...job, preset: null, output: 'x' },
          { id: 'x', status: 'finished' }
        ])
          carriesRecording(envelope('x', payload, 'daily')).should.be.false();
        const many = Array.from({ length: 500 }, () => ({ format: 'vtt' }));
        const [found] = findRecordings(
          envelope('x', { ...job, output: { a: many, __proto__: null, ['x'.repeat(9000)]: {} } }, 'daily')
        );
        found!.output!.listed!.should.have.length(100);
      });

      it('are of Daily only', () => {
        for (const payload of [transcript, job]) carriesRecording(envelope('x', payload)).should.be.false();
      });

      it('are found again by their identity', () => {
        const stored = (identity: string, track: string) =>
          fromStored(
            { record_type: 'stored_recording', provider: 'daily', identity, recording_id: 'rec-d', track },
            providers
          );
        should(stored('daily:transcript:a%3Ab', 'transcript')).have.properties({
          kind: 'text',
          output: { what: 'transcript', of: 'a:b', name: 'transcript', format: 'vtt' }
        });
        should(stored('daily:batch:job-1:summary:txt', 'summary')).have.properties({
          kind: 'text',
          output: { what: 'batch-job', of: 'job-1', name: 'summary', format: 'txt' }
        });
        should(stored('daily:side-file:rec-d:event-json', 'events')).have.properties({
          kind: 'text',
          storage_key: null,
          output: { what: 'side-file', of: 'rec-d', name: 'event-json', format: 'json' }
        });
      });
    });

    it('finds nothing in silent raw tracks, started recordings and errors', () => {
      for (const payload of [
        { ...cloud, type: 'raw-tracks', tracks: null },
        { recording_id: 'rec-d', action: 'start-cloud-recording', start_ts: 1772615702 },
        { room_name: 'standup', error_msg: 'no' }
      ]) {
        carriesRecording(envelope('recording.x', payload, 'daily')).should.be.false();
      }
    });
  });

  it('finds nothing in anything else, and never throws', () => {
    for (const payload of [
      undefined,
      null,
      '',
      'x',
      7,
      [],
      [{}],
      {},
      Object.create(null),
      { recording_id: 'rec-1' }
    ]) {
      carriesRecording({ event: undefined, payload }).should.be.false();
      carriesRecording({ event: payload, payload }).should.be.false();
    }
    should(findRecordings({ event: { body: 'text' }, payload: 'text' })).eql([]);
  });
});

describe('find-recordings, with hostile input', () => {
  it('does not follow endlessly nested lists', () => {
    let from: unknown = '+15550100';
    for (let level = 0; level < 100_000; level += 1) from = [from];
    const payload = { recording_id: 'r', recording_urls: { mp3: 'https://example.com/a.mp3' }, from };
    should(findRecordings({ event: {}, payload })[0]?.details.from).be.null();
  });

  it('is fast for an invalid address', () => {
    const begun = process.cpuUsage();
    for (const url of [
      `https://a${'\u0316\u0301'.repeat(500_000)}/x.mp3`,
      `https://h/?${'a&'.repeat(500_000)}`
    ]) {
      const [found] = findRecordings({ event: {}, payload: { recording_urls: { mp3: url } } });
      should(found?.identity).match(/^telnyx:[0-9a-f]{24}$/);
    }
    should(processorMsSince(begun)).be.below(3000);
  });

  it('reads no more formats than a recording can have', () => {
    const recording_urls = Object.fromEntries(
      Array.from({ length: 50_000 }, (_, index) => [index.toString(36), 'https://example.com/a'])
    );
    should(findRecordings({ event: {}, payload: { recording_urls } })[0]?.links.length).be.belowOrEqual(50);
  });
});

describe('isWithoutTracks', () => {
  const of = (payload: object, provider = 'daily') => isWithoutTracks({ event: { provider }, payload });

  it('recognises an empty raw-tracks recording', () => {
    for (const tracks of [[], null, undefined]) of({ type: 'raw-tracks', tracks }).should.be.true();
    of({ type: 'raw-tracks', tracks: [{ s3Key: 'a' }] }).should.be.false();
    of({ type: 'cloud', tracks: [] }).should.be.false();
    of({ tracks: null }).should.be.false();
    of({ type: 'raw-tracks', tracks: [] }, 'telnyx').should.be.false();
  });
});
