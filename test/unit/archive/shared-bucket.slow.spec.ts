import should from 'should';
import { CodedError } from '../../../src/errors/coded-error';
import { mediaLink } from '../../../src/recording/recording-reference';
import { type LocalServer, localServer, mp4 } from '../../support/media';
import { TestBucket } from '../store/bucket/bucket-fixture';
import { ArchiveFixture, type TestArchiver, onlyFile, recordingAt } from './archive-fixture';

describe('archivers of two processes with one bucket', () => {
  const bytes = mp4({ size: 50_000, seed: 1 });
  let fixture: ArchiveFixture;
  let server: LocalServer;
  let archivers: TestArchiver[];

  beforeEach(async () => {
    archivers = [];
    fixture = await ArchiveFixture.create();
    server = await localServer((_request, response) =>
      response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': bytes.length }).end(bytes)
    );
  });
  afterEach(async () => {
    await Promise.all(archivers.map((each) => each.close()));
    await TestBucket.removeAll();
    await server.close();
    await fixture.remove();
  });

  for (const isVersioned of [false, true])
    it(`find what the other deleted at the source${isVersioned ? ', by its version' : ''}`, async function () {
      const bucket = await TestBucket.create(this);
      if (isVersioned) await bucket.keepVersions();
      const { details, ...reference } = recordingAt();
      const job = {
        reference: { ...reference, kind: 'video', details: { ...details, format: 'mp4' } },
        format: 'any'
      } as const;
      const archiver = (links: 'there' | 'gone'): TestArchiver => {
        const store = bucket.store();
        const made = fixture.archiver(
          { scope: links },
          {
            store,
            resolveLinks: () =>
              links === 'there'
                ? Promise.resolve([mediaLink(server.url, null)])
                : Promise.reject(new CodedError('API_NOT_FOUND', 'The API says 404.'))
          }
        );
        archivers.push(made);
        return made;
      };
      const first = await onlyFile(archiver('there').archive(job));
      const again = await onlyFile(archiver('gone').archive(job));
      should(again.payload).equal(first.payload);
      const { sha256, size, key, version_id, stored_at } = first.recording;
      should(again.recording).have.properties({ sha256, size, key, stored_at, already_stored: true });
      should(again.recording.version_id).equal(version_id);
      should(typeof version_id).equal(isVersioned ? 'string' : 'object');
    });
});
