import should from 'should';
import { CodedError } from '../../../../src/errors/coded-error';
import { askPublicKeys } from '../../../../src/providers/telnyx/public-key';
import { TelnyxStandIn } from '../../../../src/simulator/stand-in';
import { STRANGER, TRUSTED } from '../../../support/sign';
import { ApiServer, never } from './api-server';
import { TelnyxApi } from '../../../../src/providers/telnyx/api-client';

const LINE = 'GET /v2/public_key';
const told = (key: unknown) => ({ public: key, record_type: 'public_key', organization_id: '0b7c' });

describe('GET /public_key', () => {
  let server: ApiServer;

  beforeEach(async () => {
    server = await ApiServer.start();
  });
  afterEach(async () => {
    await server.stop();
  });

  const ask = async (): Promise<string[]> =>
    (await askPublicKeys(server.client(), never)).map((key) => key.toString('base64'));
  const faultOf = async (): Promise<CodedError> => {
    const error: unknown = await ask().catch((thrown: unknown) => thrown);
    if (!(error instanceof CodedError)) throw new Error(`No CodedError: ${String(error)}`);
    return error;
  };

  it('tells one key', async () => {
    server.json(LINE, { data: told(TRUSTED.publicKey) });
    should(await ask()).eql([TRUSTED.publicKey]);
  });

  it('may tell a list, of which the keys count', async () => {
    const list = [told(` ${TRUSTED.publicKey} `), null, told('nonsense'), told(STRANGER.publicKey)];
    server.json(LINE, { data: list });
    should(await ask()).eql([TRUSTED.publicKey, STRANGER.publicKey]);
  });

  for (const [what, body] of [
    ['no data', {}],
    ['no key', { data: { record_type: 'public_key' } }],
    ['an empty list', { data: [] }],
    ['no object', 'key'],
    ['null', null],
    ['a key in hex', { data: told('ab'.repeat(32)) }],
    ['a key of 31 bytes', { data: told(Buffer.alloc(31, 7).toString('base64')) }],
    ['a weak key', { data: told(Buffer.alloc(32).toString('base64')) }],
    ['a stray character', { data: told(`${TRUSTED.publicKey.slice(0, -1)}_`) }],
    ['a key of a megabyte', { data: told('A'.repeat(1024 * 1024)) }],
    ['an object as a key', { data: told({ toString: 'x' }) }]
  ] as const) {
    it(`that holds ${what} is refused`, async () => {
      server.json(LINE, body);
      const fault = await faultOf();
      should(fault).have.properties({ code: 'BAD_PUBLIC_KEY', retryable: false });
      fault.message.should.match(/in the account/).and.not.match(/portal/);
    });
  }

  it('fails as every request does', async () => {
    for (const [status, code, retryable] of [
      [401, 'API_UNAUTHORIZED', false],
      [404, 'API_NOT_FOUND', false],
      [429, 'RATE_LIMITED', true],
      [500, 'LINK_REFUSED', true]
    ] as const) {
      server.status(LINE, status);
      should(await faultOf()).have.properties({ code, retryable });
      await server.stop();
      server = await ApiServer.start();
    }
  });

  it('is understood as the stand-in tells it, also when its key was replaced', async () => {
    const standIn = new TelnyxStandIn();
    await standIn.start();
    const api = new TelnyxApi({ apiUrl: standIn.apiUrl, apiKey: () => standIn.apiKey });
    try {
      const first = standIn.publicKey;
      should((await askPublicKeys(api, never))[0]?.toString('base64')).equal(first);
      standIn.rotateKey();
      const [second] = await askPublicKeys(api, never);
      should(second?.toString('base64')).equal(standIn.publicKey).and.not.equal(first);
      should(standIn.keyQuestions).equal(2);
    } finally {
      await api.close();
      await standIn.stop();
    }
  });
});
