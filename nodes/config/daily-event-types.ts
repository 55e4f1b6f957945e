/** What a new webhook at Daily asks for, unless the user wants others: Daily requires a list. */
export const DAILY_EVENT_TYPES: readonly string[] = [
  'meeting.started',
  'meeting.ended',
  'recording.started',
  'recording.ready-to-download',
  'recording.error'
];
