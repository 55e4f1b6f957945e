import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import path from 'node:path';
import should from 'should';
import { TELNYX } from '../support/archive-source';
import { catchAll, node } from '../support/flows';
import { sha256 } from '../support/media';
import type { RecordedMessage } from '../support/node-red-process';
import { rawServer, type RawServer } from '../support/raw-server';
import { until } from '../support/until';
import { WebhookInstance } from '../support/webhook-instance';

const SIZE = 4_000_000;
/** The number of cuts of each recording before its source recovers. */
const CUTS = 2;
/** Milliseconds of the disk for each megabyte; the network needs one or two. */
const SLOW_DISK_MS = 250;

interface Variant {
  id: string;
  version: '1.0' | '1.1';
  connection: string;
  framing: 'length' | 'chunked' | 'none';
  end: 'FIN' | 'RST';
  bytes: Buffer;
  /** With an ETag a download resumes, without one it starts over. */
  etag: string | null;
}

const CONNECTIONS = [
  ['1.1', 'Connection: close\r\n'],
  ['1.1', 'Connection: keep-alive\r\n'],
  ['1.0', ''],
  ['1.0', 'Connection: keep-alive\r\n']
] as const;

const VARIANTS: Variant[] = CONNECTIONS.flatMap(([version, connection], number) =>
  (['length', 'chunked', 'none'] as const).flatMap((framing) =>
    (['FIN', 'RST'] as const).map((end) => ({ number, version, connection, framing, end }))
  )
).map(({ number, ...variant }, index) => ({
  ...variant,
  id: `${variant.framing}-${variant.end}-${number}`,
  bytes: TELNYX.file({ size: SIZE, seed: index + 1 }),
  etag: (index >> 1) % 2 === 0 ? `"${index}"` : null
}));

describe('recordings whose source hangs up while the disk is slower than the network', function () {
  this.timeout(180_000);
  let server: RawServer;
  let instance: WebhookInstance;
  const asked = new Map<string, number>();

  /**
   * Sends four fifths of the requested bytes in the way of the variant, and hangs up; later sends all of them
   * properly.
   */
  function answer(socket: Socket, head: string): void {
    const id = /^GET \/([^/?]+)\.wav\?/.exec(head)?.[1] ?? '';
    const variant = VARIANTS.find((each) => each.id === id);
    if (variant === undefined) {
      socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const { bytes, etag } = variant;
    const count = (asked.get(id) ?? 0) + 1;
    asked.set(id, count);
    const range = /\r\nrange: bytes=(\d+)-\r\n/i.exec(head)?.[1];
    const from = Number(range ?? 0);
    const isCut = count <= CUTS;
    const about =
      `HTTP/${isCut ? variant.version : '1.1'} ${range === undefined ? '200 OK' : '206 Partial Content'}\r\n` +
      'Content-Type: audio/wav\r\n' +
      (etag === null ? '' : `ETag: ${etag}\r\n`) +
      (range === undefined ? '' : `Content-Range: bytes ${from}-${bytes.length - 1}/${bytes.length}\r\n`);
    if (isCut) cut(socket, variant, about, bytes.subarray(from));
    else {
      socket.write(`${about}Content-Length: ${bytes.length - from}\r\n\r\n`);
      socket.write(bytes.subarray(from));
    }
  }

  function cut(socket: Socket, { connection, framing, end }: Variant, about: string, rest: Buffer): void {
    const frame = {
      length: `Content-Length: ${rest.length}\r\n`,
      chunked: 'Transfer-Encoding: chunked\r\n',
      none: ''
    }[framing];
    socket.write(`${about}${connection}${frame}\r\n`);
    if (framing === 'chunked') socket.write(`${rest.length.toString(16)}\r\n`);
    socket.write(rest.subarray(0, Math.floor(0.8 * rest.length)), () => {
      if (end === 'RST') socket.resetAndDestroy();
    });
    if (end === 'FIN') socket.end();
  }

  before(async () => {
    server = await rawServer((socket, number) => answer(socket, server.requests[number - 1] ?? ''));
    instance = await WebhookInstance.start({
      nodeArgs: ['--require', path.join(__dirname, '../support/slow-disk.cjs')],
      env: { SLOW_DISK_MS: String(SLOW_DISK_MS) },
      flow: [
        ...TELNYX.nodes('', ['archive']),
        node('archive', 'telnyx-recording-download', {
          ...TELNYX.download,
          destination: 'folder',
          folder: 'archive',
          filename: '{{recording_id}}.{{ext}}',
          sidecar: true,
          retries: 8,
          concurrency: VARIANTS.length,
          network: 'any',
          answer: 'queued',
          wires: [['seen']]
        }),
        ...catchAll()
      ]
    });
  });
  after(async () => {
    await instance.stop();
    await server.close();
  });

  it(`are stored completely in the end, ${VARIANTS.length} at the same time, and Node-RED keeps running`, async () => {
    const { pid } = instance.nodeRed;
    const { origin } = new URL(server.url);
    await Promise.all(
      VARIANTS.map(async ({ id }) => {
        const delivery = TELNYX.delivery({ id, storage: origin });
        should((await instance.deliver(delivery, TELNYX.path)).status).equal(200);
      })
    );
    const told = (id: string): RecordedMessage | undefined =>
      instance.nodeRed.recorded().find(({ recording }) => recording?.['recording_id'] === id);
    for (const { id, bytes, etag } of VARIANTS) {
      const look = (): RecordedMessage | undefined => {
        if (!instance.nodeRed.alive) throw new Error(`Node-RED ended:\n${instance.nodeRed.log}`);
        return told(id);
      };
      const message = await until(`the recording ${id}`, look, { deadline: 120_000 });
      const copy = readFileSync(String(message.payload));
      should([copy.length, sha256(copy)]).eql([bytes.length, sha256(bytes)]);
      should(message.recording).have.properties({
        sha256: sha256(bytes),
        size: bytes.length,
        attempts: CUTS + 1,
        already_stored: false
      });
      should([id, asked.get(id)]).eql([id, CUTS + 1]);
      if (etag === null) should(message.recording).have.property('resumed', false);
    }
    should(instance.nodeRed.recorded()).have.length(VARIANTS.length);
    should(instance.nodeRed.recorded('errors.jsonl')).be.empty();
    should(instance.nodeRed.pid).equal(pid);
    should(instance.nodeRed.log.match(/Started flows/g)).have.length(1);
    should(instance.nodeRed.log).not.match(/uncaught|assert|MaxListeners/i);
  });
});
