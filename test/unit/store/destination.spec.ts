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
import { testOwner } from './folder/store-fixture';

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
  });

  it('sweep without waiting for an unreachable bucket', async () => {
    for (const destination of all) should(await destination.sweep(() => false)).equal(0);
  });
});
