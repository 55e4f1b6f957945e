import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import type { Print } from '../../cli/print';
import type { StandInRecording } from '../../telnyx/recording-shelf';
import type { TelnyxStandIn } from '../../stand-in';
import { TimeLimit } from '../../time-limit';
import type { NodeRedChild } from '../node-red-child';
import { step } from '../steps';

/** A recording that was never announced, and what finds it. */
export interface LostRecording {
  standIn: Pick<TelnyxStandIn, 'recordings' | 'downloads' | 'downloaded'>;
  lost: StandInRecording;
  /** Id of the inject node that begins the list. */
  button: string;
  /** Name of its flow, for display. */
  flow: string;
}

const FETCH_MS = 45_000;

/**
 * Clicks the button of the flow that compares Telnyx's list with the archive, and waits until the recording that
 * was never announced is fetched.
 *
 * @throws Error when it is not, or when something else was fetched again
 */
export async function fetchLost(
  { standIn, lost, button, flow }: LostRecording,
  nodeRed: Pick<NodeRedChild, 'url' | 'logTail'>,
  print: Print,
  signal: AbortSignal
): Promise<void> {
  const before = new Map(standIn.recordings.map((recording) => [recording, standIn.downloads(recording)]));
  await step(print, `Comparing what Telnyx lists with what is stored, as ${flow} does`, async () => {
    await click(nodeRed.url, button, signal);
    const limit = new TimeLimit(FETCH_MS, signal);
    try {
      await standIn.downloaded(lost, limit.signal);
    } catch (error) {
      if (!limit.over) throw error;
      throw new Error(
        `Recording ${lost.id} was lost and not found within ${FETCH_MS / 1000} s. Node-RED logged:\n${nodeRed.logTail()}`,
        { cause: error }
      );
    } finally {
      limit.dispose();
    }
    const fetched = [...before].filter(([recording, times]) => standIn.downloads(recording) > times);
    if (fetched.length > 1)
      throw new Error(`${fetched.length} recordings were fetched, but only 1 was missing`);
    return `${before.size} recordings are listed, 1 was missing and is fetched`;
  });
}

/** An event that never arrived, and what finds it. */
export interface LostEvent {
  type: string;
  /** The `id` of its payload. */
  id: string;
  /** Id of the inject node that begins the list. */
  button: string;
  /** Name of its flow, for display. */
  flow: string;
  /** Where that flow writes the payloads that it finds, one per line. */
  file: string;
}

const POLL_MS = 100;

/**
 * Clicks the button of the flow that compares Telnyx's log of deliveries with what arrived, and waits until the flow has
 * the event that was never delivered.
 *
 * @throws Error when it is not found, or something else is
 */
export async function findLost(
  { type, id, button, flow, file }: LostEvent,
  nodeRed: Pick<NodeRedChild, 'url' | 'logTail'>,
  print: Print,
  signal: AbortSignal
): Promise<void> {
  await step(print, `Comparing what Telnyx tried to deliver with what arrived, as ${flow} does`, async () => {
    await click(nodeRed.url, button, signal);
    const end = performance.now() + FETCH_MS;
    for (;;) {
      const found = await linesOf(file);
      if (found.length > 1) throw new Error(`${found.length} events were found, but only 1 was missing`);
      if (found[0]?.includes(id) === true) return `${type} ${id} was missing, and the flow has it now`;
      if (performance.now() > end) {
        throw new Error(
          `${type} ${id} was lost and not found within ${FETCH_MS / 1000} s. Node-RED logged:\n${nodeRed.logTail()}`
        );
      }
      await wait(POLL_MS, undefined, { signal });
    }
  });
}

async function click(url: string, button: string, signal: AbortSignal): Promise<void> {
  const response = await fetch(`${url}/inject/${button}`, { method: 'POST', signal });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`Node-RED answered the click of its button with ${response.status}`);
}

async function linesOf(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').filter((line) => line !== '');
}
