import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DeliveryLog, type DeliveryLogOptions } from '../../../../src/webhook/log/delivery-log';
import type { LoggedDelivery, NewDelivery } from '../../../../src/webhook/log/record';

/** Small enough for a test that goes through all of its bytes. */
export const SIZES = { first: 4096, most: 16_384 };

export const EVERYTHING = { from: -Infinity, to: Infinity };

export function delivery(id: string, overrides: Partial<NewDelivery> = {}): NewDelivery {
  return {
    scope: 'node-a',
    provider: 'telnyx',
    id,
    eventType: 'call.hangup',
    receivedAt: Date.UTC(2026, 4, 6, 7, 8, 9),
    verified: 'ed25519',
    keyIndex: 0,
    contentType: 'application/json',
    query: null,
    rawBody: Buffer.from(`{"data":{"id":"${id}"}}`),
    proof: {
      headers: [
        ['telnyx-timestamp', '1778051289'],
        ['telnyx-signature-ed25519', 'c2lnbmF0dXJl']
      ],
      publicKey: 'a2V5'
    },
    answer: null,
    ...overrides
  };
}

/** What a log reported when it was opened, with its deliveries read. */
export type ToldEntry =
  | { kind: 'delivery'; delivery: LoggedDelivery | null }
  | { kind: 'handed-over'; sequences: readonly number[] };

/** A log in a directory of its own, and what it reported when it was opened. */
export class LogFixture {
  readonly root = mkdtempSync(path.join(tmpdir(), 'delivery-log-'));
  readonly directory = path.join(this.root, 'deliveries', 'keep-7');
  readonly said: string[] = [];
  readonly #open: DeliveryLog[] = [];

  open(options: Partial<DeliveryLogOptions> = {}): { log: DeliveryLog; entries: ToldEntry[] } {
    const entries: ToldEntry[] = [];
    const log = new DeliveryLog({
      directory: this.directory,
      log: (text) => this.said.push(text),
      since: null,
      onEntry: (entry) =>
        entries.push(entry.kind === 'delivery' ? { kind: entry.kind, delivery: entry.read() } : entry),
      sizes: SIZES,
      ...options
    });
    this.#open.push(log);
    return { log, entries };
  }

  async remove(): Promise<void> {
    for (const log of this.#open) await log.close();
    rmSync(this.root, { recursive: true, force: true });
  }
}

export function idsOf(entries: readonly ToldEntry[]): string[] {
  return entries.flatMap((entry) =>
    entry.kind === 'delivery' ? [entry.delivery?.id ?? 'not understood'] : []
  );
}

export async function readAll(log: DeliveryLog, span = EVERYTHING): Promise<LoggedDelivery[]> {
  const all: LoggedDelivery[] = [];
  for await (const batch of log.read(span)) all.push(...batch);
  return all;
}
