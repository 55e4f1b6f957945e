import should from 'should';
import { holdEvent, jsonDelivery } from '../support/deliveries';
import { catchAll, functionNode, node } from '../support/flows';
import { type LocalServer, localServer } from '../support/media';
import { STRANGER } from '../support/sign';
import { until } from '../support/until';
import { webhookFlow, WebhookInstance } from '../support/webhook-instance';

/** In each language: the sentences of the errors below. The English detail follows. */
const SENTENCES = {
  de: {
    GAVE_UP: 'Es wurde aufgegeben.',
    UNSAFE_URL: 'Die Adresse ist nicht erlaubt.',
    BAD_SETTING: 'Eine Einstellung oder ein Wert fehlt oder ist ungültig.',
    SIGNATURE_MISMATCH: 'Die Signatur der Zustellung passt zu keinem Schlüssel des Kontos.',
    API_UNAUTHORIZED: 'Der API-Schlüssel fehlt oder wird nicht angenommen.'
  },
  ja: {
    GAVE_UP: '処理を打ち切りました。',
    UNSAFE_URL: 'このアドレスは許可されていません。',
    BAD_SETTING: '設定または値がないか、正しくありません。',
    SIGNATURE_MISMATCH: '配信の署名がアカウントのどの鍵とも一致しません。',
    API_UNAUTHORIZED: 'APIキーがないか、受け付けられませんでした。'
  },
  'en-US': { GAVE_UP: '', UNSAFE_URL: '', BAD_SETTING: '', SIGNATURE_MISMATCH: '', API_UNAUTHORIZED: '' }
} as const;

for (const [lang, sentences] of Object.entries(SENTENCES)) {
  describe(`a Node-RED that speaks ${lang}`, function () {
    this.timeout(90_000);
    let instance: WebhookInstance;
    let server: LocalServer;

    before(async () => {
      server = await localServer((request, response) =>
        response.writeHead(request.url?.startsWith('/v2/') === true ? 401 : 404).end()
      );
      const download = { folder: 'recordings', retries: '0', network: 'any' };
      const flow = webhookFlow({}, [
        node('start', 'inject', { props: [], repeat: '', once: false, wires: [['send']] }),
        functionNode('send', `const url = '${server.url}/gone.wav'; return [{ url }, { url }, {}];`, {
          outputs: 3,
          wires: [['download'], ['guarded'], ['list']]
        }),
        node('download', 'telnyx-recording-download', download),
        node('guarded', 'telnyx-recording-download', { ...download, network: 'public-https' }),
        node('bad', 'telnyx-recording-download', { ...download, concurrency: '0' }),
        node('list', 'telnyx-recording-list', { provider: 'telnyx', account: 'api', wires: [[], []] }),
        {
          ...{ id: 'api', type: 'telnyx-account', name: '', publicKeys: '', apiUrl: `${server.url}/v2` },
          credentials: { apiKey: 'KEYmade-up-0123456789' }
        },
        ...catchAll()
      ]);
      instance = await WebhookInstance.start({ flow, settings: { lang } });
      should((await instance.nodeRed.admin('inject/start', { method: 'POST' })).status).equal(200);
    });
    after(async () => {
      await instance.stop();
      await server.close();
    });

    const caught = async (id: string, code: keyof typeof sentences): Promise<string> => {
      const { nodeRed } = instance;
      const message = await until(`an error of ${id}`, () =>
        nodeRed.recorded('errors.jsonl').find(({ error }) => error?.source?.id === id)
      );
      should(nodeRed.codeOf(message)).equal(code);
      return message.error?.message ?? '';
    };
    const beginning = (code: keyof typeof sentences): string =>
      sentences[code] === '' ? `${code}: ` : `${code}: ${sentences[code]} `;

    it('says why a download fails, and keeps the English detail', async () => {
      should(await caught('download', 'GAVE_UP')).startWith(`${beginning('GAVE_UP')}Gave up after `);
      should(await caught('guarded', 'UNSAFE_URL')).startWith(`${beginning('UNSAFE_URL')}127.0.0.1:`);
    });

    it('says which setting is wrong at deploy', async () => {
      should(await caught('bad', 'BAD_SETTING')).startWith(`${beginning('BAD_SETTING')}"`);
    });

    it('says why a list is incomplete', async () => {
      should(await caught('list', 'API_UNAUTHORIZED')).startWith(`${beginning('API_UNAUTHORIZED')}GET `);
    });

    it('warns of a refused delivery', async () => {
      await instance.deliver(jsonDelivery(holdEvent('x'), { key: STRANGER }));
      const said = sentences.SIGNATURE_MISMATCH;
      const detail = 'Delivery refused with 401, SIGNATURE_MISMATCH: ';
      await instance.nodeRed.waitForLog(new RegExp(`\\] ${said === '' ? '' : `${said} `}${detail}`));
    });

    it('says no sentence twice', () => {
      for (const { error } of instance.nodeRed.recorded('errors.jsonl')) {
        const parts = (error?.message ?? '').split(/(?<=[.。]) /).filter((part) => part.length > 10);
        should(new Set(parts).size).equal(parts.length);
      }
    });
  });
}
