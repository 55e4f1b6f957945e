import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import { unsafe } from './address-guard';
import { isPublicAddress, isPublicAnswer } from './public-address';
import type { NetworkPolicy } from './transfer-types';

/** All addresses of a host name; `dns.lookup` with `all: true`. */
export type Resolver = (
  hostname: string,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void
) => void;

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

/** The connection pools of the transfers, one per network policy. */
export interface TransferAgents {
  agent(policy: NetworkPolicy): Dispatcher;
  /** Which literal addresses are public; the rule that the sockets follow too. */
  readonly isPublic: (address: string) => boolean;
  /** Ends all connections; transfers under way fail. */
  close(): Promise<void>;
}

/**
 * Creates the pools. Under `public-https` every connection is checked where it is made: the
 * addresses of a name are filtered in the socket's own look-up, so there is no second look-up that
 * could answer otherwise (DNS rebinding), and the address that was reached is checked once more.
 */
export function createTransferAgents(options: TransferAgentOptions = {}): TransferAgents {
  const isPublic = options.isPublic ?? isPublicAddress;
  const timeout = options.connectTimeoutMs ?? 10_000;
  const resolve = options.resolve ?? systemResolver;
  const tls = options.ca === undefined ? {} : { ca: options.ca };

  const open = buildConnector({ timeout, ...tls, lookup: anyLookup(resolve) });
  const guarded = buildConnector({
    timeout,
    ...tls,
    lookup: publicLookup(resolve, options.isPublic ?? isPublicAnswer)
  });
  const agents: Record<NetworkPolicy, Agent> = {
    any: new Agent({ connect: open }),
    'public-https': new Agent({ connect: checkedConnector(guarded, options.isPublic ?? isPublicAnswer) })
  };
  return {
    isPublic,
    agent: (policy) => agents[policy],
    close: async () => {
      await Promise.all(Object.values(agents).map((agent) => agent.destroy()));
    }
  };
}

function checkedConnector(
  connect: buildConnector.connector,
  allowed: (address: string) => boolean
): buildConnector.connector {
  return (options, callback) => {
    const host = options.hostname.replace(/^\[|\]$/g, '');
    if (isIP(host) !== 0 && !allowed(host)) {
      callback(unsafe({ host: options.hostname }, 'it is not a public address'), null);
      return;
    }
    connect(options, (...result) => {
      const [error, socket] = result;
      if (error !== null) {
        callback(error, null);
      } else if (!allowed(socket.remoteAddress ?? '')) {
        socket.destroy();
        callback(unsafe({ host: options.hostname }, 'it led to an address that is not public'), null);
      } else {
        callback(null, socket);
      }
    });
  };
}

/** A `lookup` for sockets that hands out public addresses only. */
function publicLookup(resolve: Resolver, allowed: (address: string) => boolean): LookupFunction {
  return socketLookup((hostname, callback) => {
    resolve(hostname, (error, addresses) => {
      if (error !== null) {
        callback(error, []);
        return;
      }
      const reachable = addresses.filter(({ address }) => allowed(address));
      if (reachable.length === 0)
        callback(unsafe({ host: hostname }, 'its name leads to an address that is not public'), []);
      else callback(null, reachable);
    });
  });
}

function anyLookup(resolve: Resolver): LookupFunction {
  return socketLookup(resolve);
}

function socketLookup(resolve: Resolver): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, (error, addresses) => {
      const wanted = addresses.filter(({ family }) => isWantedFamily(family, options.family));
      const first = wanted[0];
      if (error !== null) callback(error, '');
      else if (first === undefined)
        callback(Object.assign(new Error(`no address found for ${hostname}`), { code: 'ENOTFOUND' }), '');
      else if (options.all === true) callback(null, wanted);
      else callback(null, first.address, first.family);
    });
  };
}

function isWantedFamily(family: number, wanted: LookupOptions['family']): boolean {
  if (wanted === undefined || wanted === 0) return true;
  return wanted === family || wanted === `IPv${family}`;
}

function systemResolver(
  hostname: string,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void
): void {
  systemLookup(hostname, { all: true }, (error, addresses) =>
    // On failure Node passes no addresses at all, whatever its types say.
    callback(error, error === null ? addresses : [])
  );
}
