import { HttpClient, type HttpClientOptions } from '../http/http-client';
import type { AddressRule, Resolver } from '../http/look-up';
import { unsafe } from './address/address-guard';
import { isPublicAddress, isPublicAnswer } from './address/public-address';
import type { NetworkPolicy } from './transfer-types';

export interface TransferAgentOptions {
  /** Default: the system's resolver. */
  resolve?: Resolver;
  /** Which addresses the policy `public-https` may contact. Default: those of the public internet. */
  isPublic?: (address: string) => boolean;
  /** Certificates trusted instead of the system's (PEM). */
  ca?: string | Buffer;
  /** Milliseconds for name, TCP and TLS together. Default 10,000. */
  connectTimeoutMs?: number;
}

/** The connections of the transfers, kept apart by network policy. */
export interface TransferAgents {
  client(policy: NetworkPolicy): HttpClient;
  /** Which literal addresses are public; the rule that the sockets follow too. */
  readonly isPublic: (address: string) => boolean;
  /** Ends all connections; transfers under way fail. */
  close(): Promise<void>;
}

/**
 * Creates the clients. Under `public-https` every connection is checked where it is made: the
 * addresses of a name are filtered in the socket's own look-up, so there is no second look-up that
 * could answer otherwise (DNS rebinding), and the address that was reached is checked once more.
 */
export function createTransferAgents(options: TransferAgentOptions = {}): TransferAgents {
  const { isPublic, ...connection } = options;
  const shared: HttpClientOptions = { wanted: 'file', ...connection };
  const clients: Record<NetworkPolicy, HttpClient> = {
    any: new HttpClient(shared),
    'public-https': new HttpClient({ ...shared, rule: publicOnly(isPublic ?? isPublicAnswer) })
  };
  return {
    isPublic: isPublic ?? isPublicAddress,
    client: (policy) => clients[policy],
    close: () => {
      for (const client of Object.values(clients)) client.destroy();
      return Promise.resolve();
    }
  };
}

function publicOnly(allows: (address: string) => boolean): AddressRule {
  const reasons = {
    literal: 'it is not a public address',
    name: 'its name leads to an address that is not public',
    reached: 'it led to an address that is not public'
  };
  return { allows, refusal: (host, how) => unsafe({ host }, reasons[how]) };
}
