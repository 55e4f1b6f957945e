import { randomUUID } from 'node:crypto';
import { type SampleCall, sampleCall } from './sample-call';

/** How the link of each file of a sample begins: no server has it, so nothing is ever contacted. */
export const SAMPLE_SCHEME = 'sample:';

/** How the ids of samples begin. */
export const SAMPLE_ID = 'sample-';

/** The recording that a sample event announces. */
export interface SampleRecording {
  id: string;
  /** Unix milliseconds. */
  startedAt: number;
  seconds: number;
  channels: 'single' | 'dual';
  conferenceId: string;
  /** What the event calls its format. */
  format: 'mp3' | 'wav';
  /** Null: it does not exist in this format. */
  urls: { mp3: string | null; wav: string | null };
  roomName: string;
}

/** What the body of a sample event is made from. */
export interface SampleFacts {
  /** The event's id. */
  id: string;
  now: Date;
  /** Where it is delivered. */
  to: string;
  /** Counted from 1. */
  attempt: number;
  call: SampleCall;
  recording: SampleRecording;
}

/** Makes the payload of one type of event; of a TeXML callback, its fields. */
export type SampleRecipe = (facts: SampleFacts) => Record<string, unknown>;

const SECONDS = 2;

/**
 * The facts of one sample: fresh ids, all of which say that it is a sample.
 *
 * @param id of the event
 * @param to the address that the event seems to be delivered to
 */
export function sampleFacts(id: string, now: Date, to: string): SampleFacts {
  return {
    id,
    now,
    to,
    attempt: 1,
    call: sampleCall(),
    recording: {
      id: sampleId(),
      startedAt: now.getTime() - SECONDS * 1000,
      seconds: SECONDS,
      channels: 'single',
      conferenceId: sampleId(),
      format: 'wav',
      urls: { mp3: null, wav: `${SAMPLE_SCHEME}tone.wav` },
      roomName: 'sample-room'
    }
  };
}

/** A fresh id that people recognise as that of a sample, also in the name of a file. */
export function sampleId(): string {
  return `${SAMPLE_ID}${randomUUID()}`;
}

/** `client_state` as Telnyx returns it. */
export const CLIENT_STATE = Buffer.from('sample delivery').toString('base64');

/** The ids of a call, as most events of Telnyx have them. */
export function callIds({ call }: SampleFacts): Record<string, unknown> {
  const { call_control_id, call_leg_id, call_session_id, connection_id } = call;
  return { call_control_id, call_leg_id, call_session_id, client_state: CLIENT_STATE, connection_id };
}

/** The ids of a call, and who talks to whom. */
export function callParties(facts: SampleFacts): Record<string, unknown> {
  return { ...callIds(facts), from: facts.call.from, to: facts.call.to };
}

/** Telnyx writes times of call events with six decimals. */
export function microseconds(time: Date): string {
  return time.toISOString().replace('Z', '000Z');
}

/** @param seconds before `time` */
export function ago(time: Date, seconds: number): string {
  return microseconds(new Date(time.getTime() - seconds * 1000));
}
