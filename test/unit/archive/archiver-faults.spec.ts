import { readFile, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import path from 'node:path';
import should from 'should';
import type { JobItem } from '../../../src/archive/queue/job';
import { CodedError } from '../../../src/errors/coded-error';
import { compileFilename } from '../../../src/naming/filename-template';
import { type MediaLink, mediaLink } from '../../../src/recording/recording-reference';
import { mp3Media } from '../../../src/simulator/media/media-mp3';
import { folderSidecar } from '../../../src/store/folder/folder-sidecar';
import { createFolderStore } from '../../../src/store/folder/folder-store';
import { transfer } from '../../../src/transfer/transfer';
import { type LocalServer, localServer, mp4, wav } from '../../support/media';
import { testOwner } from '../store/folder/store-fixture';
import { alteredStore } from './altered-store';
import { ArchiveFixture, type TestArchiver, onlyFile, recordingAt } from './archive-fixture';

describe('archiver faults', () => {
  const bytes = wav({ seconds: 20 });
  let fixture: ArchiveFixture;
  let server: LocalServer;
  let archivers: TestArchiver[];
  let answer: (request: IncomingMessage, response: ServerResponse) => void;

  const archiver = (...args: Parameters<ArchiveFixture['archiver']>): TestArchiver => {
    const made = fixture.archiver(...args);
    archivers.push(made);
    return made;
  };
  const sendAll = (response: ServerResponse): void => {
    response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': bytes.length }).end(bytes);
  };
  const at = (...paths: string[]): JobItem => ({
    reference: recordingAt(...paths.map((one) => server.url + one)),
    format: 'any'
  });

  beforeEach(async () => {
    archivers = [];
    fixture = await ArchiveFixture.create();
    server = await localServer((request, response) => answer(request, response));
  });

  afterEach(async () => {
    await Promise.all(archivers.map((each) => each.close()));
    await server.close();
    await fixture.remove();
  });

  it('retries after growing pauses, and obeys Retry-After', async () => {
    answer = (_request, response) => {
      if (server.requests.length === 3) response.setHeader('retry-after', '9');
      if (server.requests.length <= 3) response.writeHead(503).end();
      else sendAll(response);
    };
    const { recording } = await onlyFile(archiver().archive(at('/a.wav')));
    recording.attempts.should.equal(4);
    fixture.pauses.should.eql([1000, 2000, 9000]);
  });

  it('gives up after the last retry, with the last reason', async () => {
    answer = (_request, response) => response.writeHead(503).end();
    const error: unknown = await onlyFile(archiver({ retries: 2 }).archive(at('/a.wav?geheim'))).catch(
      (thrown: unknown) => thrown
    );
    error!.should.have.properties({ code: 'GAVE_UP' });
    (error as Error).message.should.match(/after 3 attempts.*503/);
    (error as Error).message.should.not.containEql('geheim');
    (error as { cause: unknown }).cause!.should.have.property('code', 'LINK_REFUSED');
    (await fixture.files()).should.eql([]);
    server.requests.should.have.length(3);
  });

  it('finds what another process stored and deleted at the source, if it is the same recording', async () => {
    answer = (_request, response) => sendAll(response);
    const first = await onlyFile(archiver().archive(at('/a.wav')));
    // Another process knows only what is in the folder, and has received half of the recording.
    const other = archiver({ scope: 'other' });
    answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': bytes.length });
      response.write(bytes.subarray(0, 200_000), () => response.destroy());
    };
    const job = other.order(at('/a.wav'));
    should(await other.pass(job)).have.property('kind', 'again');
    should(await fixture.files()).have.length(3);
    answer = (_request, response) => response.writeHead(404).end();
    const result = await other.pass(job);
    const [outcome] = result.kind === 'ended' ? result.outcomes : [];
    const again = outcome?.kind === 'stored' ? outcome.file : await Promise.reject(new Error(result.kind));
    should(await fixture.files()).have.length(2);
    should(again.payload).equal(first.payload);
    should(again.recording).have.properties({ already_stored: true, attempts: 2 });
    const { sha256, size, stored_at, content_type, source_host } = first.recording;
    should(again.recording).have.properties({ sha256, size, stored_at, content_type, source_host });
    should(fixture.pauses).be.empty();

    const gone = { code: 'GAVE_UP' };
    const reference = { ...recordingAt(`${server.url}/a.wav`), identity: 'telnyx:another' };
    await onlyFile(archiver().archive({ reference, format: 'any' })).should.be.rejectedWith(gone);
    await writeFile(String(first.payload), 'rotten');
    await onlyFile(archiver().archive(at('/a.wav'))).should.be.rejectedWith(gone);
  });

  describe('finds what another process stored when the API no longer knows the recording', () => {
    const gone = new CodedError('API_NOT_FOUND', 'The API says 404.');
    /** Like an event of Daily: only the API has links, and they do not show the format. */
    const video = (identity = 'daily:rec-1'): JobItem => {
      const reference = recordingAt();
      const details = { ...reference.details, format: 'mp4' };
      return { reference: { ...reference, kind: 'video', identity, details }, format: 'any' };
    };
    const movie = mp4({ size: 50_000, seed: 1 });
    const resolveLinks = (): Promise<MediaLink[]> =>
      Promise.resolve([mediaLink(`${server.url}/access?signed`, null)]);

    beforeEach(() => {
      answer = (_request, response) =>
        response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': movie.length }).end(movie);
    });

    it('before it has a link', async () => {
      const first = await onlyFile(archiver({}, { resolveLinks }).archive(video()));
      const other = archiver({ scope: 'other' }, { resolveLinks: () => Promise.reject(gone) });
      const again = await onlyFile(other.archive(video()));
      should(again.payload).equal(first.payload);
      const { sha256, size, stored_at, content_type, source_host } = first.recording;
      should(again.recording).have.properties({ sha256, size, stored_at, content_type, source_host });
      should(again.recording).have.properties({ already_stored: true, attempts: 1 });
      should(await fixture.files()).have.length(2);
      should(server.requests).have.length(1);
    });

    it('when its link stops working', async () => {
      const first = await onlyFile(archiver({}, { resolveLinks }).archive(video()));
      answer = (_request, response) => response.writeHead(404).end();
      const again = await onlyFile(archiver({ scope: 'other' }, { resolveLinks }).archive(video()));
      should(again.payload).equal(first.payload);
      should(again.recording).have.property('already_stored', true);
    });

    it('while it asks for another link', async () => {
      const reference = { ...video().reference, links: await resolveLinks() };
      const storeAndDelete = async (): Promise<MediaLink[]> => {
        answer = (_request, response) =>
          response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': movie.length }).end(movie);
        await onlyFile(archiver({}, { resolveLinks }).archive(video()));
        throw gone;
      };
      answer = (_request, response) => response.writeHead(410).end();
      const other = archiver({ scope: 'other' }, { resolveLinks: storeAndDelete });
      should((await onlyFile(other.archive({ reference, format: 'any' }))).recording).have.property(
        'already_stored',
        true
      );
    });

    it('under a name that another recording also has', async () => {
      const filename = compileFilename('{{year}}/call.{{ext}}');
      await onlyFile(archiver({ filename }, { resolveLinks }).archive(video('daily:rec-0')));
      movie.writeUInt8(1, movie.length - 1);
      const first = await onlyFile(archiver({ filename }, { resolveLinks }).archive(video()));
      should(String(first.payload)).endWith('call_2.mp4');
      const other = archiver({ filename, scope: 'other' }, { resolveLinks: () => Promise.reject(gone) });
      should((await onlyFile(other.archive(video()))).payload).equal(first.payload);
    });

    it('in all its formats', async () => {
      const audio: JobItem = { reference: recordingAt(), format: 'all' };
      const links = (): Promise<MediaLink[]> =>
        Promise.resolve(recordingAt(`${server.url}/a.mp3`, `${server.url}/a.wav`).links);
      answer = (request, response) => {
        const isWav = request.url === '/a.wav';
        response.writeHead(200, { 'content-type': isWav ? 'audio/wav' : 'audio/mpeg' });
        response.end(isWav ? bytes : mp3Media({ title: '', seconds: 1, channels: 1 }).bytes());
      };
      await archiver({}, { resolveLinks: links }).archive(audio);
      const other = archiver({ scope: 'other' }, { resolveLinks: () => Promise.reject(gone) });
      const outcomes = await other.archive(audio);
      should(outcomes.map((outcome) => outcome.ok && path.extname(String(outcome.file.payload)))).eql([
        '.mp3',
        '.wav'
      ]);
      const wav = await onlyFile(
        archiver({ scope: 'third' }, { resolveLinks: () => Promise.reject(gone) }).archive({
          ...audio,
          format: 'wav'
        })
      );
      should(String(wav.payload)).endWith('.wav');
    });

    it('but not another recording or a damaged one', async () => {
      const first = await onlyFile(archiver({}, { resolveLinks }).archive(video()));
      const other = archiver({ scope: 'other' }, { resolveLinks: () => Promise.reject(gone) });
      const refused = { code: 'API_NOT_FOUND' };
      await onlyFile(other.archive(video('daily:rec-2'))).should.be.rejectedWith(refused);
      await writeFile(String(first.payload), 'rotten');
      await onlyFile(other.archive(video())).should.be.rejectedWith(refused);
    });
  });

  it('does not repeat what cannot succeed, and leaves nothing behind', async () => {
    answer = (_request, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>no</html>');
    await onlyFile(archiver().archive(at('/a.wav'))).should.be.rejectedWith({ code: 'NOT_MEDIA' });
    server.requests.should.have.length(1);
    (await fixture.files()).should.eql([]);
  });

  it('uses the second address when the first fails', async () => {
    answer = (request, response) => {
      if (request.url === '/first.wav') response.writeHead(410).end();
      else sendAll(response);
    };
    await onlyFile(archiver().archive(at('/first.wav', '/second.wav')));
    server.requests.should.eql(['/first.wav', '/second.wav']);
  });

  it('asks for fresh links once when all fail', async () => {
    answer = (request, response) => {
      if (request.url === '/fresh.wav') sendAll(response);
      else response.writeHead(410).end();
    };
    const asked: string[] = [];
    const resolveLinks = (_reference: unknown, why: string) => {
      asked.push(why);
      return Promise.resolve(recordingAt(`${server.url}/other.mp3`, `${server.url}/fresh.wav`).links);
    };
    await onlyFile(archiver({}, { resolveLinks }).archive(at('/old.wav')));
    asked.should.eql(['dead']);
    server.requests.should.eql(['/old.wav', '/fresh.wav']);
  });

  it('waits when a fresh link does not work yet either, then asks again', async () => {
    answer = (request, response) => {
      if (request.url === '/fresh2.wav') sendAll(response);
      else response.writeHead(410).end();
    };
    let asked = 0;
    const resolveLinks = () => {
      asked += 1;
      return Promise.resolve(recordingAt(`${server.url}/fresh${asked}.wav`).links);
    };
    await onlyFile(archiver({}, { resolveLinks }).archive(at('/old.wav')));
    server.requests.should.eql(['/old.wav', '/fresh1.wav', '/fresh1.wav', '/fresh2.wav']);
    fixture.pauses.should.eql([1000]);
  });

  const DENIED =
    '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>';
  const REFUSALS: [string, (response: ServerResponse) => void][] = [
    ['403 with a page', (response) => response.writeHead(403).end('no')],
    ['403 in the form of S3', (response) => response.writeHead(403).end(DENIED)],
    ['404', (response) => response.writeHead(404).end()]
  ];
  for (const [name, refuse] of REFUSALS) {
    it(`asks for one fresh link when the old one is rejected: ${name}`, async () => {
      answer = (request, response) => {
        if (request.url === '/fresh.wav') sendAll(response);
        else refuse(response);
      };
      let asked = 0;
      const resolveLinks = () => {
        asked += 1;
        return Promise.resolve(recordingAt(`${server.url}/fresh.wav`).links);
      };
      await onlyFile(archiver({}, { resolveLinks }).archive(at('/old.wav')));
      asked.should.equal(1);
      server.requests.should.eql(['/old.wav', '/fresh.wav']);
      fixture.pauses.should.eql([]);
    });

    it(`asks once per failure, then waits: ${name}`, async () => {
      answer = (_request, response) => refuse(response);
      let asked = 0;
      const resolveLinks = () => {
        asked += 1;
        return Promise.resolve(recordingAt(`${server.url}/fresh${asked}.wav`).links);
      };
      await onlyFile(
        archiver({ retries: 1 }, { resolveLinks }).archive(at('/old.wav'))
      ).should.be.rejectedWith({
        code: 'GAVE_UP'
      });
      server.requests.should.eql(['/old.wav', '/fresh1.wav', '/fresh1.wav', '/fresh2.wav']);
      fixture.pauses.should.have.length(1);
    });
  }

  it('uses a link that the API just returned, although it has expired by the clock of this machine', async () => {
    answer = (_request, response) => sendAll(response);
    const over = '?X-Amz-Date=20260304T000000Z&X-Amz-Expires=600';
    const resolveLinks = () => Promise.resolve(recordingAt(`${server.url}/fresh.wav${over}`).links);
    await onlyFile(archiver({}, { resolveLinks }).archive(at(`/old.wav${over}`)));
    server.requests.should.eql([`/fresh.wav${over}`]);
  });

  it('retries the old link when the file may not exist yet and there is no fresh link', async () => {
    answer = (_request, response) => {
      if (server.requests.length < 3) response.writeHead(403).end(DENIED);
      else sendAll(response);
    };
    const resolveLinks = () => Promise.reject(new CodedError('LINK_EXPIRED', 'Put a key into the account.'));
    await onlyFile(archiver({}, { resolveLinks }).archive(at('/old.wav')));
    server.requests.should.eql(['/old.wav', '/old.wav', '/old.wav']);
  });

  it('reports why the old link failed when there is no fresh one', async () => {
    answer = (_request, response) => response.writeHead(410).end();
    const resolveLinks = () => Promise.reject(new CodedError('LINK_EXPIRED', 'Put a key into the account.'));
    await onlyFile(archiver({}, { resolveLinks }).archive(at('/old.wav'))).should.be.rejectedWith({
      code: 'LINK_REFUSED',
      message: /410.*Put a key/
    });
  });

  it('asks for links when the event has none', async () => {
    answer = (_request, response) => sendAll(response);
    const resolveLinks = (_reference: unknown, why: string) =>
      Promise.resolve(why === 'missing' ? recordingAt(`${server.url}/found.wav`).links : []);
    await onlyFile(archiver({}, { resolveLinks }).archive(at()));
    server.requests.should.eql(['/found.wav']);
  });

  it('resumes where a broken transfer ended', async () => {
    answer = (request, response) => {
      const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      response.setHeader('etag', '"one"');
      response.setHeader('content-type', 'audio/wav');
      response.setHeader('content-length', bytes.length - from);
      if (from > 0) {
        response.setHeader('content-range', `bytes ${from}-${bytes.length - 1}/${bytes.length}`);
        response.writeHead(206).end(bytes.subarray(from));
      } else {
        response.writeHead(200);
        response.write(bytes.subarray(0, 100_000), () => response.destroy());
      }
    };
    const { recording, payload } = await onlyFile(archiver().archive(at('/a.wav')));
    recording.should.have.properties({ attempts: 2, resumed: true, size: bytes.length });
    (await readFile(payload)).equals(bytes).should.be.true();
  });

  it('does not fetch a stored file again when only its sidecar failed', async () => {
    answer = (_request, response) => sendAll(response);
    let writes = 0;
    const sidecars: typeof folderSidecar = {
      ...folderSidecar,
      write: (...args) => {
        writes += 1;
        if (writes > 1) return folderSidecar.write(...args);
        return Promise.reject(new CodedError('STORE_FAILED', 'disk full', { retryable: true }));
      }
    };
    const store = alteredStore(fixture.folder, ({ name, sha256, size, contentType }, publish) =>
      publish({ name, sha256, size, contentType })
    );
    const { recording, payload } = await onlyFile(
      archiver({}, { store: { ...store, sidecars } }).archive(at('/a.wav'))
    );
    recording.attempts.should.equal(2);
    recording.already_stored.should.be.false();
    server.requests.should.have.length(1);
    should(JSON.parse(await readFile(`${payload as string}.json`, 'utf8'))).eql(recording);
  });

  it('writes the sidecar once, with the details of the message', async () => {
    answer = (_request, response) => sendAll(response);
    const store = createFolderStore({ folder: fixture.folder, owner: testOwner() });
    const sidecars = { ...folderSidecar, write: () => Promise.reject(new Error('written already')) };
    const { recording, payload } = await onlyFile(
      archiver({}, { store: { ...store, sidecars } }).archive(at('/a.wav'))
    );
    recording.should.have.properties({ path: payload, sidecar: `${payload as string}.json`, attempts: 1 });
    should(JSON.parse(await readFile(recording.sidecar!, 'utf8'))).eql(recording);
  });

  it('sends the authorization that a link needs', async () => {
    let seen: string | undefined;
    answer = (request, response) => {
      seen = request.headers.authorization;
      sendAll(response);
    };
    await onlyFile(archiver({}, { authorize: () => 'Bearer k' }).archive(at('/a.wav')));
    should(seen).equal('Bearer k');
  });

  it('limits the number of transfers', async () => {
    answer = (_request, response) => sendAll(response);
    let running = 0;
    let most = 0;
    let meet: () => void = () => undefined;
    const met = new Promise<void>((resolve) => (meet = resolve));
    const archive = archiver(
      { concurrency: 2 },
      {
        transfer: async (request) => {
          running += 1;
          most = Math.max(most, running);
          if (running === 2) meet();
          await met;
          fixture.progress.summary().active.should.be.belowOrEqual(2);
          try {
            return await transfer(request);
          } finally {
            running -= 1;
          }
        }
      }
    );
    const jobs = Array.from({ length: 6 }, (_value, index) => {
      const reference = recordingAt(`${server.url}/${index}.wav`);
      reference.identity = `telnyx:${index}`;
      reference.details.recording_id = String(index);
      return onlyFile(archive.archive({ reference, format: 'any' }));
    });
    await Promise.all(jobs);
    most.should.equal(2);
    fixture.progress.summary().should.have.properties({ active: 0, waiting: 0, stored: 6 });
  });

  it('stops immediately when closed, and keeps the received bytes', async () => {
    const archive = archiver({ concurrency: 1 });
    const first = new Promise<void>((resolve) => {
      answer = (_request, response) => {
        response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': bytes.length });
        response.write(bytes.subarray(0, 100_000), () => resolve());
      };
    });
    const active = onlyFile(archive.archive(at('/a.wav')));
    const second = recordingAt(`${server.url}/b.wav`);
    second.identity = 'telnyx:rec-2';
    const queued = onlyFile(archive.archive({ reference: second, format: 'any' }));
    const failures = Promise.all(
      [active, queued].map((job) => job.should.be.rejectedWith({ message: 'closed' }))
    );
    await first;
    await archive.close();
    await failures;
    const left = await fixture.files();
    left.every((name) => path.dirname(name) === '.telnyx-partial').should.be.true();
  });
});
