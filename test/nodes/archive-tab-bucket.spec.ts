import { once } from 'node:events';
import { type IncomingMessage, type ServerResponse, get } from 'node:http';
import { DeleteObjectCommand, PutBucketVersioningCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import should from 'should';
import { archiveState } from '../../nodes/lib/archive-state';
import { type BucketStore, createBucketStore } from '../../src/store/bucket/bucket-store';
import type { NotedUpload } from '../../src/store/bucket/upload/upload-log';
import { S3_USER } from '../support/ceph';
import { LIES, LyingStore } from '../support/lying-store';
import { S3Server } from '../support/s3-server';
import { until } from '../support/until';
import { noise } from '../unit/store/bucket/bucket-fixture';
import { ArchiveTabStage, sha256Of } from './archive-tab-stage';

const MIB = 1024 * 1024;

describe('the routes of the tab Archive, for recordings in a bucket', () => {
  let stage: ArchiveTabStage;
  const stores: BucketStore[] = [];

  beforeEach(async () => {
    stage = await ArchiveTabStage.start();
  });
  afterEach(async () => {
    for (const store of stores.splice(0)) await store.close();
    await stage.end();
  });

  /** A download node that stores in a bucket. */
  function openStore(endpoint: string, bucket: string): BucketStore {
    const { database, buckets } = archiveState(stage.RED);
    const store = createBucketStore({
      settings: {
        ...{ endpoint, bucket, region: 'us-east-1', prefix: 'calls/', forcePathStyle: true },
        ...{ sse: '', kmsKeyId: null, credentials: S3_USER }
      },
      uploadLog: database.collection<NotedUpload>('bucket-uploads'),
      closingMs: 100
    });
    buckets.set('download', store);
    stores.push(store);
    return store;
  }

  /** Enters a recording that is an object. @returns its id in the requests of the tab */
  async function enter(store: BucketStore, bytes: Uint8Array, more: object = {}): Promise<string> {
    const { bucket } = store.settings;
    const place = { destination: 'bucket', path: undefined, bucket, key: 'calls/rec.mp3', ...more };
    await stage.index('rec', bytes, place, store.place);
    return (await stage.ids())['rec']!;
  }

  const errorOf = async (name: string, id: string): Promise<string> => {
    const { status, body } = await stage.post(name, { id });
    should(status).equal(400);
    return String(body['error']);
  };
  const verified = async (id: string): Promise<unknown> =>
    JSON.parse((await stage.post('verify', { id })).text.trim().split('\n').at(-1) ?? '');

  /** Asks for a whole file, and reads nothing yet. */
  async function begin(url: string): Promise<{ response: IncomingMessage; leave: () => void }> {
    const request = get(`http://127.0.0.1:${stage.port}/${url}`, { agent: false });
    request.on('error', () => undefined);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    response.on('error', () => undefined);
    return { response, leave: () => request.destroy() };
  }

  describe('of a real S3 server,', () => {
    let server: S3Server;
    let store: BucketStore;
    const bytes = noise(5 * MIB, 3);

    beforeEach(async function () {
      server = await S3Server.start(this);
      store = openStore(server.url, server.bucket);
    });
    afterEach(async () => {
      await (server as S3Server | undefined)?.close();
    });

    const put = async (body: Buffer, key = 'calls/rec.mp3'): Promise<string | undefined> => {
      const command = new PutObjectCommand({ Bucket: server.bucket, Key: key, Body: body });
      return (await server.direct.send(command)).VersionId;
    };

    it('play them with parts, and log the playback once', async () => {
      await put(bytes);
      const url = await stage.ticket(await enter(store, bytes));
      // As browsers ask: for all of it, and from where the user goes to; several at once.
      const parts = ['bytes=0-', 'bytes=3000000-', 'bytes=-1000', 'bytes=0-1', 'bytes=2097151-2097152'];
      await Promise.all(
        parts.map(async (range) => {
          const part = await stage.media(url, { headers: { range } });
          should(part.status).equal(206);
          const [, start, end] = /^bytes (\d+)-(\d+)\/5242880$/.exec(
            part.headers.get('content-range') ?? ''
          )!;
          const sent = Buffer.from(await part.arrayBuffer());
          should(sent.equals(bytes.subarray(Number(start), Number(end) + 1))).be.true(range);
        })
      );
      should((await stage.media(url, { headers: { range: 'bytes=5242880-' } })).status).equal(416);
      should((await stage.media(url, { method: 'HEAD' })).headers.get('content-length')).equal('5242880');
      should(stage.log).eql(['The user reader plays the recording rec.']);
    });

    it('begin with little, so that it begins soon', async () => {
      await put(bytes);
      const url = await stage.ticket(await enter(store, bytes));
      await (await stage.media(url)).arrayBuffer();
      const sizes = server.calls
        .map(({ headers }) => /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? ''))
        .map((range) => Number(range?.[2]) - Number(range?.[1]) + 1)
        .filter((size) => size > 1);
      should(sizes).eql([0.25, 0.5, 1, 2, 1.25].map((size) => size * MIB));
    });

    it('know names with all kinds of characters', async () => {
      const names = ['100 % #1?.mp3', '"quoted" \'it\'.mp3', 'Müller & Söhne+日本.mp3', '%2e%2e%2f;x.mp3'];
      for (const name of names) {
        const key = `calls/${name}`;
        await put(bytes.subarray(0, 100), key);
        const id = await enter(store, bytes.subarray(0, 100), { key });
        should((await stage.post('details', { id })).body['location']).equal(`s3://${server.bucket}/${key}`);
        const saved = await stage.media(await stage.ticket(id, 'save'));
        should(saved.status).equal(200);
        should((await saved.arrayBuffer()).byteLength).equal(100);
        const disposition = saved.headers.get('content-disposition') ?? '';
        should(decodeURIComponent(/filename\*=UTF-8''(.*)$/.exec(disposition)?.[1] ?? '')).equal(name);
        should(/filename="([^"]*)"/.exec(disposition)?.[1]).match(/^[\w.+ -]+$/);
        should(await verified(id)).have.property('sha256', sha256Of(bytes.subarray(0, 100)));
      }
    });

    it('show the text that is an object', async () => {
      const text = Buffer.from(
        'WEBVTT\n\n00:00.000 --> 00:01.000\n<img src=x onerror=alert(1)> späte Rechnung'
      );
      await put(text, 'calls/rec.vtt');
      const id = await enter(store, text, { key: 'calls/rec.vtt', format: 'vtt' });
      should((await stage.post('details', { id })).body).have.properties({
        text: text.toString(),
        plays: false
      });
    });

    it('say that an object is gone', async () => {
      await put(bytes);
      const id = await enter(store, bytes);
      const url = await stage.ticket(id);
      await server.direct.send(new DeleteObjectCommand({ Bucket: server.bucket, Key: 'calls/rec.mp3' }));
      for (const name of ['ticket', 'verify']) should(await errorOf(name, id)).match(/rec\.mp3 is not there/);
      should((await stage.media(url)).status).equal(404);
      should((await stage.post('details', { id })).status).equal(200);
    });

    it('never mix two objects in one playback, and show that the hash is another', async () => {
      await put(bytes);
      const id = await enter(store, bytes);
      const url = await stage.ticket(id);
      should((await stage.media(url, { headers: { range: 'bytes=0-9' } })).status).equal(206);
      const other = noise(bytes.length, 9);
      await put(other);
      const late = await stage.media(url, { headers: { range: 'bytes=10-19' } });
      should([late.status, await late.text()]).eql([
        404,
        'The file was replaced meanwhile. Open the recording again.'
      ]);
      should((await stage.media(await stage.ticket(id))).status).equal(200);
      should(await verified(id)).have.properties({ sha256: sha256Of(other), expected: sha256Of(bytes) });
      await put(other.subarray(1));
      should(await errorOf('ticket', id)).match(/was changed: it had 5242880 bytes .* has 5242879 now/);
    });

    it('break off when the object is replaced while it is sent', async () => {
      await put(bytes);
      const url = await stage.ticket(await enter(store, bytes));
      let isReplaced = false;
      server.pause = async ({ headers }) => {
        if (isReplaced || headers.range?.startsWith('bytes=262144-') !== true) return;
        isReplaced = true;
        await put(noise(bytes.length, 9));
      };
      await should((await stage.media(url)).arrayBuffer()).be.rejected();
      should(isReplaced).be.true();
      should(stage.log.at(-1)).match(/not sent to its end.*rec\.mp3 was replaced while it was read/);
    });

    it('play the version that was stored, whatever was written over it', async () => {
      await server.direct.send(
        new PutBucketVersioningCommand({
          Bucket: server.bucket,
          VersioningConfiguration: { Status: 'Enabled' }
        })
      );
      const version_id = await put(bytes);
      const id = await enter(store, bytes, { version_id });
      await put(noise(bytes.length, 9));
      const played = await stage.media(await stage.ticket(id));
      should(sha256Of(new Uint8Array(await played.arrayBuffer()))).equal(sha256Of(bytes));
      should(await verified(id)).have.property('sha256', sha256Of(bytes));
    });

    it('name the permission that the key lacks', async () => {
      await put(bytes);
      const id = await enter(store, bytes);
      server.fault = ({ name }) => (name === 'GetObject' ? { answer: 403, code: 'AccessDenied' } : undefined);
      for (const name of ['ticket', 'verify'])
        should(await errorOf(name, id)).match(/may not read s3:.*Permit s3:GetObject, and s3:ListBucket/);
      server.fault = () => ({ answer: 403, code: 'InvalidAccessKeyId' });
      should(await errorOf('ticket', id)).match(/does not know this access key ID/);
    });
  });

  describe('of a store that behaves oddly,', () => {
    let odd: LyingStore;
    let store: BucketStore;
    /** The store holds this many bytes, which it makes as they are asked for. */
    const SIZE = 200 * MIB;
    const unread = Buffer.alloc(2 * MIB, 7);
    let served = 0;

    beforeEach(async () => {
      odd = await LyingStore.start();
      store = openStore(odd.url, 'odd');
      served = 0;
    });
    afterEach(() => odd.close());

    /** @param slow takes over the answer to a part that begins behind this byte */
    const large = (slow: (response: ServerResponse) => void = () => undefined, from = Infinity): void => {
      odd.lie = ({ headers }, response) => {
        const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
        const [start, end] = [Number(first), Number(last) + 1];
        response.writeHead(206, {
          etag: '"large"',
          'content-length': end - start,
          'content-range': `bytes ${start}-${end - 1}/${SIZE}`
        });
        served += end - start;
        if (start >= from) slow(response);
        else response.end(unread.subarray(0, end - start));
        return true;
      };
    };
    const enterLarge = (): Promise<string> => enter(store, Buffer.alloc(0), { size: SIZE });

    it('ask for no more than the browser takes, and for nothing once it has gone', async () => {
      large();
      const { response, leave } = await begin(await stage.ticket(await enterLarge()));
      should(response.headers['content-length']).equal(String(SIZE));
      let before = -1;
      await until('the store to be left alone', () => {
        const isQuiet = served === before && served > MIB;
        before = served;
        return isQuiet || undefined;
      });
      should(served).be.below(16 * MIB);
      leave();
      // Another request and answer: what was to come has come.
      await (await stage.media(await stage.ticket((await stage.ids())['rec']!), { method: 'HEAD' })).text();
      const after = served;
      await stage.ids();
      should(served).equal(after);
    });

    it('send a large file with little memory', async () => {
      large();
      const url = await stage.ticket(await enterLarge());
      const begun = process.memoryUsage().arrayBuffers;
      let [most, size] = [0, 0];
      const { response } = await begin(url);
      for await (const piece of response) {
        size += (piece as Buffer).length;
        most = Math.max(most, process.memoryUsage().arrayBuffers - begun);
      }
      should(size).equal(SIZE);
      should(most).be.below(150 * MIB);
    });

    for (const what of ['a playback', 'a check'])
      it(`leave a store that does not go on, when the browser leaves ${what}`, async () => {
        const closed = new Promise<void>((resolve) => {
          large((response) => {
            response.write('x');
            response.once('close', resolve);
          }, MIB);
        });
        const id = await enterLarge();
        const gone = new AbortController();
        const asked =
          what === 'a playback'
            ? stage.media(await stage.ticket(id), { signal: gone.signal })
            : fetch(`http://127.0.0.1:${stage.port}/telnyx-sidebar/archive/verify`, {
                method: 'POST',
                headers: { 'content-type': 'application/json', authorization: 'Bearer reader' },
                body: JSON.stringify({ id }),
                signal: gone.signal
              });
        const reading = asked.then((answer) => answer.arrayBuffer());
        await until('a part that does not end', () => served > MIB || undefined);
        gone.abort();
        await should(reading).be.rejected();
        await closed;
        should(stage.log.join()).not.match(/not sent/);
      });

    for (const name of ['ignores Range and pours', 'cuts in the middle of an answer', 'is no HTTP'])
      it(`say so when it ${name}`, async () => {
        odd.lie = LIES[name];
        const id = await enter(store, Buffer.alloc(100));
        should(await errorOf('ticket', id)).match(/S3 store|bucket odd|was changed/);
      });
  });
});
