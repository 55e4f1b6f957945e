/** Where flows keep the secrets of the meetings that they start, unless the account says otherwise. */
export const MEETING_CONTEXT = 'telnyxMeetingSecrets';
