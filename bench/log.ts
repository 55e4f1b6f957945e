import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { DeliveryLog, type LogEnd } from '../src/webhook/log/delivery-log';
import type { NewDelivery } from '../src/webhook/log/record';
import type { BenchResult } from './bench-result';

export const DELIVERIES = 1_000_000;
/** Senders that wait for an answer at the same time. */
const TOGETHER = 256;
/** Deliveries that a crash leaves in the log after the place that the database knows. */
const TAIL = 5000;
const READ_PER_SECOND = 50_000;
const START_SECONDS = 2;

/**
 * Writes a log of a million deliveries, opens it as after a crash, and reads all of it. The directory is where a user
 * directory would be: on the disk, not in memory.
 */
export async function run(): Promise<BenchResult[]> {
  const directory = mkdtempSync(path.join(process.cwd(), '.bench-log-'));
  const options = { directory, log: console.error };
  try {
    const log = new DeliveryLog({ ...options, since: null, onEntry: () => undefined });
    const write = await fill(log);
    const start = opening(options, write.end);
    const whole = opening(options, null);
    const read = await readAll(start.log);
    await Promise.all([log, start.log, whole.log].map((each) => each.close()));
    return [
      {
        name: `deliveries per second that a replay reads from the log, against ${READ_PER_SECOND}`,
        ratio: read.perSecond / READ_PER_SECOND,
        target: 1,
        details: [
          `written: ${write.perSecond.toFixed(0)}/s, ${TOGETHER} at a time, ${(start.log.size / 2 ** 20).toFixed(0)} MiB`,
          `read: ${read.count} deliveries, ${read.perSecond.toFixed(0)}/s`
        ]
      },
      {
        name: `start with ${DELIVERIES} logged deliveries, how many times faster than ${START_SECONDS} s`,
        ratio: START_SECONDS / start.seconds,
        target: 1,
        details: [
          `opened in ${start.seconds.toFixed(2)} s, with ${start.told} deliveries behind the known place; all of it, as ` +
            `without the database, in ${whole.seconds.toFixed(2)} s (${whole.told} deliveries)`
        ]
      }
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** @param about of a delivery, by its number from 1 */
export async function fill(
  log: DeliveryLog,
  about: (number: number) => Partial<NewDelivery> = () => ({})
): Promise<{ perSecond: number; end: LogEnd }> {
  let next = 0;
  let end = log.writer.durable;
  const sender = async (): Promise<void> => {
    while (next < DELIVERIES) {
      next += 1;
      if (next === DELIVERIES - TAIL) end = log.writer.durable;
      const { sequence } = await log.writer.append({ ...delivery(), ...about(next) });
      log.writer.handedOver(sequence);
    }
  };
  const begun = performance.now();
  await Promise.all(Array.from({ length: TOGETHER }, sender));
  return { perSecond: (DELIVERIES * 1000) / (performance.now() - begun), end };
}

function opening(
  options: { directory: string; log: (text: string) => void },
  since: LogEnd | null
): { log: DeliveryLog; seconds: number; told: number } {
  let told = 0;
  const begun = performance.now();
  const log = new DeliveryLog({
    ...options,
    since,
    onEntry: ({ kind }) => {
      if (kind === 'delivery') told += 1;
    }
  });
  return { log, seconds: (performance.now() - begun) / 1000, told };
}

async function readAll(log: DeliveryLog): Promise<{ count: number; perSecond: number }> {
  let count = 0;
  const begun = performance.now();
  for await (const batch of log.read({ from: -Infinity, to: Infinity })) count += batch.length;
  if (count !== DELIVERIES) throw new Error(`Read ${count} of ${DELIVERIES} deliveries.`);
  return { count, perSecond: (count * 1000) / (performance.now() - begun) };
}

/** About the size of a real call event. */
export function delivery(): NewDelivery {
  const id = randomBytes(16).toString('hex');
  const data = {
    event_type: 'call.answered',
    id,
    occurred_at: '2026-05-06T07:08:09.100000Z',
    payload: {
      call_control_id: `v3:${id}${id}`,
      call_leg_id: id,
      call_session_id: id,
      client_state: 'aGVsbG8gd29ybGQ=',
      connection_id: '1893004417265530112',
      from: '+12025550101',
      to: '+12025550102',
      start_time: '2026-05-06T07:08:08.000000Z',
      state: 'answered'
    },
    record_type: 'event'
  };
  return {
    scope: 'a1b2c3d4e5f60718',
    provider: 'telnyx',
    id,
    eventType: data.event_type,
    receivedAt: Date.now(),
    verified: 'ed25519',
    keyIndex: 0,
    contentType: 'application/json',
    query: null,
    rawBody: Buffer.from(
      JSON.stringify({ data, meta: { attempt: 1, delivered_to: 'https://example.com/telnyx' } })
    ),
    proof: {
      headers: [
        ['telnyx-timestamp', '1778051289'],
        ['telnyx-signature-ed25519', `${'c2lnbmF0dXJl'.repeat(7)}AA==`]
      ],
      publicKey: `${'cHVibGlja2V5'.repeat(3)}cHVibGk=`
    },
    answer: null
  };
}
