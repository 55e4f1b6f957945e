import { once } from 'node:events';
import { type Socket, connect } from 'node:net';
import should from 'should';
import { until } from '../support/until';
import { ArchiveTabStage } from './archive-tab-stage';

/** More than the system buffers of a connection. */
const BYTES = Buffer.alloc(32 * 1024 * 1024);

describe('players that stop reading', () => {
  let stage: ArchiveTabStage;
  const sockets: Socket[] = [];

  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.destroy();
    return stage.end();
  });

  /** Opens connections that take the head of the answer and nothing more. */
  async function stall(url: string, count: number): Promise<void> {
    for (let number = 0; number < count; number += 1) {
      const socket = connect(stage.port, '127.0.0.1');
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.write(`GET /${url} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      await once(socket, 'readable');
    }
  }

  async function status(): Promise<number> {
    const response = await stage.media(await stage.ticket((await stage.ids())['rec-1']!));
    await response.body?.cancel();
    return response.status;
  }

  it('do not keep others from playing for ever', async () => {
    stage = await ArchiveTabStage.start(1000);
    await stage.store('rec-1', BYTES);
    const id = (await stage.ids())['rec-1']!;
    for (let number = 0; number < 9; number += 1) await stall(await stage.ticket(id), 6);
    await until('a free place', async () => ((await status()) === 200 ? true : undefined));
  });

  it('of one user leave others a place', async () => {
    stage = await ArchiveTabStage.start();
    await stage.store('rec-1', BYTES);
    const id = (await stage.ids())['rec-1']!;
    for (let number = 0; number < 9; number += 1) await stall(await stage.ticket(id), 6);
    const url = await stage.ticket(id, 'play', 'writer');
    for (let number = 0; number < 5; number += 1) {
      const response = await stage.media(url);
      should(response.status).equal(200);
      should((await response.arrayBuffer()).byteLength).equal(BYTES.length);
    }
  });

  it('hold few places with one ticket', async () => {
    stage = await ArchiveTabStage.start();
    await stage.store('rec-1', BYTES);
    await stall(await stage.ticket((await stage.ids())['rec-1']!), 55);
    should(await status()).equal(200);
  });
});
