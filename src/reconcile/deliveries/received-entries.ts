import { lookUpType } from '../../events/catalogue';
import { type CustodyEntry, recordingName, sha256Hex } from '../../evidence/custody/custody-line';
import { type CustodyFileState, custodyFiles, readCustodyFile } from '../../evidence/custody/custody-reader';
import { findRecordings } from '../../recording/find-recordings';
import type { SignatureProof } from '../../verification/signed-delivery';
import { loggedMessage, type ReplayedDelivery } from './replay-deliveries';

/** What the custody log tells of an accepted delivery. */
export interface ReceivedDelivery extends ReplayedDelivery {
  /** Node id. */
  scope: string;
  /** The identity used for duplicates. */
  id: string;
  eventType: string;
  proof: SignatureProof | null;
}

/** Lines for one delivery. One that names more recordings is one of our own making. */
const MOST_LINES = 50;

/** Whether a delivery may announce a recording; quick, because every delivery is asked about. */
export function mayAnnounce({ provider, eventType, duplicate }: ReceivedDelivery): boolean {
  if (duplicate === true) return false;
  const known = lookUpType(provider, eventType);
  return known === undefined || known.media !== null;
}

/**
 * The lines for a delivery: one for each recording that it announces, none when there is none. They hold what the provider
 * signed, as far as it identifies nobody: the signature, and the hash of the body.
 */
export function receivedEntries(delivery: ReceivedDelivery): CustodyEntry[] {
  const message = loggedMessage(delivery);
  if (message === null) return [];
  const names = findRecordings(message).map(({ identity, details }) =>
    recordingName(details.recording_id, identity)
  );
  const { scope, provider, id, eventType, rawBody, receivedAt, verified, proof } = delivery;
  const [signature, timestamp] = ['signature', 'timestamp'].map((what) => headerOf(proof, what));
  const signedAt = Number(timestamp ?? NaN);
  const details = {
    ...{ provider, event_type: eventType, event_id: recordingName(id, id), verified },
    delivery_sha256: sha256Hex(rawBody),
    signature: signature ?? null,
    // The text that was signed; a number, because the log takes digits alone for a telephone number.
    timestamp: Number.isSafeInteger(signedAt) ? signedAt : (timestamp ?? null),
    public_key: proof?.publicKey ?? null,
    received_at: new Date(receivedAt).toISOString()
  };
  return [...new Set(names)].slice(0, MOST_LINES).map((recording) => ({
    event: 'received',
    recording,
    actor: `node:${scope}`,
    details
  }));
}

function headerOf(proof: SignatureProof | null, what: string): string | null {
  return proof?.headers.find(([name]) => name.toLowerCase().includes(what))?.[1] ?? null;
}

/** Which deliveries have their lines, by node and hash of the body: `receivedSince` finds them, `isKnown` asks. */
export class KnownDeliveries {
  readonly #known = new Set<string>();

  /**
   * Reads the end of a custody log.
   *
   * @param directory of the log
   * @param since milliseconds since 1970
   * @throws the system's error
   */
  async read(directory: string, since: number): Promise<void> {
    const names = await custodyFiles(directory);
    for (let name = names.pop(); name !== undefined; name = names.pop()) {
      const { first }: CustodyFileState = await readCustodyFile(name, {
        directory,
        after: null,
        onLine: ({ at, event, actor, details }) => {
          if (event === 'received' && Date.parse(at) >= since)
            this.#known.add(`${actor} ${String(details['delivery_sha256'])}`);
        }
      });
      if (Date.parse(first?.at ?? '') < since) return;
    }
  }

  has({ scope, rawBody }: Pick<ReceivedDelivery, 'scope' | 'rawBody'>): boolean {
    return this.#known.has(`node:${scope} ${sha256Hex(rawBody)}`);
  }
}
