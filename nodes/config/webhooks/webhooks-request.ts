import type { DailyWebhook } from '../../../src/providers/daily/webhooks/daily-webhook';
import type { WebhookSetting } from '../../../src/providers/telnyx/webhooks/webhook-kinds';

// What the dialogs of the webhook nodes send to the runtime, and what it replies.

/** Below the admin root. */
export const TELNYX_WEBHOOKS_PATH = '/telnyx-webhook-in/webhooks';
export const DAILY_WEBHOOKS_PATH = '/daily-webhook-in/webhooks';

/** The account that is chosen, deployed or not. A password that the editor does not know is `HIDDEN_PASSWORD`. */
export interface AccountValues {
  account: string;
  apiUrl: string;
  apiKey: string;
  /** Id of a deployed *http proxy* node, or blank. */
  proxy: string;
}

/** The address of the node. Both may name an environment variable. */
export interface AddressValues {
  /** Public address of this Node-RED. */
  base: string;
  path: string;
}

export type TelnyxWebhooksRequest = AccountValues &
  AddressValues &
  (
    | { action: 'list'; kind: string; name: string }
    | {
        action: 'set';
        collection: string;
        id: string;
        field: string;
        /** Blank: none was set. */
        expected: string;
        url: string;
      }
  );

export type DailyWebhooksRequest = AccountValues &
  AddressValues & { hmac: string } & (
    | { action: 'list' }
    | { action: 'create'; url: string; eventTypes: string[] }
    | { action: 'activate' | 'store'; uuid: string; url: string }
  );

/** One request to the API. */
export interface ApiCall {
  /** `GET /call_control_applications` */
  call: string;
  /** Why it failed; null when it did not. */
  error: string | null;
  /** Of that error. */
  code: string | null;
}

/** What came of a request; all calls are there in either case. */
export type Outcome<Result> =
  | { calls: ApiCall[]; result: Result }
  /** `isHopeless`: the next one would fail as well. */
  | { calls: ApiCall[]; error: string; code: string; isHopeless: boolean };

/** What is true of the node's own address. */
export interface OwnAddress {
  /** The webhook URL of the node, environment variables resolved. */
  url: string;
  /** Whether a deployed node listens at that path. */
  isServed: boolean;
}

export interface TelnyxWebhookList extends OwnAddress {
  settings: WebhookSetting[];
  isCut: boolean;
  unreadable: number;
}

/** Whether the account has the secret of a webhook; `unstated` when Daily does not tell the secret. */
export type SecretState = 'known' | 'unknown' | 'unstated';

export interface ShownWebhook {
  webhook: DailyWebhook;
  /** Whether it sends to the node's own URL. */
  isOwn: boolean;
  secret: SecretState;
}

export interface DailyWebhookList extends OwnAddress {
  webhooks: ShownWebhook[];
}

export interface DailyWebhookChange {
  shown: ShownWebhook;
  /** Whether its secret was put into the account, so that a deploy is needed. */
  isStored: boolean;
}
