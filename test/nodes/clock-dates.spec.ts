import { once } from 'node:events';
import { type Server, createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import should from 'should';
import { custodyOf } from '../../nodes/lib/custody';
import type { ClockDoubt } from '../../src/evidence/custody/clock-guard';
import { type Certificate, certificate } from '../support/certificate';
import { loadedNode } from '../support/node-helper';
import { requireProgram } from '../support/real-parts';
import { DownloadStage } from './download-stage';

const HOUR_MS = 60 * 60 * 1000;

describe('the clock of a machine whose download node hears other clocks', () => {
  let pair: Certificate;
  let stage: DownloadStage;
  let server: Server;
  /** Milliseconds that the server, and its API, are behind. */
  let behind: { files: number; api: number };
  let asked: string[];
  const { createSecureContext } = tls;

  before(function () {
    pair = certificate(requireProgram(this, 'openssl'), 'IP:127.0.0.1');
  });
  beforeEach(async () => {
    [behind, asked] = [{ files: 0, api: 0 }, []];
    process.env['TELNYX_API_KEY'] = 'KEY-made-up';
    // As if the system trusted it.
    tls.createSecureContext = (options) => createSecureContext({ ...options, ca: pair.cert });
    stage = await DownloadStage.create();
    server = createServer(pair, (request, response) => {
      const isApi = request.url?.startsWith('/v2/') === true;
      asked.push(isApi ? 'api' : 'file');
      response.setHeader('date', new Date(Date.now() - behind[isApi ? 'api' : 'files']).toUTCString());
      if (isApi) response.writeHead(404, { 'content-type': 'application/json' }).end('{"errors":[]}');
      else stage.sendAll(response);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    stage.apiUrl = `${url()}/v2`;
  });
  afterEach(async () => {
    tls.createSecureContext = createSecureContext;
    delete process.env['TELNYX_API_KEY'];
    await stage.remove();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const url = (): string => `https://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function doubtAfter(recording_urls: object): Promise<ClockDoubt | null> {
    await stage.start();
    // What comes before the log is open is not heard.
    const { clock } = await custodyOf(stage.RED).opened();
    const stored = stage.next('stored');
    const message = stage.saved('rec-1');
    Object.assign(message['payload'] as object, { recording_urls });
    loadedNode('download').receive(message);
    await stored;
    return clock.doubt();
  }

  it('is believed while none differs', async () => {
    should(await doubtAfter({ wav: `${url()}/rec-1.wav` })).equal(null);
    should(asked).containEql('api').and.containEql('file');
  });

  it('is doubted when the server of a file differs', async () => {
    behind.files = HOUR_MS;
    stage.apiUrl = undefined;
    should(await doubtAfter({ wav: `${url()}/rec-1.wav` })).equal('differs-from-provider');
  });

  it('is doubted when the API differs', async () => {
    behind.api = HOUR_MS;
    should(await doubtAfter({ wav: `${stage.media.url}/rec-1.wav` })).equal('differs-from-provider');
  });
});
