import type { Socket } from 'node:net';
import should from 'should';
import { CodedError } from '../../../src/errors/coded-error';
import { faultOf, HttpStage } from './http-fixture';

/** More than a client reads ahead, but so little that the system accepts it from the server in one go. */
const SIZE = 1_400_000;
const BYTES = Buffer.alloc(SIZE, 'recording');

interface Variant {
  version: '1.0' | '1.1';
  connection: string;
  framing: 'length' | 'chunked' | 'close';
  end: 'FIN' | 'RST';
}

const HEADS = [
  ['1.1', 'Connection: close\r\n'],
  ['1.1', 'Connection: keep-alive\r\n'],
  ['1.0', ''],
  ['1.0', 'Connection: keep-alive\r\n']
] as const;
const VARIANTS: Variant[] = HEADS.flatMap(([version, connection]) =>
  (['length', 'chunked', 'close'] as const).flatMap((framing) =>
    (['FIN', 'RST'] as const).map((end) => ({ version, connection, framing, end }))
  )
);

/** Sends the beginning of a longer body, and ends the connection. */
function cut(socket: Socket, { version, connection, framing, end }: Variant, cutOff: () => void): void {
  const frame = {
    length: `Content-Length: ${2 * SIZE}\r\n`,
    chunked: 'Transfer-Encoding: chunked\r\n',
    close: ''
  }[framing];
  socket.write(`HTTP/${version} 200 OK\r\n${connection}${frame}\r\n`);
  if (framing === 'chunked') socket.write(`${(2 * SIZE).toString(16)}\r\n`);
  socket.write(BYTES, () => {
    if (end === 'RST') socket.resetAndDestroy();
    if (end === 'RST') cutOff();
    else socket.end(cutOff);
  });
}

/** Reads the first bytes, waits until the connection has ended, and reads the rest. */
async function readLate(stage: HttpStage, isCut: Promise<void>): Promise<number> {
  const { body } = await stage.ask({ stallTimeoutMs: 5000 });
  let size = 0;
  for await (const piece of body) {
    if (size === 0) await isCut;
    should(BYTES.subarray(size, size + piece.length).equals(piece)).be.true();
    size += piece.length;
  }
  return size;
}

describe('http/http-response: a connection that ends while the reader pauses', () => {
  let stage: HttpStage | undefined;
  afterEach(() => stage?.close());

  for (const variant of VARIANTS) {
    const { version, connection, framing, end } = variant;
    const endsWithConnection = framing === 'close' && end === 'FIN';
    const mayEnd = framing === 'close' && end === 'RST';
    const name = `HTTP/${version} ${connection.trim()} ${framing} ${end}`;
    it(`${endsWithConnection ? 'ends the body' : 'breaks it off'}: ${name}`, async () => {
      let cutOff: () => void = () => undefined;
      const isCut = new Promise<void>((resolve) => (cutOff = resolve));
      stage = await HttpStage.open((socket) => cut(socket, variant, cutOff));
      if (endsWithConnection) {
        should(await readLate(stage, isCut)).equal(SIZE);
        return;
      }
      const fault = await faultOf(
        readLate(stage, isCut).then((size) => {
          // Before Node.js 24 this looks like an end; the receiver must notice that something is missing.
          if (mayEnd && size < SIZE) throw new CodedError('TRUNCATED', 'as good as', { retryable: true });
          return size;
        })
      );
      should(fault).have.properties({ code: 'TRUNCATED', retryable: true });
    });
  }

  it('all cases at the same time, eight times', async () => {
    const all = Array.from({ length: 8 }, () => VARIANTS).flat();
    const cuts = all.map(() => {
      let cutOff: () => void = () => undefined;
      const isCut = new Promise<void>((resolve) => (cutOff = resolve));
      return { isCut, cutOff };
    });
    const byPath = (socket: Socket, number: number): void => {
      const index = Number(/index=(\d+)/.exec(stage?.server.requests[number - 1] ?? '')?.[1]);
      cut(socket, all[index]!, cuts[index]!.cutOff);
    };
    stage = await HttpStage.open(byPath);
    const { client, server } = stage;
    const { origin } = new URL(server.url);
    const ends = await Promise.all(
      all.map(async (variant, index) => {
        const { body } = await client.request({ origin, path: `/?index=${index}`, method: 'GET' });
        let size = 0;
        try {
          for await (const piece of body) {
            if (size === 0) await cuts[index]!.isCut;
            size += piece.length;
          }
        } catch (error) {
          return (error as CodedError).code;
        }
        if (variant.framing !== 'close') return 'wrong';
        return size === SIZE ? 'whole' : 'TRUNCATED';
      })
    );
    for (const [index, { framing, end }] of all.entries())
      should(ends[index]).equal(framing === 'close' && end === 'FIN' ? 'whole' : 'TRUNCATED');
  });
});
