import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { longestStall, watchedEventLoop } from '../support/event-loop';
import { functionNode, node } from '../support/flows';
import {
  hostileCases,
  mmsWith,
  recordingWith,
  type HostileCase,
  type RawReply
} from '../support/hostile-cases';
import { sha256, wav } from '../support/media';
import { rawServer, type RawServer } from '../support/raw-server';
import { until } from '../support/until';
import { webhookFlow, WebhookInstance } from '../support/webhook-instance';

const CASES = 1000;
/** Concurrent deliveries. */
const AT_ONCE = 8;
/** Milliseconds by which nothing else in Node-RED may be delayed. */
const LONGEST_STALL_MS = 250;

/** No name on the machine contains this, unless a case escapes from the archive. */
const ESCAPED = 'escaped-from-the-archive';
/** 73 empty comments, and so 2 to the power of 73 ways to match a page. */
const ENDLESS = Buffer.from('<!---->'.repeat(73));

/** The result of a message, as a short line whatever the message is. */
const OUTCOME = `
const { case: number, error, recording } = msg;
const line = { case: number, code: error && error.code, text: error && String(error.message).slice(0, 2000) };
return { payload: JSON.stringify({ ...line, path: recording && recording.path }) };`;

interface Outcome {
  case: number;
  code?: string;
  text?: string;
  path?: string;
}

function outcomes(id: string, file: string) {
  return [
    functionNode(id, OUTCOME, { wires: [[`${id}-file`]] }),
    node(`${id}-file`, 'file', {
      filename: `USER_DIR/${file}`,
      filenameType: 'str',
      appendNewline: true,
      overwriteFile: 'false'
    })
  ];
}

const FLOW = [
  functionNode('number', "msg.case = flow.get('cases') ?? 0; flow.set('cases', msg.case + 1); return msg;", {
    wires: [['archive']]
  }),
  node('archive', 'telnyx-recording-download', {
    account: 'account',
    dailyAccount: '',
    destination: 'folder',
    folder: 'archive',
    filename:
      '{{recording_id}}/{{from}}_{{call_session_id}}/{{channels}}{{media_index}}_{{recording_id}}.{{ext}}',
    format: 'all',
    sidecar: true,
    concurrency: 16,
    retries: 0,
    stallTimeout: 1,
    network: 'any',
    wires: [['stored']]
  }),
  ...outcomes('stored', 'stored.jsonl'),
  node('complete', 'complete', { scope: ['archive'], uncaught: false, wires: [['ended']] }),
  node('catch', 'catch', { scope: ['archive'], uncaught: false, wires: [['ended']] }),
  ...outcomes('ended', 'ended.jsonl')
];

