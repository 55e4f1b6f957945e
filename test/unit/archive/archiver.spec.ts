import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import should from 'should';
import type { ArchiveDeps } from '../../../src/archive/archive-context';
import type { JobItem } from '../../../src/archive/queue/job';
import { CodedError } from '../../../src/errors/coded-error';
import { createMessageStore } from '../../../src/store/message/message-store';
import { keyDigest } from '../../../src/values/fields';
import { localServer, sha256, wav, type LocalServer } from '../../support/media';
import { ArchiveFixture, onlyFile, recordingAt, type TestArchiver } from './archive-fixture';

const NAME = '2026/03/04/20260304T091502Z_rec-1_dual.wav';
describe('archiver', () => {
  const bytes = wav({ seconds: 1 });
  let fixture: ArchiveFixture;
  let server: LocalServer;
  let archivers: TestArchiver[];

  const archiver = (...args: Parameters<ArchiveFixture['archiver']>): TestArchiver => {
    const made = fixture.archiver(...args);
    archivers.push(made);
    return made;
  };

  beforeEach(async () => {
    archivers = [];
    fixture = await ArchiveFixture.create();
    server = await localServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': bytes.length }).end(bytes);
    });
  });

  afterEach(async () => {
    await Promise.all(archivers.map((each) => each.close()));
    await server.close();
    await fixture.remove();
  });

  it('stores a recording under its name and reports all its details', async () => {
    const { recording, payload } = await onlyFile(
      archiver().archive({
        reference: recordingAt(`${server.url}/a.wav?X-Amz-Signature=geheim`),
        format: 'any'
      })
    );
    const file = path.join(fixture.folder, NAME);
    should(payload).equal(file);
    (await readFile(file)).equals(bytes).should.be.true();
    recording.should.eql({
      provider: 'telnyx',
      recording_id: 'rec-1',
      event_type: 'call.recording.saved',
      event_id: 'evt-1',
      format: 'wav',
      channels: 'dual',
      started_at: '2026-03-04T09:15:02.118Z',
      ended_at: null,
      duration_seconds: null,
      call_control_id: null,
      call_leg_id: null,
      call_session_id: null,
      conference_id: null,
      connection_id: null,
      from: null,
      to: null,
      initiated_by: null,
      room_name: null,
      max_participants: null,
      track: null,
      mtg_session_id: null,
      transcription: null,
      size: bytes.length,
      sha256: sha256(bytes),
      content_type: 'audio/wav',
      destination: 'folder',
      path: file,
      sidecar: `${file}.json`,
      source_host: new URL(server.url).host,
      attempts: 1,
      resumed: false,
      already_stored: false,
      stored_at: '2026-03-04T10:00:00.000Z',
      deleted_at_source: null,
      identity: 'telnyx:rec-1'
    });
    const sidecar = await readFile(`${file}.json`, 'utf8');
    should(JSON.parse(sidecar)).eql(recording);
    sidecar.should.not.containEql('geheim');
    (await fixture.files()).should.eql([NAME, `${NAME}.json`]);
  });

  it('takes the ending from the bytes, whatever the link says', async () => {
    const { recording } = await onlyFile(
      archiver().archive({ reference: recordingAt(`${server.url}/a.mp3`), format: 'any' })
    );
    recording.path!.should.endWith('.wav');
    recording.format!.should.equal('wav');
  });

  it('writes no sidecar when sidecars are off', async () => {
    const { recording } = await onlyFile(
      archiver({ sidecar: false }).archive({ reference: recordingAt(`${server.url}/a.wav`), format: 'any' })
    );
    should(recording.sidecar).be.null();
    (await fixture.files()).should.eql([NAME]);
  });

  it('starts only a few recordings of one job at the same time', async () => {
    let mostBegun = 0;
    const asked: string[] = [];
    const transfer: ArchiveDeps['transfer'] = ({ url }) => {
      const { active, waiting } = fixture.progress.summary();
      mostBegun = Math.max(mostBegun, active + waiting);
      asked.push(url);
      return Promise.reject(new CodedError('NOT_MEDIA', 'Nothing there.'));
    };
    const jobs = Array.from({ length: 1000 }, (_, number): JobItem => {
      const reference = recordingAt(`${server.url}/${number}.wav`);
      return { reference: { ...reference, identity: `telnyx:${number}` }, format: 'any' };
    });
    const outcomes = await archiver({ retries: 0 }, { transfer }).archive(...jobs);
    outcomes.length.should.equal(1000);
    outcomes.some(({ ok }) => ok).should.be.false();
    new Set(asked).size.should.equal(1000);
    mostBegun.should.be.belowOrEqual(256);
  });

  it('stores every format when all are requested, and reports which ones failed', async () => {
    const outcomes = await archiver({ retries: 0 }).archive({
      reference: recordingAt(`${server.url}/a.wav`, 'http://127.0.0.1:1/a.mp3'),
      format: 'all'
    });
    outcomes.map((outcome) => outcome.ok).should.eql([true, false]);
  });

  it('says what to do when the requested format does not exist', async () => {
    await onlyFile(
      archiver().archive({ reference: recordingAt(`${server.url}/a.wav`), format: 'mp3' })
    ).should.be.rejectedWith({ code: 'NO_RECORDING', message: /as mp3.*only wav/ });
    server.requests.should.be.empty();
  });

  it('hands the bytes over when the destination is the message', async () => {
    const { recording, payload } = await onlyFile(
      archiver({}, { store: createMessageStore() }).archive({
        reference: recordingAt(`${server.url}/a.wav`),
        format: 'any'
      })
    );
    bytes.equals(payload as Buffer).should.be.true();
    recording.destination.should.equal('message');
    recording.should.not.have.property('path');
    should(recording.sidecar).be.null();
  });

  describe('the same recording again', () => {
    const item = (): JobItem => ({
      reference: recordingAt(`${server.url}/a.wav?again`),
      format: 'any'
    });

    it('is not fetched again while the stored copy is intact', async () => {
      const archive = archiver();
      await onlyFile(archive.archive(item()));
      const { recording } = await onlyFile(archive.archive(item()));
      recording.already_stored.should.be.true();
      server.requests.should.have.length(1);
      (await fixture.files()).should.eql([NAME, `${NAME}.json`]);
    });

    it('is fetched again when the stored copy is missing', async () => {
      const archive = archiver();
      await onlyFile(archive.archive(item()));
      await rm(path.join(fixture.folder, NAME));
      const { recording } = await onlyFile(archive.archive(item()));
      recording.already_stored.should.be.false();
      (await readFile(path.join(fixture.folder, NAME))).equals(bytes).should.be.true();
    });

    it('replaces a changed copy, which is kept under another name', async () => {
      const archive = archiver();
      await onlyFile(archive.archive(item()));
      await writeFile(path.join(fixture.folder, NAME), 'changed');
      const { recording } = await onlyFile(archive.archive(item()));
      recording.already_stored.should.be.false();
      recording.path!.should.equal(path.join(fixture.folder, NAME));
      (await readFile(recording.path!)).equals(bytes).should.be.true();
      const [, aside, asideSidecar, sidecar, ...others] = await fixture.files();
      sidecar!.should.equal(`${NAME}.json`);
      others.should.eql([]);
      aside!.should.match(/\.wav\.damaged-\d{8}T\d{6}Z$/);
      asideSidecar!.should.equal(`${aside}.json`);
      (await readFile(path.join(fixture.folder, aside!), 'utf8')).should.equal('changed');
    });

    it('leaves a changed copy that is held where it is, and stores the fresh one beside it', async () => {
      const asked: unknown[] = [];
      const holds: ArchiveDeps['holds'] = {
        permitted: (about) => {
          asked.push(about);
          return Promise.reject(new CodedError('DELETION_REFUSED', 'It is held.'));
        }
      };
      const archive = archiver({}, { holds });
      await onlyFile(archive.archive(item()));
      await writeFile(path.join(fixture.folder, NAME), 'changed');
      const { recording } = await onlyFile(archive.archive(item()));
      recording.path!.should.not.equal(path.join(fixture.folder, NAME));
      (await readFile(recording.path!)).equals(bytes).should.be.true();
      (await readFile(path.join(fixture.folder, NAME), 'utf8')).should.equal('changed');
      (await fixture.files()).should.not.matchAny(/damaged/);
      should(asked).containDeep([
        { ids: [keyDigest('telnyx:rec-1')], reason: 'damaged', actor: 'node:node-1' }
      ]);
    });

    it('is fetched again when only one of its files is damaged, although the message has no address', async () => {
      const archive = archiver({}, { resolveLinks: () => Promise.resolve(item().reference.links) });
      await onlyFile(archive.archive(item()));
      await writeFile(path.join(fixture.folder, NAME), 'changed');
      const without = { ...item(), reference: { ...item().reference, links: [] } };
      const { recording } = await onlyFile(archive.archive(without));
      recording.already_stored.should.be.false();
      (await readFile(path.join(fixture.folder, NAME))).equals(bytes).should.be.true();
    });

    it('gives one file after a restart, too, with the original sidecar', async () => {
      const first = await onlyFile(archiver().archive(item()));
      const { recording } = await onlyFile(archiver({}, { now: () => Date.UTC(2027, 0) }).archive(item()));
      recording.already_stored.should.be.true();
      recording.stored_at.should.equal(first.recording.stored_at);
      (await fixture.files()).should.eql([NAME, `${NAME}.json`]);
    });

    it('gets its sidecar when the first attempt ended before writing it', async () => {
      await onlyFile(archiver({ sidecar: false }).archive(item()));
      const { recording } = await onlyFile(archiver().archive(item()));
      recording.already_stored.should.be.true();
      (await fixture.files()).should.eql([NAME, `${NAME}.json`]);
    });

    it('is fetched once when it comes twice at the same time', async () => {
      const archive = archiver();
      const bothStored = await Promise.all([
        onlyFile(archive.archive(item())),
        onlyFile(archive.archive(item()))
      ]);
      bothStored.map(({ recording }) => recording.already_stored).should.eql([false, true]);
      server.requests.should.have.length(1);
    });

    it('is recognised in a message that names it without a link', async () => {
      const archive = archiver();
      const named = { reference: recordingAt(), format: 'any' } as const;
      await onlyFile(archive.archive(named)).should.be.rejectedWith({
        code: 'NO_RECORDING',
        message: /rec-1/
      });
      await onlyFile(archive.archive(item()));
      (await onlyFile(archive.archive(named))).recording.already_stored.should.be.true();
    });

    it('is always fetched when the flow itself provides the address', async () => {
      const reference = recordingAt(`${server.url}/latest.wav`);
      reference.details.recording_id = null;
      reference.details.event_type = null;
      const archive = archiver();
      await onlyFile(archive.archive({ reference, format: 'any' }));
      (
        await onlyFile(archive.archive({ reference, format: 'any' }))
      ).recording.already_stored.should.be.true();
      server.requests.should.have.length(2);
    });
  });
});
