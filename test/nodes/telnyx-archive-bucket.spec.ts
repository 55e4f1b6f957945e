import { ListObjectVersionsCommand, PutBucketVersioningCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import should from 'should';
import { S3_USER } from '../support/ceph';
import { config } from '../support/flows';
import { nodeHelper } from '../support/node-helper';
import { S3Server } from '../support/s3-server';
import { ArchiveStage } from './archive-stage';

const CASE = { id: 'case 7', reason: 'a complaint', by: 'legal' };

describe('telnyx-archive with a versioned bucket', function () {
  this.timeout(120_000);
  let server: S3Server;
  let stage: ArchiveStage;

  beforeEach(async function () {
    server = await S3Server.start(this);
    await server.direct.send(
      new PutBucketVersioningCommand({
        Bucket: server.bucket,
        VersioningConfiguration: { Status: 'Enabled' }
      })
    );
    stage = new ArchiveStage();
  });
  afterEach(async () => {
    await stage.remove();
    await server.close();
  });

  const load = (
    archive: object,
    download: object = { destination: 'bucket', bucket: 'bucket' }
  ): Promise<void> =>
    stage.load(archive, {
      download,
      nodes: [
        config('bucket', 'telnyx-bucket', {
          ...{ endpoint: server.url, bucket: server.bucket, prefix: 'calls', forcePathStyle: true }
        })
      ],
      credentials: { bucket: S3_USER }
    });

  /** Versions and delete markers of all objects of recordings. */
  async function versions(): Promise<number> {
    const { Versions = [], DeleteMarkers = [] } = await server.direct.send(
      new ListObjectVersionsCommand({ Bucket: server.bucket, Prefix: 'calls/rec-' })
    );
    return Versions.length + DeleteMarkers.length;
  }

  it('deletes every version of a file and its sidecar, and none of what is held', async () => {
    await load({ action: 'sweep', bucket: 'bucket' });
    for (const id of ['rec-1', 'rec-2']) await stage.store(id);
    // Somebody wrote over the sidecar.
    const body = await server.bytes('calls/rec-1.wav.json');
    await server.direct.send(
      new PutObjectCommand({ Bucket: server.bucket, Key: 'calls/rec-1.wav.json', Body: body })
    );
    should(await versions()).equal(5);
    await stage.ask({ action: 'hold', query: { recording_id: 'rec-2' }, case: CASE });
    should((await stage.ask({ dryRun: false })).payload).containEql({ deleted: 1, refused: 1, failed: 0 });
    should(await versions()).equal(2);
    should(await server.keys())
      .containEql('calls/rec-2.wav')
      .and.containEql('calls/rec-2.wav.json');
  });

  it('reaches a bucket of its own, and says which one it needs', async () => {
    await load({ action: 'sweep', bucket: 'bucket' });
    await stage.store('rec-1');
    await nodeHelper.unload();
    await load({ action: 'sweep' }, {});
    const { payload, error } = await stage.ask({ dryRun: false });
    should(payload).containEql({ deleted: 0, failed: 1, complete: false });
    should(error!.message).match(/"Bucket"/);
    await nodeHelper.unload();
    await load({ action: 'sweep', bucket: 'bucket' }, {});
    should((await stage.ask({ dryRun: false })).payload).containEql({ deleted: 1, failed: 0 });
    should(await versions()).equal(0);
  });
});
