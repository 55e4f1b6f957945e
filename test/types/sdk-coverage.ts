/**
 * Checked only by the compiler (`tsc -p tsconfig.test.json`): the catalogue lists every webhook that the
 * official SDK of Telnyx types, and every event to which a webhook of an email domain can subscribe. When an update
 * of the SDK adds one, the build fails here and names it.
 */
import type { EmailWebhookEvent } from 'telnyx/resources/email-domains/webhooks';
import type {
  CampaignStatusUpdate,
  ReplacedLinkClickWebhookEvent,
  UnwrapWebhookEvent
} from 'telnyx/resources/webhooks';
import type { EventAlias, TelnyxEventType } from '../../src/events/catalogue';

type Literal<T> = T extends string ? (string extends T ? never : T) : never;
type Field<T, Name extends string> = T extends unknown
  ? Name extends keyof T
    ? NonNullable<T[Name]>
    : never
  : never;

/** Where the SDK's types name the event: at the root, in `data`, or as the `event` of a meeting. */
type TypeOf<E> = E extends unknown
  ? | Literal<Field<E, 'event_type'>>
    | Literal<Field<Field<E, 'data'>, 'event_type'>>
    | `meeting.${Literal<Field<E, 'event'>>}`
  : never;

type SdkType = TypeOf<UnwrapWebhookEvent>;
type UntypedMember<E> = E extends unknown ? ([TypeOf<E>] extends [never] ? E : never) : never;
type Equal<A, B> = [A, B] extends [B, A] ? true : false;

type None<T extends never> = T;

/** Types of the SDK that the catalogue lacks. There must be none; the compiler reports any. */
type Missing = Exclude<SdkType | EmailWebhookEvent, TelnyxEventType | EventAlias>;
export type MissingInTheCatalogue = None<Missing>;

/** Members without a type on the wire: the two whose type the parser derives, and no other. */
type Untyped = UntypedMember<UnwrapWebhookEvent>;
export const everyOtherMemberHasAType: Equal<Untyped, CampaignStatusUpdate | ReplacedLinkClickWebhookEvent> =
  true;
export const theDerivedTypesAreListed: ['10dlc.campaign.update' | 'message.link_click'] extends [
  TelnyxEventType
]
  ? true
  : false = true;

/** The types above must find something, or the check would pass on nothing. */
type Witness =
  | 'call.initiated'
  | 'conference.floor.changed'
  | 'meeting.recording.available'
  | 'message.received'
  | 'whatsapp.account.update';
export const theEmailEventsWereFound: ['email.cancelled' | 'email_domain.dkim_rotated'] extends [
  EmailWebhookEvent
]
  ? true
  : false = true;
export const theSdkTypesWereFound: [Witness] extends [SdkType] ? true : false = true;
