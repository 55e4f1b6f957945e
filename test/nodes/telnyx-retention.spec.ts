import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import should from 'should';
import { readRetentionSettings, type RetentionConfig } from '../../nodes/config/retention/retention-settings';
import { isUsableRule } from '../../nodes/config/retention/retention-fields';
import telnyxAccount from '../../nodes/telnyx-account';
import recordingDownload from '../../nodes/telnyx-recording-download';
import telnyxRetention from '../../nodes/telnyx-retention';
import { CodedError } from '../../src/errors/coded-error';
import { readPolicySettings } from '../../src/retention/policy-settings';
import { account, config, node, tab } from '../support/flows';
import { type LocalServer, localServer, wav } from '../support/media';
import { loadedNode, nodeHelper, type TestMessage } from '../support/node-helper';

const START = '2026-03-04T09:15:02.118Z';
const DAY = 86_400_000;
const after = (days: number): string => new Date(Date.parse(START) + days * DAY).toISOString();

describe('telnyx-retention', () => {
  const read = (given: Partial<RetentionConfig>) =>
    readRetentionSettings({ policy: 'Calls', ...given } as RetentionConfig);

  it('reads what the dialog saves, and locks nothing unless told to', () => {
    const { policy, timestampUrl } = read({ keepUntil: '10', deleteAfter: '', rules: [] });
    should(policy).containEql({ name: 'Calls', lockMode: 'none' });
    should(timestampUrl).be.null();
    should(read({ timestampUrl: 'https://tsa.example.com/tsr' }).timestampUrl?.host).equal('tsa.example.com');
  });

  it('refuses what cannot be kept, and names the setting', () => {
    for (const [given, name] of [
      [{ policy: ' ' }, /"Policy"/],
      [{ keepUntil: 'soon' }, /"Keep"/],
      [{ deleteAfter: '0' }, /"Delete"/],
      [{ lockMode: 'for ever' }, /"Lock"/],
      [{ timestampUrl: 'ftp://tsa.example.com' }, /time-stamping/],
      [{ rules: [{ when: { number: 'x' } }] }, /Rule 1/]
    ] as [Partial<RetentionConfig>, RegExp][])
      should(() => read(given)).throw(CodedError, { code: 'BAD_SETTING', message: name });
  });

  it('marks in the dialog the rules that the runtime refuses', () => {
    const usable = (rule: unknown): boolean => {
      try {
        readPolicySettings({ policy: 'any', rules: [rule] });
        return true;
      } catch {
        return false;
      }
    };
    for (const [rule, expected] of [
      [{ when: {}, keepUntil: '', deleteAfter: '90' }, true],
      [{ when: { events: 'call.*', direction: 'inbound', number: '+49', property: 'a.b=c' } }, true],
      [{ when: { number: '+49 x' } }, false],
      [{ when: { property: '=gold' } }, false],
      [{ when: { property: 'a..b' } }, false],
      [{ when: { events: 'x'.repeat(201) } }, false],
      [{ when: {}, keepUntil: '10', deleteAfter: '9' }, false],
      [{ when: {}, keepUntil: '1.5' }, false],
      [null, false]
    ] as const)
      should([rule, isUsableRule(rule), usable(rule)]).eql([rule, expected, expected]);
  });

  describe('in a download node', () => {
    const bytes = wav({ seconds: 1, channels: 1 });
    let directory: string;
    let media: LocalServer;
    let asked = 0;

    beforeEach(async () => {
      directory = mkdtempSync(path.join(tmpdir(), 'telnyx-retention-'));
      asked = 0;
      media = await localServer((_request, response) => {
        asked += 1;
        response.writeHead(200, { 'content-type': 'audio/wav', 'content-length': bytes.length }).end(bytes);
      });
    });
    afterEach(async () => {
      await nodeHelper.unload();
      await media.close();
      rmSync(directory, { recursive: true, force: true });
    });

    async function start(retention: object, properties: object = { retention: 'retention' }): Promise<void> {
      nodeHelper.settings({ userDir: path.join(directory, 'user') });
      await nodeHelper.load(
        [telnyxAccount, telnyxRetention, recordingDownload],
        [
          tab(),
          account({ apiUrl: `${media.url}/v2` }),
          config('retention', 'telnyx-retention', { policy: 'Calls', ...retention }),
          node('download', 'telnyx-recording-download', {
            ...{ account: 'account', folder: path.join(directory, 'calls'), network: 'any', retries: '0' },
            wires: [['stored']],
            ...properties
          }),
          node('stored', 'helper'),
          node('catch', 'catch', { scope: ['download'], wires: [['caught']] }),
          node('caught', 'helper')
        ]
      );
    }

    const saved = (more: object = {}): TestMessage => {
      const payload = {
        recording_id: 'rec-1',
        from: '+15550100',
        recording_started_at: START,
        recording_urls: { wav: `${media.url}/rec-1.wav` }
      };
      const event = {
        provider: 'telnyx',
        event_type: 'call.recording.saved',
        id: 'e',
        body: { data: { payload } }
      };
      return { _msgid: 'm', topic: 'call.recording.saved', event, payload, ...more };
    };

    /** What comes of a message, where it comes out. */
    function outcome(message: TestMessage): Promise<TestMessage> {
      return new Promise((resolve) => {
        for (const id of ['stored', 'caught'])
          loadedNode(id).once('input', (seen: TestMessage) => resolve(seen));
        loadedNode('download').receive(message);
      });
    }
    const retentionOf = ({ recording }: TestMessage): unknown =>
      (recording as { retention?: unknown }).retention;
    const codeOf = ({ error }: TestMessage): unknown => (error as { code?: unknown } | undefined)?.code;

    it('has each recording say until when it is kept, in the message and in its sidecar', async () => {
      const rules = [{ when: { number: '+1555' }, keepUntil: '30', deleteAfter: '60' }];
      await start({ keepUntil: '1', rules });
      const message = await outcome(saved());
      should(retentionOf(message)).containEql({ retain_until: after(30), delete_after: after(60) });
      const { sidecar } = message.recording as { sidecar: string };
      const { retention } = JSON.parse(readFileSync(sidecar, 'utf8')) as { retention: unknown };
      should(retention).eql(retentionOf(message));
    });

    it('never shortens the dates of a file, whatever is asked for later', async () => {
      await start({ keepUntil: '30' });
      const first = await outcome(saved());
      const again = await outcome(saved({ retention: { keepUntil: 1 } }));
      should(again.recording).containEql({ already_stored: true });
      should(retentionOf(again)).eql(retentionOf(first));
    });

    it('lets msg.retention win over the rules', async () => {
      await start({ keepUntil: '1', deleteAfter: '2' });
      const message = await outcome(saved({ retention: { keepUntil: null, deleteAfter: 7 } }));
      should(retentionOf(message)).containEql({ retain_until: null, delete_after: after(7) });
    });

    it('stores nothing for a msg.retention that cannot be used', async () => {
      await start({ keepUntil: '1' });
      const message = await outcome(saved({ retention: { deleteAfter: 'tomorrow' } }));
      should(codeOf(message)).equal('BAD_SETTING');
      should(asked).equal(0);
    });

    it('leaves flows without it as they were, with a msg.retention of their own, too', async () => {
      await start({ keepUntil: '1' }, {});
      for (const [at, own] of ['something of the flow', { days: 90 }].entries()) {
        const message = await outcome(saved({ retention: own, recording_id: `rec-${at}` }));
        should(retentionOf(message)).be.undefined();
        should(message['retention']).eql(own);
      }
    });

    it('gives the dates of msg.retention where no retention is chosen', async () => {
      await start({ keepUntil: '1' }, {});
      const message = await outcome(saved({ retention: { deleteAfter: 90 } }));
      const expected = { policy: null, retain_until: null, delete_after: after(90) };
      should(retentionOf(message)).eql(expected);
      const { sidecar } = message.recording as { sidecar: string };
      should(JSON.parse(readFileSync(sidecar, 'utf8'))).containEql({ retention: expected });
    });

    it('stores nothing for one with a slip, even then', async () => {
      await start({ keepUntil: '1' }, {});
      const message = await outcome(saved({ retention: { deleteAfter: '90 days' } }));
      should(codeOf(message)).equal('BAD_SETTING');
      should(asked).equal(0);
    });

    it('keeps the dates when the choice is taken back', async () => {
      await start({ keepUntil: '30' });
      const first = await outcome(saved());
      await nodeHelper.unload();
      await start({ keepUntil: '30' }, {});
      const again = await outcome(saved());
      should(again.recording).containEql({ already_stored: true });
      should(retentionOf(again)).eql(retentionOf(first));
    });

    it('leaves it to the flow to keep a file that is only in its message', async () => {
      await start({ keepUntil: '30' }, { retention: 'retention', destination: 'message' });
      const message = await outcome(saved());
      should(message.payload).eql(bytes);
      should(retentionOf(message)).containEql({ retain_until: after(30), delete_after: null });
    });

    it('refuses a lock in a folder, and a retention that is not there', async () => {
      await start({ keepUntil: '1', lockMode: 'governance' });
      const locked = await outcome(saved());
      should(codeOf(locked)).equal('BAD_SETTING');
      should((locked['error'] as { message: string }).message).match(/"Store in".*"Lock"/);
      await nodeHelper.unload();
      await start({}, { retention: 'gone' });
      const gone = await outcome(saved());
      should(codeOf(gone)).equal('BAD_SETTING');
      should((gone['error'] as { message: string }).message).match(/"Retention"/);
      should(asked).equal(0);
    });
  });
});
