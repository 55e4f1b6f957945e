import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import should from 'should';
import { TelnyxStandIn } from '../../src/simulator/stand-in';
import { S3_USER } from '../support/ceph';
import { config } from '../support/flows';
import { nodeHelper } from '../support/node-helper';
import { S3Server } from '../support/s3-server';
import { ListStage } from './list-stage';

describe('telnyx-recording-list over an archive in a bucket', function () {
  this.timeout(60_000);
  let stage: ListStage;
  let standIn: TelnyxStandIn;
  let server: S3Server;
  const closing: (() => Promise<void>)[] = [];

  before(async function () {
    server = await S3Server.start(this);
    closing.push(() => server.close());
    standIn = new TelnyxStandIn();
    await standIn.start();
    closing.push(() => standIn.stop());
    stage = await ListStage.make();
    closing.push(() => stage.remove());
    process.env['TELNYX_API_KEY'] = standIn.apiKey;
  });
  after(async () => {
    for (const end of closing.reverse()) await end();
    delete process.env['TELNYX_API_KEY'];
  });

  async function load(): Promise<void> {
    const download = { destination: 'bucket', bucket: 'bucket' };
    await stage.load(
      [
        ...stage.flow(standIn.apiUrl, {}, { download }),
        config('bucket', 'telnyx-bucket', {
          endpoint: server.url,
          bucket: server.bucket,
          prefix: 'calls',
          forcePathStyle: true
        })
      ],
      { bucket: { accessKeyId: S3_USER.accessKeyId, secretAccessKey: S3_USER.secretAccessKey } }
    );
  }

  it('knows what is there, finds what is gone or changed, and has it fetched again', async () => {
    for (let count = 0; count < 15; count += 1) standIn.addRecording({ seconds: 0.1 });
    await load();
    const stored = stage.messages('stored');
    should((await stage.run()).summary).have.properties({ listed: 15, missing: 15, emitted: 15 });
    await stage.storedAll(stored, 15);
    const again = await stage.run({ verify: true });
    should(again.summary).have.properties({ stored: 15, missing: 0, emitted: 0, complete: true });
    should(again.summary!.verify).eql({ files: 15, intact: 15, changed: 0, missing: 0, unreadable: 0 });

    const [gone = '', changed = ''] = stored.map(({ recording }) => (recording as { key: string }).key);
    await server.direct.send(new DeleteObjectCommand({ Bucket: server.bucket, Key: gone }));
    await server.direct.send(new PutObjectCommand({ Bucket: server.bucket, Key: changed, Body: 'rotten' }));
    const { summary } = await stage.run({ verify: 'only' });
    should(summary!.verify).eql({ files: 15, intact: 13, changed: 1, missing: 1, unreadable: 0 });
    await stage.storedAll(stored, 17);
    // What was changed stays as evidence.
    (await server.bytes(changed)).toString().should.equal('rotten');
    const last = await stage.run({ verify: true });
    should(last.summary).have.properties({ listed: 15, stored: 15, emitted: 0, complete: true });
    should(last.summary!.verify).eql({ files: 15, intact: 15, changed: 0, missing: 0, unreadable: 0 });
  });

  it('fetches everything again when the state is lost, and stores nothing twice', async () => {
    const before = await server.keys();
    const contents = await Promise.all(before.map((key) => server.bytes(key)));
    await stage.unload();
    const userDir = await mkdtemp(path.join(tmpdir(), 'telnyx-user-dir-'));
    closing.push(async () => {
      await stage.unload();
      await rm(userDir, { recursive: true, force: true, maxRetries: 10 });
    });
    nodeHelper.settings({ userDir });
    await load();
    const stored = stage.messages('stored');
    should((await stage.run()).summary).have.properties({ listed: 15, stored: 0, missing: 15, emitted: 15 });
    await stage.storedAll(stored, 15);
    for (const { recording } of stored) should(recording).have.property('already_stored', true);
    should(await server.keys()).eql(before);
    // The sidecars too.
    for (const [index, key] of before.entries())
      should([key, (await server.bytes(key)).equals(contents[index]!)]).eql([key, true]);
    const again = await stage.run({ verify: true });
    should(again.summary).have.properties({ stored: 15, missing: 0, emitted: 0, complete: true });
    should(again.summary!.verify).have.property('intact', 15);
  });

  it('reports nothing as lost while the bucket cannot be reached', async () => {
    server.fault = () => ({ answer: 403, code: 'AccessDenied' });
    const { summary, completed } = await stage.run({ verify: 'only' });
    completed.should.be.true();
    should(summary).have.properties({ emitted: 0, complete: false });
    should(summary!.verify).eql({ files: 15, intact: 0, changed: 0, missing: 0, unreadable: 15 });
    summary!.errors[0]!.code.should.equal('STORE_FAILED');
  });
});
