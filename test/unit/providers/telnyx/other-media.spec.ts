import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { findRecordings } from '../../../../src/recording/find-recordings';
import { createLinkResolver } from '../../../../src/providers/telnyx/link-resolver';
import { completeDetails } from '../../../../src/providers/telnyx/complete-details';
import { localServer, sha256, type LocalServer } from '../../../support/media';
import { ArchiveFixture, type Outcome } from '../../archive/archive-fixture';
import { ApiServer } from './api-server';

const PDF = Buffer.from('%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n');
const PNG = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(60, 7)]);
const JPG = Buffer.concat([Buffer.from('\xff\xd8\xff\xe0', 'latin1'), Buffer.alloc(60, 9)]);
const MP4 = Buffer.concat([
  Buffer.from('\0\0\0\x18ftypisom\0\0\x02\0isomiso2', 'latin1'),
  Buffer.alloc(64, 1)
]);

const FILES: Record<string, [type: string, bytes: Buffer]> = {
  '/faxes/fax-1.pdf': ['application/pdf', PDF],
  '/mms/a.png': ['image/png', PNG],
  '/mms/b.jpg': ['image/jpeg', JPG],
  '/rcs/photo.jpg': ['image/jpeg', JPG],
  '/rooms/room-1.mp4': ['video/mp4', MP4]
};

