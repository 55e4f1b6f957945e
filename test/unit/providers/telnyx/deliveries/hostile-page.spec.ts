import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import should from 'should';
import { Child } from '../../../../support/child-process';
import { until } from '../../../../support/until';

/** Megabytes of JavaScript objects. The program takes about 20 of them, and a Raspberry Pi has as many to spare. */
const HEAP = 64;

const MODULE = require.resolve('../../../../../src/providers/telnyx/deliveries/list-deliveries');

/** Lists the deliveries of an API, and says why it waits or ends. */
const PROGRAM = `
  const { openDeliveries } = require(${JSON.stringify(MODULE)});
  const deliveries = openDeliveries({ apiUrl: process.argv[1], apiKey: () => 'KEY' }, {});
  const end = new AbortController();
  const onWait = (reason) => {
    if (reason === null) return;
    console.log('waits: ' + reason.message);
    end.abort(new Error('enough'));
  };
  void (async () => {
    try {
      for await (const { items } of deliveries.list({ outcome: 'any', from: null, to: Date.now(), onWait }, end.signal))
        console.log('items: ' + items.length);
    } catch (error) {
      console.log('ended: ' + error.message);
    }
    await deliveries.close();
    console.log('done');
  })();
`;

const MIB = 1024 * 1024;

/** A page of so many objects that fill so many bytes; no two have a key in common. */
function pageOf(count: number, bytes: number, before = ''): string {
  const room = Math.floor((bytes - 100) / count) - 8;
  const objects = Array.from({ length: count }, (_, index) => `{"${String(index).padStart(room, 'k')}":1}`);
  return `{${before}"data":[${objects.join()}],"meta":{"total_pages":1,"total_results":1}}`;
}

describe("a page of Telnyx's webhook deliveries that is made to fill the memory", function () {
  this.timeout(60_000);
  let server: Server;
  let page: string;
  let requests: number;
  beforeEach(async () => {
    requests = 0;
    server = createServer((_request, response) => {
      requests += 1;
      // The same ones again and again, then an end.
      if (requests > 3) response.writeHead(401).end('{}');
      else response.writeHead(200, { 'content-type': 'application/json' }).end(page);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  async function outputOf(hostile: string): Promise<string> {
    page = hostile;
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2`;
    const nodeArgs = [`--max-old-space-size=${HEAP}`, '--import', 'tsx'];
    const child = new Child('--eval', [PROGRAM, url], { nodeArgs });
    await until('its end', () => !child.alive || undefined, { deadline: 50_000 });
    should(child.exitCode).equal(0, child.output);
    should(child.output).match(/done\n$/);
    return child.output;
  }

  it('is refused before it is parsed when it has too many parts', async () => {
    should(await outputOf(`{"data":[${'{},'.repeat(2 * MIB)}{}]}`)).match(
      /waits: .* JSON of more than 100000 values/
    );
  });

  it('is refused when it is too large', async () => {
    should(await outputOf(pageOf(49_000, 8.5 * MIB))).match(/waits: .* more than 8388608 bytes/);
  });

  it('is read in little memory when it is as large as a page may be', async () => {
    // The sign makes the text take two bytes for each character.
    for (const before of ['', '"wide":"😀",']) {
      requests = 0;
      should(await outputOf(pageOf(49_000, 7.9 * MIB, before))).match(/ended: .*API key/);
    }
  });
});
