import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import type { NotedUpload } from '../../../src/store/bucket/upload/upload-log';
import { createBucketStore } from '../../../src/store/bucket/bucket-store';
import type { Destination } from '../../../src/store/destination';
import { createFolderStore } from '../../../src/store/folder/folder-store';
import { createMessageStore } from '../../../src/store/message/message-store';
import { StateDatabase } from '../../../src/state/state-database';
import { sha256 } from '../../support/media';
import { publish, publishBytes, readAll, testOwner } from './folder/store-fixture';

describe('destinations', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'telnyx-destination-'));
  const database = new StateDatabase(path.join(directory, 'state'));
  const settings = {
    endpoint: 'http://127.0.0.1:1',
    region: 'us-east-1',
    bucket: 'calls',
    prefix: 'a/',
    forcePathStyle: true,
    sse: null,
    kmsKeyId: null,
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'example' }
  } as unknown as Parameters<typeof createBucketStore>[0]['settings'];
  const all: Destination[] = [
    createFolderStore({ folder: path.join(directory, 'archive'), owner: testOwner() }),
    createBucketStore({ settings, uploadLog: database.collection<NotedUpload>('bucket-uploads') }),
    createMessageStore()
  ];
  after(async () => {
    for (const destination of all) await destination.close();
    await database.close();
    rmSync(directory, { recursive: true });
  });

  it('declare what they can do', () => {
    all
      .map(({ kind, capabilities }) => [kind, capabilities])
      .should.eql([
        ['folder', { canReadBack: true, canSetAside: true, canPublishAside: true }],
        ['bucket', { canReadBack: true, canSetAside: false, canPublishAside: false }],
        ['message', { canReadBack: false, canSetAside: false, canPublishAside: false }]
      ]);
  });

  it('have one place each, and return the location of a name in it', () => {
    all
      .map((destination) => [destination.place, destination.locationOf('b/c.mp3')])
      .should.eql([
        [path.join(directory, 'archive'), path.join(directory, 'archive/b/c.mp3')],
        ['s3://calls/a/ at http://127.0.0.1:1', 's3://calls/a/b/c.mp3'],
        ['message', null]
      ]);
  });

  it('reject unsupported operations instead of pretending', async () => {
    for (const destination of all) {
      const { canReadBack, canSetAside } = destination.capabilities;
      const location = String(destination.locationOf('b/c.mp3'));
      if (!canReadBack) await destination.readBack(location).should.be.rejectedWith({ code: 'STORE_FAILED' });
      if (!canSetAside) should(await destination.setAside(location, { expected: 'a', fresh: 'a' })).be.null();
    }
    const [message] = all.slice(-1);
    await message!.transcripts.create('x', 'y').should.be.rejectedWith({ code: 'STORE_FAILED' });
    should(await message!.sidecars.read('x')).be.null();
    const copy = { location: 'x', sha256: 'a'.repeat(64), size: 1, versionId: null, text: null };
    should(await message!.erase(copy, () => Promise.resolve())).equal(0);
  });

  describe('that need no server and can read copies back', () => {
    const bytes = Buffer.from('the recording');
    const other = Buffer.from('another recording');
    // A bucket needs a server: `bucket/bucket-store.slow.spec.ts`.
    const local = all.filter(({ kind, capabilities }) => kind !== 'bucket' && capabilities.canReadBack);

    for (const destination of local) {
      const { kind } = destination;

      it(`${kind}: keeps a copy invisible before it is published and after it is discarded`, async () => {
        const part = await destination.openPart('unseen');
        await part.write(bytes);
        const location = destination.locationOf('unseen.mp3');
        const isUnseen = async (): Promise<void> => {
          if (location === null) return;
          await destination.readBack(location).should.be.rejectedWith({ code: 'STORE_FAILED' });
        };
        await isUnseen();
        await part.discard();
        await isUnseen();
      });

      it(`${kind}: resumes or restarts a suspended copy, and reads back what was written`, async () => {
        const begun = await destination.openPart('resumed');
        await begun.write(bytes.subarray(0, 4));
        await begun.suspend();
        const part = await destination.openPart('resumed');
        should(await readAll(part)).eql(bytes.subarray(0, part.size));
        await part.write(bytes.subarray(part.size));
        const { location } = await publish(part, 'resumed.mp3', bytes);
        const copy = await destination.readBack(location!);
        should(copy).eql({ sha256: sha256(bytes), size: bytes.length });
      });

      it(`${kind}: stores the same bytes under a name once, and never replaces a file`, async () => {
        const first = await publishBytes(destination, 'first', 'calls/a.mp3', bytes);
        const again = await publishBytes(destination, 'again', 'calls/a.mp3', bytes);
        const second = await publishBytes(destination, 'second', 'calls/a.mp3', other);
        should(again).eql({ ...first, alreadyStored: true });
        should(second).have.property('alreadyStored', false);
        should(second.location).not.equal(first.location);
        should((await destination.readBack(first.location!)).sha256).equal(sha256(bytes));
        should((await destination.readBack(second.location!)).sha256).equal(sha256(other));
      });
    }
  });

  it('sweep without waiting for an unreachable bucket', async () => {
    for (const destination of all) should(await destination.sweep(() => false)).equal(0);
  });
});
