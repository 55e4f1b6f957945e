import { CodedError } from '../../src/errors/coded-error';
import { unknownDetails } from '../../src/recording/extract/announcement';

/** A function that reads outside text. */
export interface TextFunction {
  /** Its file. */
  file: string;
  name: string;
  call: (text: string) => unknown;
  /** Whether it parses JSON, which takes Node.js a while for a million lists. */
  isParser?: boolean;
}

/** For functions that read several fields: each can be only a part of a body of 1 MB. */
export function onEach(text: string, call: (part: string) => unknown): unknown {
  return call(text.slice(0, text.length / 8));
}

/** As many bytes as the text has characters, without a split character. */
export function bytesOf(text: string): Buffer {
  return Buffer.from(text).subarray(0, text.length - (text.length % 36));
}

export const RECEIVED_AT = Date.UTC(2026, 0, 31);

export const details = unknownDetails({
  provider: 'telnyx',
  event_type: null,
  event_id: null,
  announced_at: null
});

export const event = { provider: 'telnyx', event_type: 'call.recording.saved', id: 'e' };

/** Characters of a list in the settings, typed by the user: an entry costs more than a character. */
export const SETTING = 4096;

export function refuses(call: () => unknown): void {
  try {
    call();
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
  }
}
