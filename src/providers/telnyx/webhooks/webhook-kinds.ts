// What in a Telnyx account has a webhook URL. The dialog uses this too, so it imports nothing.

/** In the order in which the dialog lists them. */
export const WEBHOOK_KINDS = ['call-control', 'texml', 'messaging', 'fax', 'connection'] as const;

export type WebhookKind = (typeof WEBHOOK_KINDS)[number];

/** A field that a change of the URL sets as well, because Telnyx would send something else otherwise. */
export interface FieldChange {
  field: string;
  from: string | null;
  to: string;
}

/** One webhook URL of an application, a profile or a connection. All texts are Telnyx's, and untrusted. */
export interface WebhookSetting {
  /** Last segment of the address of its collection: `call_control_applications`. Null: the API cannot change it. */
  collection: string | null;
  id: string;
  name: string;
  /** The field with the URL: `webhook_event_url`. */
  field: string;
  /** Null: none is set. */
  url: string | null;
  /** Where Telnyx sends what the URL does not accept; a change leaves it as it is. */
  failover: string | null;
  /** What a change sets besides the URL. */
  alongside: FieldChange[];
}
