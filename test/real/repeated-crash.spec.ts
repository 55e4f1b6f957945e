import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import should from 'should';
import { TELNYX } from '../support/archive-source';
import { catchAll, node } from '../support/flows';
import { sha256 } from '../support/media';
import { type SlowMedia, slowMedia } from '../support/slow-media';
import { until } from '../support/until';
import { WebhookInstance } from '../support/webhook-instance';

const RECORDINGS = 20;
/** Two beside other jobs, and five alone. */
const MOST_DEATHS = 7;
const POISON = 'these bytes end the process';

const names = Array.from({ length: RECORDINGS }, (_value, index) => `rec-${String(index).padStart(2, '0')}`);

describe('a recording that crashes Node-RED whenever it is read', function () {
  this.timeout(400_000);
  let instance: WebhookInstance;
  let server: SlowMedia;
  let media: Map<string, Buffer>;
  /** Ends everything that still waits. */
  let isOver = false;

  const pathOf = (name: string): string => `/${name}.${TELNYX.ext}`;

  before(async () => {
    media = new Map(
      names.map((name, index) => [pathOf(name), TELNYX.file({ size: 48_000, seed: index + 1 })])
    );
    const poison = TELNYX.file({ size: 48_000, seed: 99 });
    poison.write(POISON, 20_000);
    media.set(pathOf('poison'), poison);
    media.set(pathOf('late'), TELNYX.file({ size: 48_000, seed: 98 }));
    media.set(pathOf('later'), TELNYX.file({ size: 48_000, seed: 97 }));
    server = await slowMedia(media, { piece: 16_000, pause: 10, contentType: TELNYX.contentType });
    instance = await WebhookInstance.start({
      flow: [
        ...TELNYX.nodes(server.url, ['archive']),
        node('archive', 'telnyx-recording-download', {
          ...TELNYX.download,
          destination: 'folder',
          folder: 'archive',
          filename: '{{recording_id}}.{{ext}}',
          network: 'any',
          answer: 'queued',
          wires: [['seen']]
        }),
        ...catchAll()
      ],
      nodeArgs: ['--require', path.join(__dirname, '../support/poisonous-bytes.cjs')],
      env: { POISON, POISON_LOG: 'poison.log' }
    });
  });
  after(async () => {
    isOver = true;
    // Each is missing when an earlier step fails, and none may keep the test process alive.
    try {
      await (instance as WebhookInstance | undefined)?.stop();
    } finally {
      await (server as SlowMedia | undefined)?.close();
    }
  });

  function deaths(): string[] {
    const log = path.join(instance.nodeRed.userDir, 'poison.log');
    return existsSync(log) ? readFileSync(log, 'utf8').trimEnd().split('\n') : [];
  }

  async function deliver(name: string): Promise<void> {
    await until(
      `the answer to ${name}`,
      async () => {
        if (isOver) throw new Error(`The test ended before ${name} was delivered`);
        const delivery = TELNYX.delivery({ id: name, storage: server.url });
        const { status } = await instance.deliver(delivery, TELNYX.path);
        return status === 200 ? true : undefined;
      },
      { deadline: 300_000 }
    );
  }

  /** Like a supervisor: kills a hanging process, and starts it again. */
  async function startedAgain(count: number): Promise<void> {
    const { nodeRed } = instance;
    const isHanging = deaths()[count - 1]?.endsWith('3') === true;
    if (isHanging) await nodeRed.kill();
    else await until('the end of the process', () => (nodeRed.alive ? undefined : true));
    await nodeRed.start().catch((error: unknown) => {
      // It may have died during its start.
      if (deaths().length === count) throw error;
    });
  }

  it('is given up with REPEATED_CRASH; all others are stored, and Node-RED lives', async () => {
    const { nodeRed } = instance;
    const delivering = Promise.all([...names.slice(0, 5), 'poison', ...names.slice(5)].map(deliver));
    // Awaited below, unless something else fails first.
    delivering.catch(() => undefined);
    for (let count = 1; nodeRed.recorded('errors.jsonl').length === 0; count += 1) {
      count.should.be.belowOrEqual(MOST_DEATHS + 1);
      await until(
        `death ${count}, or the end of it`,
        () => deaths().length >= count || nodeRed.recorded('errors.jsonl').length > 0 || undefined,
        { deadline: 90_000 }
      );
      if (deaths().length >= count) await startedAgain(count);
    }
    await delivering;
    deaths().length.should.be.within(5, MOST_DEATHS);

    await deliver('late');
    const fileOf = (name: string): string => path.join(nodeRed.userDir, 'archive', pathOf(name));
    for (const name of [...names, 'late']) {
      await until(`the message of ${name}`, () =>
        nodeRed.log.includes(`tored: ${fileOf(name)}, `) ? true : undefined
      );
      should(sha256(readFileSync(fileOf(name)))).equal(sha256(media.get(pathOf(name))!), name);
    }
    existsSync(fileOf('poison')).should.be.false();
    const errors = nodeRed.recorded('errors.jsonl');
    errors.should.have.length(1);
    should(errors[0]?.['error']).have.property('code', 'REPEATED_CRASH');
    JSON.stringify(errors[0]?.['error']).should.match(/poison of call\.recording\.saved/);
    should(errors[0]?.event).have.property('id', 'event of poison');
    nodeRed.log.should.not.containEql('X-Amz-Signature');
  });

  it('stays given up after a restart', async () => {
    const { nodeRed } = instance;
    const count = deaths().length;
    await nodeRed.restart();
    await deliver('later');
    await until('its message', () => (nodeRed.log.includes('later.wav, ') ? true : undefined));
    deaths().should.have.length(count);
    nodeRed.recorded('errors.jsonl').should.have.length(1);
    await nodeRed.stop({ keep: true });
    readFileSync(path.join(nodeRed.userDir, 'telnyx', 'under-way'), 'utf8')
      .trim()
      .should.equal('');
  });
});
