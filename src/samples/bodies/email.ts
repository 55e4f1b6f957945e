import { randomUUID } from 'node:crypto';
import type { EMAIL } from '../../events/catalogue/telnyx-email';
import { type SampleRecipe, sampleId } from '../sample-facts';

type EmailType = (typeof EMAIL)['types'][number]['event_type'];

function email(status: string, more: Record<string, unknown> = {}): SampleRecipe {
  return () => ({
    from: { email: 'shop@example.com', name: 'Example Shop' },
    id: sampleId(),
    recipient_id: randomUUID(),
    status,
    subject: 'A sample email',
    to: ['ann@example.com'],
    ...more
  });
}

function domain(status: string, more: Record<string, unknown> = {}): SampleRecipe {
  return () => ({ domain: 'mail.example.com', id: randomUUID(), status, ...more });
}

export const EMAIL_SAMPLES: Record<EmailType, SampleRecipe> = {
  'email.received': email('received', { text: 'This is a sample email.' }),
  'email.queued': email('queued'),
  'email.scheduled': email('scheduled'),
  'email.sending': email('sending'),
  'email.sent': email('sent'),
  'email.delivered': email('delivered'),
  'email.deferred': email('deferred'),
  'email.bounced': email('bounced', { error_evidence: { code: '550', text: 'No such mailbox' } }),
  'email.failed': email('failed', { error_evidence: { code: '554', text: 'Refused' } }),
  'email.opened': email('opened'),
  'email.clicked': email('clicked', { link: 'https://example.com/offer' }),
  'email.complained': email('complained'),
  'email.unsubscribed': email('unsubscribed'),
  'email.cancelled': email('cancelled'),
  'email.daily_limit_exceeded': email('failed'),
  'email.sandbox': email('sandbox'),
  'email_domain.created': domain('pending'),
  'email_domain.verified': domain('verified'),
  'email_domain.degraded': domain('degraded'),
  'email_domain.suspended': domain('suspended'),
  'email_domain.deleted': domain('deleted'),
  'email_domain.dkim_rotated': domain('verified', {
    dns_records: [{ name: 'k2._domainkey', type: 'TXT', value: 'v=DKIM1; k=rsa; p=AAAA' }]
  })
};