describe('bytes, headers and ids of a stranger', function () {
  this.timeout(900_000);
  let watched: string;
  let instance: WebhookInstance;
  let server: RawServer;
  let url: string;
  let cases: HostileCase[];
  /** The responses for paths besides the cases. */
  const others = new Map<string, RawReply>();
  let beforehand: string[] = [];
  let pid: number;
  let accepted = 0;

  before(async () => {
    watched = mkdtempSync(path.join(tmpdir(), 'telnyx-watched-'));
    server = await rawServer((socket, number) => {
      const target = server.requests[number - 1]?.split(' ')[1] ?? '';
      const of = /^\/case\/(\d+)/.exec(target)?.[1];
      const reply = others.get(target) ?? (of === undefined ? undefined : cases[Number(of)]?.reply);
      if (reply?.stays === true) socket.write(reply.bytes);
      else if (reply !== undefined) socket.end(reply.bytes);
    });
    url = new URL(server.url).origin;
    cases = hostileCases(10, CASES, ESCAPED, (number) => `${url}/case/${number}`);
    instance = await WebhookInstance.start({
      flow: webhookFlow({ wires: [['number']] }, FLOW),
      ...watchedEventLoop(watched)
    });
    ({ pid } = instance.nodeRed);
    // The first recording loads code; this is not measured.
    others.set('/first', good());
    await instance.deliver(recordingWith('first', `${url}/first`));
    await ended(++accepted);
    beforehand = outsideOf();
    await longestStall(instance.nodeRed, watched);
  });
  after(async () => {
    await instance.stop();
    await server.close();
    rmSync(watched, { recursive: true, force: true });
  });

  const file = wav({ seed: 3 });
  function good(): RawReply {
    const head = `HTTP/1.1 200 OK\r\nContent-Type: audio/wav\r\nContent-Length: ${file.length}\r\n\r\n`;
    return { bytes: Buffer.concat([Buffer.from(head), file]) };
  }

  /** The results of the download node, successful or not, once there are this many. */
  async function ended(count: number): Promise<Outcome[]> {
    const look = (): Outcome[] => instance.nodeRed.recorded('ended.jsonl') as unknown as Outcome[];
    try {
      return await until(
        `the end of ${count} messages`,
        () => {
          if (!instance.nodeRed.alive) throw new Error('Node-RED has ended');
          const all = look();
          return all.length >= count ? all : undefined;
        },
        { deadline: 300_000 }
      );
    } catch (error) {
      const there = new Set(look().map((outcome) => outcome.case));
      const missing = Array.from({ length: count }, (_, number) => number).filter(
        (number) => !there.has(number)
      );
      throw new Error(
        `${String(error)}; missing are ${missing.slice(0, 20).join()}\n${instance.nodeRed.log.slice(-3000)}`,
        {
          cause: error
        }
      );
    }
  }

  const archive = (): string => path.join(instance.nodeRed.userDir, 'archive');

  /** Files of the userDir that are neither in the archive nor written constantly. */
  function outsideOf(): string[] {
    const { userDir } = instance.nodeRed;
    const written = /^(archive|telnyx|node_modules|\.npm|(stored|ended|messages)\.jsonl$)/;
    return readdirSync(userDir, { recursive: true, encoding: 'utf8' })
      .filter((name) => !written.test(name))
      .sort();
  }

  it(`are answered, stored or rejected, ${CASES} of them`, async () => {
    const waiting = cases.entries();
    const statuses = new Map<number, number>();
    const deliver = async (): Promise<void> => {
      for (const [, { what, delivery }] of waiting) {
        const { status } = await instance.deliver(delivery).catch((error: unknown) => {
          throw new Error(`${what}: ${String(error)}`, { cause: error });
        });
        if (![200, 400, 413].includes(status)) throw new Error(`${what} was answered ${status}`);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (status === 200) accepted += 1;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, deliver));
    should(statuses.get(200)).be.above(CASES * 0.8);
    const all = await ended(accepted);
    should(all.length).equal(accepted);
    // A few of a thousand files are valid; nothing fails for an unexpected reason.
    const stored = instance.nodeRed.recorded('stored.jsonl');
    should(stored.length).be.above(100);
    const unforeseen = all.filter(({ text }) =>
      /unexpected|TypeError|RangeError|undefined|\[object/.test(text ?? '')
    );
    should(unforeseen).eql([]);
  });

  it('stop nothing: the process survives, and its event loop never blocks for a quarter of a second', async () => {
    should(instance.nodeRed.alive).be.true();
    should(instance.nodeRed.pid).equal(pid);
    should(await longestStall(instance.nodeRed, watched)).be.below(LONGEST_STALL_MS);
  });

  it('write only into the archive, under names that every system accepts', () => {
    should(outsideOf()).eql(beforehand);
    const { userDir } = instance.nodeRed;
    for (const folder of [
      userDir,
      path.dirname(userDir),
      '/',
      homedir(),
      process.cwd(),
      path.dirname(process.cwd())
    ])
      should(readdirSync(folder).filter((name) => name.includes(ESCAPED))).eql([], folder);
    const entries = readdirSync(archive(), { recursive: true, withFileTypes: true });
    should(entries.length).be.above(100);
    for (const entry of entries) {
      should(entry.isFile() || entry.isDirectory()).equal(true, entry.name);
      if (entry.name === '.telnyx-partial' || entry.parentPath.endsWith('.telnyx-partial')) continue;
      should(entry.name).not.match(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}<>:"/\\|?*]|^[-~. ]|[. ]$/u);
      should(entry.name).not.match(/^(con|prn|aux|nul|clock\$|conin\$|conout\$|(com|lpt)[0-9¹²³])(\.|$)/i);
      should(Buffer.byteLength(entry.name)).be.belowOrEqual(255);
    }
  });

  it('cannot forge a line of the log', () => {
    const odd = instance.nodeRed.log
      .split('\n')
      .filter((line) => /[\p{Cc}\p{Cf}]/u.test(line.replaceAll('\t', '')));
    should(odd).eql([]);
  });

  it('leave room for genuine deliveries', async () => {
    others.set('/good', good());
    should((await instance.deliver(recordingWith('good', `${url}/good`))).status).equal(200);
    await ended(++accepted);
    const [last] = (instance.nodeRed.recorded('stored.jsonl') as unknown as Outcome[]).slice(-1);
    should(sha256(readFileSync(last!.path!))).equal(sha256(file));
  });

  it('hang Node-RED neither immediately nor after a restart, even if they are only empty comments', async () => {
    const { nodeRed } = instance;
    const head = `HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: ${ENDLESS.length}\r\n\r\n`;
    const endless = { bytes: Buffer.concat([Buffer.from(head), ENDLESS]) };
    others.set('/at-once', endless);
    await instance.deliver(mmsWith('at-once', `${url}/at-once`));
    const refused = (await ended(++accepted)).at(-1);
    should(refused).have.property('code', 'NOT_MEDIA');

    await instance.deliver(mmsWith('later', `${url}/later`));
    // The job is on disk before its file is requested.
    await until('the request', () =>
      server.requests.some((head) => head.includes(' /later ')) ? true : undefined
    );
    await nodeRed.kill();
    others.set('/later', endless);
    await nodeRed.start();
    const later = (await ended(++accepted)).at(-1);
    should(later).have.property('code', 'NOT_MEDIA');
    others.set('/after', good());
    should((await instance.deliver(recordingWith('after', `${url}/after`))).status).equal(200);
    await ended(++accepted);
    should(nodeRed.alive).be.true();
  });
});