/** Events whose files are not call recordings, stored from real servers. */
describe('media other than call recordings', () => {
  let archive: ArchiveFixture;
  let media: LocalServer;
  let api: ApiServer;

  beforeEach(async () => {
    archive = await ArchiveFixture.create();
    api = await ApiServer.start();
    // Like S3: only the fresh link opens the file.
    media = await localServer((request, response) => {
      const url = new URL(request.url ?? '', 'http://media.invalid');
      const file = FILES[url.pathname];
      if (request.headers.authorization !== undefined || file === undefined) {
        response.writeHead(400).end();
      } else if (url.searchParams.get('X-Amz-Signature') === 'old') {
        response.writeHead(403, { 'content-type': 'application/xml' });
        response.end(
          '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>'
        );
      } else {
        response.writeHead(200, { 'content-type': file[0], 'content-length': file[1].length }).end(file[1]);
      }
    });
  });
  afterEach(async () => {
    await media.close();
    await api.stop();
    await archive.remove();
  });

  const link = (file: string, signature: 'old' | 'new' = 'new'): string =>
    `${media.url}${file}?X-Amz-Signature=${signature}`;

  async function store(event_type: string, payload: Record<string, unknown>, key = true): Promise<Outcome[]> {
    const client = key ? api.client() : null;
    const archiver = archive.archiver(
      { retries: 0 },
      {
        resolveLinks: createLinkResolver({ api: client, lagMs: 1 }),
        completeDetails: (reference, signal) => completeDetails(client, reference, signal)
      }
    );
    const event = { provider: 'telnyx', event_type, id: 'evt-1', occurred_at: '2026-03-04T09:15:02Z' };
    const references = findRecordings({ event, payload });
    return await archiver.archive(...references.map((reference) => ({ reference, format: 'any' as const })));
  }

  async function shouldHold(outcome: Outcome | undefined, ext: string, bytes: Buffer): Promise<void> {
    if (!outcome?.ok) throw outcome?.error ?? new Error('nothing stored');
    const { payload, recording } = outcome.file;
    path.extname(String(payload)).should.equal(ext);
    (await readFile(String(payload))).equals(bytes).should.be.true();
    recording.sha256.should.equal(sha256(bytes));
  }

  const fax = (media_url: string | null): Record<string, unknown> => ({
    fax_id: 'fax-1',
    direction: 'inbound',
    status: 'received',
    from: '+12025550117',
    to: '+12025550115',
    media_url
  });

  it('renews a fax whose link has expired, and stores it', async () => {
    api.json('POST /v2/faxes/fax-1/actions/refresh', { data: { result: 'ok' } });
    api.json('GET /v2/faxes/fax-1', { data: { id: 'fax-1', media_url: link('/faxes/fax-1.pdf') } });
    const [outcome] = await store('fax.received', fax(link('/faxes/fax-1.pdf', 'old')));
    await shouldHold(outcome, '.pdf', PDF);
    api.lines.should.eql(['POST /v2/faxes/fax-1/actions/refresh', 'GET /v2/faxes/fax-1']);
    media.requests.should.have.length(2);
  });

  it('sends no request for a fax whose link works, and fetches one without a link', async () => {
    await shouldHold((await store('fax.received', fax(link('/faxes/fax-1.pdf'))))[0], '.pdf', PDF);
    api.seen.should.be.empty();
    api.json('POST /v2/faxes/fax-1/actions/refresh', { data: { result: 'ok' } });
    api.json('GET /v2/faxes/fax-1', { data: { id: 'fax-1', media_url: link('/faxes/fax-1.pdf') } });
    await shouldHold((await store('fax.received', fax(null)))[0], '.pdf', PDF);
  });

  it('asks for a fresh link once per failure, not endlessly', async () => {
    api.json('POST /v2/faxes/fax-1/actions/refresh', { data: { result: 'ok' } });
    api.json('GET /v2/faxes/fax-1', { data: { id: 'fax-1', media_url: link('/faxes/fax-1.pdf', 'old') } });
    const [outcome] = await store('fax.received', fax(link('/faxes/fax-1.pdf', 'old')));
    outcome!.should.containDeep({ ok: false, error: { code: 'GAVE_UP', cause: { code: 'LINK_EXPIRED' } } });
    api.seen.should.have.length(2);
  });

  it('reports for an expired fax that an API key would help', async () => {
    const [outcome] = await store('fax.received', fax(link('/faxes/fax-1.pdf', 'old')), false);
    if (outcome?.ok !== false) throw new Error('stored');
    outcome.error.message.should.match(/API key/);
    outcome.error.message.should.not.containEql('X-Amz');
  });

  it('stores every attachment of a message, checked against the details in the message', async () => {
    const message = {
      id: 'msg-1',
      direction: 'inbound',
      media: [
        { url: link('/mms/a.png'), content_type: 'image/png', sha256: sha256(PNG), size: PNG.length },
        { url: link('/mms/b.jpg'), content_type: 'image/jpeg', hash_sha256: sha256(JPG), size: null }
      ]
    };
    const [first, second] = await store('message.received', message);
    await shouldHold(first, '.png', PNG);
    await shouldHold(second, '.jpg', JPG);
    const forged = { ...message, id: 'msg-2', media: [{ url: link('/mms/a.png'), sha256: sha256(JPG) }] };
    const [refused] = await store('message.received', forged);
    refused!.ok.should.be.false();
  });

  it('reports that an expired attachment is unavailable', async () => {
    const message = { id: 'msg-1', media: [{ url: link('/mms/a.png', 'old') }] };
    const [outcome] = await store('message.received', message);
    outcome!.should.containDeep({ ok: false, error: { code: 'LINK_EXPIRED' } });
    api.seen.should.be.empty();
  });

  it('stores the file of an RCS message', async () => {
    const file = { file_uri: link('/rcs/photo.jpg'), mime_type: 'image/jpeg', file_size_bytes: JPG.length };
    const thumbnail = { file_uri: link('/rcs/thumb.jpg'), mime_type: 'image/jpeg' };
    const body = { user_file: { payload: file, thumbnail } };
    const outcomes = await store('message.received', { direction: 'inbound', type: 'RCS', body });
    outcomes.should.have.length(1);
    await shouldHold(outcomes[0], '.jpg', JPG);
  });

  it('stores room recordings and compositions, with a fresh link when the old one has expired', async () => {
    const download_url = link('/rooms/room-1.mp4');
    const status = 'completed';
    api.json('GET /v2/room_recordings/room-1', { data: { id: 'room-1', status, download_url } });
    api.json('GET /v2/room_compositions/comp-1', {
      data: { id: 'comp-1', status, download_url, format: 'mp4' }
    });
    const dead = link('/rooms/room-1.mp4', 'old');
    const recorded = { recording_id: 'room-1', download_url: dead, duration_secs: 60, type: 'video' };
    await shouldHold((await store('video.room.recording.completed', recorded))[0], '.mp4', MP4);
    const composed = { composition_id: 'comp-1', download_url: dead, format: 'mp4' };
    await shouldHold((await store('video.room.composition.completed', composed))[0], '.mp4', MP4);
  });
});
