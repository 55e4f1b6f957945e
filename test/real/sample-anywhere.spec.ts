import { once } from 'node:events';
import { type IncomingMessage } from 'node:http';
import { request } from 'node:https';
import should from 'should';
import { certificate } from '../support/certificate';
import { config, node, recorder, tab } from '../support/flows';
import { LyingStore } from '../support/lying-store';
import { sha256 } from '../support/media';
import { NodeRedProcess } from '../support/node-red-process';
import { requireProgram } from '../support/real-parts';
import { until } from '../support/until';

/** Everything that keeps deliveries from a webhook node keeps no sample from it. */
const CLOSED = `
  module.exports.httpNodeMiddleware = (_request, response) => response.status(418).end();
  module.exports.httpStatic = [];
`;

describe('a sample in a subflow, behind https, a password and a middleware, into a bucket', function () {
  this.timeout(120_000);
  let store: LyingStore;
  let nodeRed: NodeRedProcess;

  before(async function () {
    const { key, cert } = certificate(requireProgram(this, 'openssl'), 'IP:127.0.0.1');
    store = await LyingStore.start();
    const { id, ...webhook } = node('inner', 'telnyx-webhook-in', {
      ...{ account: '', path: '/samples', reply: 'at-once', z: 'subflow', wires: [[]] }
    });
    nodeRed = await NodeRedProcess.start({
      httpNodeRoot: '/hooks',
      httpNodeAuth: { user: 'caller', password: 'a password' },
      settingsCode: `${CLOSED} module.exports.https = ${JSON.stringify({
        key: key.toString(),
        cert: cert.toString()
      })};`,
      flow: [
        tab(),
        {
          ...{ id: 'subflow', type: 'subflow', name: 'Calls', info: '', in: [] },
          out: [{ x: 300, y: 100, wires: [{ id, port: 0 }] }]
        },
        { id, ...webhook },
        node('instance', 'subflow:subflow', { wires: [['archive']] }),
        config('bucket', 'telnyx-bucket', {
          ...{ endpoint: store.url, region: '', bucket: 'samples', prefix: 'tries', forcePathStyle: true },
          ...{ sse: '', kmsKeyId: '', credentials: { accessKeyId: 'key', secretAccessKey: 'secret' } }
        }),
        node('archive', 'telnyx-recording-download', {
          ...{ destination: 'bucket', bucket: 'bucket', retries: 0, network: 'public-https' },
          wires: [['seen']]
        }),
        ...recorder()
      ]
    });
  });
  after(async () => {
    // Both are missing when there is no openssl.
    await (nodeRed as NodeRedProcess | undefined)?.stop();
    await (store as LyingStore | undefined)?.close();
  });

  async function ask(where: string, body: object): Promise<{ status: number; text: string }> {
    const outgoing = request(`https://127.0.0.1:${nodeRed.port}${where}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      rejectUnauthorized: false
    });
    outgoing.end(JSON.stringify(body));
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    const pieces: Buffer[] = [];
    for await (const piece of response) pieces.push(piece as Buffer);
    return { status: response.statusCode ?? 0, text: Buffer.concat(pieces).toString() };
  }

  it('is stored, and says what it is', async () => {
    const { status, text } = await ask('/telnyx-webhook-in/sample', {
      id: 'inner',
      event: 'call.recording.saved'
    });
    should(status).equal(200, text);
    should(JSON.parse(text)).match({ event_type: 'call.recording.saved', isWired: true, answer: null });
    const [message] = await nodeRed.messages(1);
    const { recording, payload } = message!;
    should(recording).match({ sample: true, bucket: 'samples', destination: 'bucket' });
    const object = store.objects.get(String(recording?.['key']))!;
    should(sha256(object)).equal(recording?.['sha256']);
    should(payload).equal(`s3://samples/${String(recording?.['key'])}`);
    const sidecar = JSON.parse(store.objects.get(`${String(recording?.['key'])}.json`)!.toString()) as object;
    should(sidecar).have.property('sample', true);
  });

  it('is marked in the archive, and left out of the totals of today', async () => {
    // The index learns of it a moment after the flow.
    const found = await until('the recording in the archive', async () => {
      const { text: told } = await ask('/telnyx-sidebar/archive/search', {});
      const page = JSON.parse(told) as { rows: { id: string }[] };
      return page.rows.length === 1 ? page : undefined;
    });
    should(found.rows[0]).have.property('isSample', true);
    const { text } = await ask('/telnyx-sidebar/archive/ticket', { id: found.rows[0]!.id, use: 'play' });
    should(JSON.parse(text)).have.property('url');
    const now = request(`https://127.0.0.1:${nodeRed.port}/telnyx-sidebar/now`, {
      rejectUnauthorized: false
    });
    now.end();
    const [response] = (await once(now, 'response')) as [IncomingMessage];
    const pieces: Buffer[] = [];
    for await (const piece of response) pieces.push(piece as Buffer);
    should(JSON.parse(Buffer.concat(pieces).toString())).match({ quarters: [], deliveries: [] });
  });
});
