import { lookup as systemLookup, type LookupAddress, type LookupOptions } from 'node:dns';
import type { LookupFunction } from 'node:net';
import type { CodedError } from '../errors/coded-error';

/** All addresses of a host name; `dns.lookup` with `all: true`. */
export type Resolver = (
  hostname: string,
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void
) => void;

/** Which machines may be contacted. Asked at the socket, where it is certain which machine it is. */
export interface AddressRule {
  /** @param address IPv4 or IPv6 */
  allows: (address: string) => boolean;
  /**
   * The error of a refused host.
   *
   * @param how `literal`: the host is such an address; `name`: its name leads to such addresses only;
   *   `reached`: the connection led to one
   */
  refusal: (host: string, how: 'literal' | 'name' | 'reached') => CodedError;
}

/** A `lookup` for sockets, which hands out no address that the rule forbids. */
export function socketLookup(resolve: Resolver = systemResolver, rule?: AddressRule): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, (error, addresses) => {
      if (error !== null) {
        callback(error, '');
        return;
      }
      const allowed =
        rule === undefined ? addresses : addresses.filter(({ address }) => rule.allows(address));
      if (rule !== undefined && allowed.length === 0) {
        callback(rule.refusal(hostname, 'name'), '');
        return;
      }
      const wanted = allowed.filter(({ family }) => isWantedFamily(family, options.family));
      const first = wanted[0];
      if (first === undefined)
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
