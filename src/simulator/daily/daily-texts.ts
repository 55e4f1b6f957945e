import { Media } from '../../samples/media/media';

/** The side files of a recording, by Daily's names (docs: "dataOutputs"). */
export const SIDE_FILES = ['event-json', 'transcript-webvtt', 'chat-webvtt'] as const;

export type SideFileName = (typeof SIDE_FILES)[number];

/** What a text is made from. Unix milliseconds. */
export interface TextFacts {
  id: string;
  roomName: string;
  startedAt: number;
}

/** A text that the stand-in serves. */
export interface DailyTextFile {
  /** As the API calls it: `transcription`, `event-json`, … */
  name: string;
  /** As the archive calls it: `transcript`, `events`, … */
  track: string;
  format: 'vtt' | 'srt' | 'json' | 'txt';
  media: Media;
}

/** The side file of a recording; always the same for the same recording. */
export function sideFileOf(name: SideFileName, facts: TextFacts): DailyTextFile {
  switch (name) {
    case 'event-json':
      return { name, track: 'events', format: 'json', media: json(events(facts)) };
    case 'transcript-webvtt':
      return { name, track: 'transcript', format: 'vtt', media: vtt(facts) };
    case 'chat-webvtt':
      return { name, track: 'chat', format: 'vtt', media: vtt({ ...facts, id: `the chat of ${facts.id}` }) };
  }
}

/** The files of a batch job with the preset `summarize`. */
export function jobFilesOf(facts: TextFacts): DailyTextFile[] {
  const of = { name: 'transcription', track: 'transcript' };
  const words = [
    { word: 'Hello', start: 0, end: 0.4, confidence: 0.98, speaker: 0, punctuated_word: 'Hello.' }
  ];
  return [
    { ...of, format: 'txt', media: text('text/plain', `Hello. This is ${facts.id}.\n`) },
    {
      ...of,
      format: 'srt',
      media: text('text/plain', `1\r\n00:00:00,000 --> 00:00:01,000\r\n${facts.id}\r\n`)
    },
    { ...of, format: 'vtt', media: vtt(facts) },
    { ...of, format: 'json', media: json({ job: facts.id, words }) },
    {
      name: 'summary',
      track: 'summary',
      format: 'txt',
      media: text('text/plain', `${facts.id} was brief.\n`)
    }
  ];
}

/** The file of a transcript. */
export function transcriptFileOf(facts: TextFacts): DailyTextFile {
  return { name: 'transcript', track: 'transcript', format: 'vtt', media: vtt(facts) };
}

function events({ id, startedAt }: TextFacts): object {
  const ts = startedAt / 1000;
  return {
    recording: { id, type: 'cloud-recording' },
    events: [
      { ts, type: 'recording-media-started' },
      { ts: ts + 0.5, type: 'track-started', participant_id: 'guest', data: { trackSessionNum: 1 } }
    ]
  };
}

function vtt({ id, roomName }: TextFacts): Media {
  return text('text/vtt', `WEBVTT\n\nNOTE ${roomName}\n\n00:00:00.000 --> 00:00:01.000\n<v Guest>${id}\n`);
}

function json(value: object): Media {
  return text('application/json', JSON.stringify(value));
}

function text(contentType: string, content: string): Media {
  return new Media(contentType, Buffer.from(content), Buffer.from('\n'), 0);
}
