import { CodedError } from '../../../src/errors/coded-error';
import type { Notice, NoticeName } from '../../../src/errors/notice';
import { DailyApi } from '../../../src/providers/daily/daily-client';
import { TelnyxApi } from '../../../src/providers/telnyx/api-client';
import { askPublicKeys } from '../../../src/providers/telnyx/public-key';
import type { ApiAccess } from '../../../src/providers/http/json-api';
import { withoutTrailingSlashes } from '../../../src/text/edges';
import { beginningOfKey } from '../../../src/verification/key-text';
import { deployedNode, serveDialogAction } from '../../admin/dialog-route';
import type { DialogValues } from '../../admin/dialog-values';
import type { NodeRedApi } from '../../lib/node-red';
import { DEFAULT_API_URLS } from '../api-urls';
import { proxyOf } from '../proxy-access';
import { keyOf } from '../webhooks/key-of';
import { DAILY_ACCOUNT_TEST_PATH, TELNYX_ACCOUNT_TEST_PATH, type TestFinding } from './test-finding';

/** A person waits for it. */
const LONGEST_MS = 20_000;
/** Between two tests. */
const PAUSE_MS = 1000;

type Asked = Pick<ApiAccess, 'request'> & { close(): Promise<void> };

/** One question to the API: what it means when it is answered, and when the key is valid but may not ask it. */
interface Question {
  check: TestFinding['check'];
  ask: (api: Asked, signal: AbortSignal) => Promise<Notice>;
  /** The first question tells whether the key is valid. */
  forbidden?: NoticeName;
}

/** Serves the Test button of the Telnyx account: tries its API key, deployed or not. Changes nothing at Telnyx. */
export function serveTelnyxAccountTest(RED: NodeRedApi): void {
  serve(RED, TELNYX_ACCOUNT_TEST_PATH, (values) => {
    const node = deployedNode(RED, 'telnyx-account', values.text('id'));
    const apiKey = keyOf(values, node, process.env['TELNYX_API_KEY']);
    const apiUrl = withoutTrailingSlashes(values.setting('apiUrl', node).trim() || DEFAULT_API_URLS.telnyx);
    const proxy = proxyOf(RED, values.text('proxy'));
    return { apiKey, api: new TelnyxApi({ apiUrl, apiKey: () => apiKey, proxy }), questions: TELNYX };
  });
}

/** The same for the Daily account. */
export function serveDailyAccountTest(RED: NodeRedApi): void {
  serve(RED, DAILY_ACCOUNT_TEST_PATH, (values) => {
    const node = deployedNode(RED, 'daily-account', values.text('id'));
    const apiKey = keyOf(values, node, process.env['DAILY_API_KEY']);
    const apiUrl = withoutTrailingSlashes(values.setting('apiUrl', node).trim() || DEFAULT_API_URLS.daily);
    const proxy = proxyOf(RED, values.text('proxy'));
    return { apiKey, api: new DailyApi({ apiUrl, apiKey: () => apiKey, proxy }), questions: DAILY };
  });
}

const TELNYX: readonly Question[] = [
  {
    check: 'key',
    ask: async (api, signal) => {
      const [key] = await askPublicKeys(api, signal);
      const shown = beginningOfKey(key?.toString('base64') ?? '');
      return { notice: 'telnyx-key', values: { key: shown } };
    }
  },
  {
    check: 'recordings',
    ask: async (api, signal) => {
      await api.request({ method: 'GET', path: ['recordings'], query: { 'page[size]': '1' }, signal });
      return { notice: 'telnyx-may-list' };
    },
    forbidden: 'telnyx-may-not-list'
  }
];

const DAILY: readonly Question[] = [
  {
    check: 'key',
    ask: async (api, signal) => {
      await api.request({ method: 'GET', path: ['recordings'], query: { limit: '1' }, signal });
      return { notice: 'daily-key' };
    }
  },
  {
    check: 'webhooks',
    ask: async (api, signal) => {
      await api.request({ method: 'GET', path: ['webhooks'], signal });
      return { notice: 'daily-may-list-webhooks' };
    },
    forbidden: 'daily-may-not-list-webhooks'
  }
];

interface Opened {
  apiKey: string | null;
  api: Asked;
  questions: readonly Question[];
}

/** @param open @throws CodedError `BAD_SETTING` */
function serve(RED: NodeRedApi, path: string, open: (values: DialogValues) => Opened): void {
  serveDialogAction(RED, {
    path,
    pauseMs: PAUSE_MS,
    failed: 'The test itself failed.',
    run: async (values) => {
      const { apiKey, api, questions } = open(values);
      try {
        if (apiKey === null) return { findings: [WITHOUT_KEY] };
        return { findings: await answersOf(api, questions) };
      } finally {
        await api.close();
      }
    }
  });
}

const WITHOUT_KEY: TestFinding = {
  check: 'key',
  result: 'failed',
  said: [{ notice: 'no-api-key' }]
};

async function answersOf(api: Asked, questions: readonly Question[]): Promise<TestFinding[]> {
  const findings: TestFinding[] = [];
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(tooSlow()), LONGEST_MS);
  let isValid = false;
  try {
    for (const { check, ask, forbidden } of questions) {
      try {
        findings.push({ check, result: 'ok', said: [await ask(api, limit.signal)] });
        isValid = true;
      } catch (error) {
        if (!(error instanceof CodedError)) throw error;
        const isForbidden = error.code === 'API_UNAUTHORIZED' && isValid && forbidden !== undefined;
        // What one question does not answer, the next one may.
        const result = isForbidden || error.code === 'API_NOT_FOUND' ? 'warning' : 'failed';
        const said = isForbidden ? { notice: forbidden } : { code: error.code, text: error.message };
        findings.push({ check, result, said: [said] });
        if (result === 'failed' && !error.retryable && !isValid && error.code !== 'BAD_PUBLIC_KEY') break;
      }
    }
  } finally {
    clearTimeout(timer);
  }
  return findings;
}

function tooSlow(): CodedError {
  return new CodedError('STALLED', `The API did not answer within ${LONGEST_MS / 1000} seconds.`, {
    retryable: true
  });
}
