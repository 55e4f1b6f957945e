import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import type { TelnyxAccount } from '../../nodes/config/telnyx-account-access';
import telnyxAccount from '../../nodes/telnyx-account';
import telnyxWebhookIn from '../../nodes/telnyx-webhook-in';
import { account, node, tab, webhookIn } from '../support/flows';
import { loadedNode } from '../support/node-helper';
import { STRANGER, TRUSTED, type SigningKey } from '../support/sign';
import { NodeStage } from './node-stage';

const VARIABLES = ['TELNYX_PUBLIC_KEY', 'TELNYX_API_KEY', 'SOME_KEY'] as const;

interface NodeContext {
  global: { set(key: string, value: unknown): void };
}

describe('telnyx-account', () => {
  let stage: NodeStage | undefined;
  const before = new Map(VARIABLES.map((name) => [name, process.env[name]]));

  beforeEach(() => {
    for (const name of VARIABLES) Reflect.deleteProperty(process.env, name);
  });
  afterEach(async () => {
    await stage?.unload();
    stage = undefined;
    for (const [name, value] of before) {
      if (value === undefined) Reflect.deleteProperty(process.env, name);
      else process.env[name] = value;
    }
  });

  async function start(
    properties: object = {},
    credentials: Record<string, string> = {},
    settings: { userDir?: string } = {}
  ): Promise<TelnyxAccount> {
    stage = await NodeStage.load(
      [telnyxAccount, telnyxWebhookIn],
      [
        tab(),
        account({ ...properties }),
        webhookIn({ wires: [[]] }),
        node('catch', 'catch', { scope: null, wires: [['caught']] }),
        node('caught', 'recorder')
      ],
      { credentials: { account: credentials }, settings }
    );
    return (loadedNode('account') as unknown as { telnyxAccount: TelnyxAccount }).telnyxAccount;
  }

  const beginning = ({ publicKey }: SigningKey): string => `${publicKey.slice(0, 8)}…`;
  const keysOf = ({ keys }: TelnyxAccount): string[] => keys.publicKeys.map((key) => key.toString('base64'));

  describe('public keys', () => {
    it('are read from the field, even several', async () => {
      const found = await start({ publicKeys: `${TRUSTED.publicKey}\n ${STRANGER.publicKey},` });
      keysOf(found).should.deepEqual([TRUSTED.publicKey, STRANGER.publicKey]);
      found.keyProblems.should.be.empty();
      should(stage?.status('webhook')?.text).equal(`ready, key ${beginning(TRUSTED)} (+1) of the account`);
    });

    it('are read from the environment only where the field is blank', async () => {
      process.env['TELNYX_PUBLIC_KEY'] = `${TRUSTED.publicKey} `;
      keysOf(await start({ publicKeys: ' \n' })).should.deepEqual([TRUSTED.publicKey]);
      should(stage?.status('webhook')?.text).equal(`ready, key ${beginning(TRUSTED)} from TELNYX_PUBLIC_KEY`);
      await stage?.unload();
      keysOf(await start({ publicKeys: STRANGER.publicKey })).should.deepEqual([STRANGER.publicKey]);
    });

    it('may be named by a variable in the field', async () => {
      process.env['SOME_KEY'] = TRUSTED.publicKey;
      keysOf(await start({ publicKeys: '${SOME_KEY}' })).should.deepEqual([TRUSTED.publicKey]);
    });

    it('that are invalid are reported to Catch nodes, and do not affect the others', async () => {
      const found = await start({ publicKeys: `nonsense ${TRUSTED.publicKey} ${'A'.repeat(43)}=` });
      keysOf(found).should.deepEqual([TRUSTED.publicKey]);
      await stage?.messages('caught', 2);
      should(stage?.caught.map(({ code, source }) => [code, source.id])).deepEqual([
        ['BAD_PUBLIC_KEY', 'account'],
        ['BAD_PUBLIC_KEY', 'account']
      ]);
      should(stage?.caught[1]?.message).match(/Public key 3 of 3 is a weak key/);
      should(stage?.status('webhook')?.text).equal(`ready, key ${beginning(TRUSTED)} of the account`);
    });

    it('count as blank where the field names the variable that a blank field means, and it is not set', async () => {
      keysOf(await start({ publicKeys: '${TELNYX_PUBLIC_KEY}' })).should.be.empty();
      should(stage?.status('webhook')?.text).equal('no public key');
      should(stage?.caught.map(({ code }) => code)).not.containEql('BAD_PUBLIC_KEY');
    });

    it('named by an unset variable are reported as unset', async () => {
      keysOf(await start({ publicKeys: '${SOME_KEY}' })).should.be.empty();
      await stage?.messages('caught', 2);
      const codes = stage?.caught.map(({ code }) => code).sort();
      should(codes).deepEqual(['BAD_PUBLIC_KEY', 'BAD_PUBLIC_KEY']);
      should(stage?.caught.map(({ source }) => source.id).sort()).deepEqual(['account', 'webhook']);
      should(stage?.caught.map(({ message }) => message).join()).match(
        /environment variable that is not set/
      );
    });
  });

  describe('secrets', () => {
    it('are lists, too', async () => {
      const { keys } = await start({}, { meetingSecrets: 'one, two', legacySecrets: ' three ' });
      should(keys).have.properties({ meetingSecrets: ['one', 'two'], legacySecrets: ['three'] });
      should(stage?.status('webhook')?.text).equal('ready');
    });

    it('of meetings that a flow started are in the global context', async () => {
      const { keys } = await start();
      const secretsOf = (id: string) => keys.meetingSecretsOf?.(id) ?? Promise.resolve(['none']);
      const { global } = (loadedNode('account') as unknown as { context(): NodeContext }).context();
      should(await secretsOf('mtgsess_1')).deepEqual([]);
      global.set('telnyxMeetingSecrets', { mtgsess_1: 'one', mtgsess_2: 'two, three', mtgsess_3: { a: 1 } });
      should(await secretsOf('mtgsess_1')).deepEqual(['one']);
      should(await secretsOf('mtgsess_2')).deepEqual(['two', 'three']);
      for (const id of ['mtgsess_3', 'mtgsess_9', '__proto__', 'constructor', ''])
        should(await secretsOf(id)).deepEqual([]);
      global.set('telnyxMeetingSecrets', 'mtgsess_1');
      should(await secretsOf('length')).deepEqual([]);
    });

    it('of meetings survive a restart, which empties the context', async () => {
      const userDir = mkdtempSync(path.join(tmpdir(), 'telnyx-kept-secrets-'));
      const secretsOf = async (id: string): Promise<unknown> =>
        (
          loadedNode('account') as unknown as { telnyxAccount: TelnyxAccount }
        ).telnyxAccount.keys.meetingSecretsOf?.(id);
      const set = (secrets: unknown): void => {
        const { global } = (loadedNode('account') as unknown as { context(): NodeContext }).context();
        global.set('telnyxMeetingSecrets', secrets);
      };
      const restart = async (): Promise<void> => {
        await stage?.unload();
        await start({}, {}, { userDir });
      };
      await start({}, {}, { userDir });
      // One that a delivery has asked for, and one that none has.
      set({ mtgsess_kept: 'one', mtgsess_new: 'two', mtgsess_removed: 'three', mtgsess_changed: 'four' });
      for (const id of ['mtgsess_kept', 'mtgsess_removed', 'mtgsess_changed']) await secretsOf(id);
      set({ mtgsess_kept: 'one', mtgsess_new: 'two', mtgsess_changed: 'five' });
      await restart();
      set(undefined);
      should(await secretsOf('mtgsess_kept')).deepEqual(['one']);
      should(await secretsOf('mtgsess_new')).deepEqual(['two']);
      should(await secretsOf('mtgsess_removed')).deepEqual([]);
      should(await secretsOf('mtgsess_changed')).deepEqual(['five']);
      // The context is the truth again as soon as it has the session.
      set({ mtgsess_kept: 'six' });
      should(await secretsOf('mtgsess_kept')).deepEqual(['six']);
      set({});
      should(await secretsOf('mtgsess_kept')).deepEqual([]);
      await restart();
      set(undefined);
      should(await secretsOf('mtgsess_kept')).deepEqual([]);
      rmSync(userDir, { recursive: true, force: true });
    });

    it('of meetings are elsewhere, or nowhere, when the account says so', async () => {
      const named = await start({ meetingContext: 'meetings.secrets' });
      const { global } = (loadedNode('account') as unknown as { context(): NodeContext }).context();
      global.set('meetings', { secrets: { mtgsess_1: 'one' } });
      should(await named.keys.meetingSecretsOf?.('mtgsess_1')).deepEqual(['one']);
      await stage?.unload();
      const off = await start({ meetingContext: '' });
      should(await off.keys.meetingSecretsOf?.('mtgsess_1')).deepEqual([]);
    });

    it('of meetings that cannot be read are reported once', async () => {
      const { keys } = await start({ publicKeys: TRUSTED.publicKey, meetingContext: 'a[' });
      const { global } = (loadedNode('account') as unknown as { context(): NodeContext }).context();
      global.set('b', 1);
      for (let time = 0; time < 3; time += 1)
        should(await keys.meetingSecretsOf?.('mtgsess_1')).deepEqual([]);
      await stage?.messages('caught', 1);
      should(stage?.caught.map(({ code }) => code)).deepEqual(['BAD_SETTING']);
    });

    it('that are unset do not become the name of a variable that anyone can guess', async () => {
      const found = await start(
        { publicKeys: TRUSTED.publicKey },
        { meetingSecrets: '${SOME_KEY}', legacySecrets: 'a ${SOME_KEY}', apiKey: '${SOME_KEY}' }
      );
      should(found.keys).have.properties({ meetingSecrets: [], legacySecrets: ['a'] });
      should(found.apiKey()).be.null();
      await stage?.messages('caught', 3);
      should(stage?.caught.map(({ code }) => code)).deepEqual(['BAD_SETTING', 'BAD_SETTING', 'BAD_SETTING']);
      for (const { message } of stage?.caught ?? []) message.should.match(/"(API key|Meetings|API v1)"/);
    });
  });

  describe('the API key', () => {
    it('is the credential, otherwise the environment, otherwise none', async () => {
      should((await start()).apiKey()).be.null();
      await stage?.unload();
      process.env['TELNYX_API_KEY'] = 'KEYfromenvironment';
      should((await start()).apiKey()).equal('KEYfromenvironment');
      await stage?.unload();
      should((await start({}, { apiKey: ' KEYfromcredential ' })).apiKey()).equal('KEYfromcredential');
    });

    it('is in no log', async () => {
      await start({ publicKeys: 'nonsense' }, { apiKey: 'KEYsecret', meetingSecrets: 'hush' });
      await stage?.messages('caught', 1);
      (stage?.log().join('\n') ?? '').should.not.match(/KEYsecret|hush/);
    });
  });

  it('has an API address without a trailing slash', async () => {
    (await start({ apiUrl: 'https://api.example.com/v2//' })).apiUrl.should.equal(
      'https://api.example.com/v2'
    );
    await stage?.unload();
    (await start({ apiUrl: '' })).apiUrl.should.equal('https://api.telnyx.com/v2');
  });
});
