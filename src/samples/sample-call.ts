import { randomBytes, randomInt, randomUUID } from 'node:crypto';

/** The ids and numbers that the events of one made-up call share. Telnyx's names. */
export interface SampleCall {
  call_control_id: string;
  call_leg_id: string;
  call_session_id: string;
  connection_id: string;
  from: string;
  to: string;
}

/** A made-up call: fresh ids, numbers from the range reserved for documentation. */
export function sampleCall(): SampleCall {
  const from = randomInt(100, 200);
  const to = 100 + ((from - 100 + randomInt(1, 100)) % 100);
  return {
    call_control_id: `v3:${randomBytes(36).toString('base64url')}`,
    call_leg_id: randomUUID(),
    call_session_id: randomUUID(),
    connection_id: String(randomInt(10 ** 11, 10 ** 12)) + String(randomInt(10 ** 6, 10 ** 7)),
    from: `+12025550${from}`,
    to: `+12025550${to}`
  };
}
