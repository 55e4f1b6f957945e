import type { FamilyGroup } from './catalogue-entry';
import { V2_SHAPES } from './catalogue-entry';

const provider = 'telnyx';

/** Email; the names are documented, the bodies are not. */
export const EMAIL = {
  provider,
  family: 'email',
  label: 'Email',
  prefixes: ['email.', 'email_domain.'],
  shapes: V2_SHAPES,
  types: [
    {
      event_type: 'email.received',
      aliases: ['email.inbound', 'email.inbound.received'],
      description: 'An email came in'
    },
    { event_type: 'email.queued', description: 'An email waits to be sent' },
    { event_type: 'email.scheduled', description: 'An email will be sent later' },
    { event_type: 'email.sending', description: 'An email is being sent' },
    { event_type: 'email.sent', description: 'An email was handed over' },
    { event_type: 'email.delivered', description: 'An email arrived' },
    { event_type: 'email.deferred', description: 'The receiving server asked to try later' },
    { event_type: 'email.bounced', description: 'An email came back; error_evidence.code says why' },
    { event_type: 'email.failed', description: 'An email could not be sent' },
    { event_type: 'email.opened', description: 'An email was opened' },
    { event_type: 'email.clicked', description: 'A link in an email was followed' },
    { event_type: 'email.complained', description: 'An email was reported as spam' },
    { event_type: 'email.unsubscribed', description: 'A receiver unsubscribed' },
    { event_type: 'email.cancelled', description: 'A scheduled email was cancelled' },
    {
      event_type: 'email.daily_limit_exceeded',
      description: 'An email was not sent, because the daily limit is reached'
    },
    { event_type: 'email.sandbox', description: 'An email stayed in the sandbox' },
    { event_type: 'email_domain.created', description: 'A sending domain was added' },
    { event_type: 'email_domain.verified', description: 'A sending domain was verified' },
    { event_type: 'email_domain.degraded', description: 'A sending domain has problems' },
    { event_type: 'email_domain.suspended', description: 'A sending domain was suspended' },
    { event_type: 'email_domain.deleted', description: 'A sending domain was removed' },
    {
      event_type: 'email_domain.dkim_rotated',
      description: 'A sending domain has a new DKIM key; dns_records says what to publish'
    }
  ]
} as const satisfies FamilyGroup;
