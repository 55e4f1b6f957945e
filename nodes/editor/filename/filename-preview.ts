import {
  type FilenameFault,
  type FilenamePart,
  type FilenameToken,
  LONGEST_TEMPLATE,
  MAX_SEGMENTS,
  parseFilename
} from '../../../src/naming/filename-syntax';

/** What the preview shows for each token while no real recording is known. */
const EXAMPLES: Readonly<Record<FilenameToken, string>> = {
  year: '2026',
  month: '03',
  day: '04',
  hour: '09',
  started_at: '20260304T091502Z',
  recording_id: 'a1b2c3d4-5521-4d3b-ac5d-591965950001',
  call_session_id: 'b2c3d4e5-a6c9-4f2b-b091-dcea8c630002',
  call_leg_id: 'c3d4e5f6-a6c9-4f2b-b091-dcea8c630003',
  call_control_id: 'v3_ExampleCall-0123456789',
  conference_id: 'd4e5f6a7-5707-37cb-bec2-47546e660004',
  connection_id: '1893004417265530001',
  channels: 'dual',
  ext: 'mp3',
  event_type: 'call.recording.saved',
  provider: 'telnyx',
  from: '+12025550111',
  to: '+12025550122',
  room_name: 'standup',
  track: 'cam-audio',
  media_index: '0'
};

/** A name from the template, or the key and values of the text about its fault. */
export type FilenamePreview =
  { name: string } | { problem: string; values?: Record<string, string | number> };

/** @param values what the tokens stand for; default: made-up ones */
export function previewFilename(
  template: string,
  values?: Readonly<Record<FilenameToken, string>>
): FilenamePreview {
  const parsed = parseFilename(template);
  if (!Array.isArray(parsed)) return problemText(parsed);
  const textOf = (part: FilenamePart): string => {
    if ('literal' in part) return part.literal;
    return values === undefined ? EXAMPLES[part.token] : values[part.token];
  };
  return { name: parsed.map((parts) => parts.map(textOf).join('')).join('/') };
}

function problemText(problem: FilenameFault): FilenamePreview {
  switch (problem.fault) {
    case 'length':
      return { problem: 'error.filename-length', values: { limit: LONGEST_TEMPLATE } };
    case 'empty':
      return { problem: 'error.filename-empty' };
    case 'absolute':
      return { problem: 'error.filename-absolute' };
    case 'token':
      return { problem: 'error.filename-token', values: { token: `{{${problem.shown}}}` } };
    case 'braces':
      return { problem: 'error.filename-braces', values: { example: '{{recording_id}}' } };
    case 'character':
      return { problem: 'error.filename-character', values: { character: JSON.stringify(problem.shown) } };
    case 'levels':
      return { problem: 'error.filename-levels', values: { limit: MAX_SEGMENTS } };
    case 'nameless':
    case 'dots':
      return { problem: 'error.filename-segment' };
  }
}
