import { BlockList, isIP } from 'node:net';

/** IANA special-purpose registry for IPv4: everything that is not a host on the public internet. */
const NOT_PUBLIC_V4 = blockList('ipv4', [
  ['0.0.0.0', 8], // "this network", unspecified
  ['10.0.0.0', 8], // private
  ['100.64.0.0', 10], // carrier-grade NAT; Alibaba's metadata service
  ['127.0.0.0', 8], // loopback
  ['168.63.129.16', 32], // Azure's metadata and wire server
  ['169.254.0.0', 16], // link-local; metadata services
  ['172.16.0.0', 12], // private
  ['192.0.0.0', 24], // protocol assignments; Oracle's metadata service
  ['192.0.2.0', 24], // documentation
  ['192.88.99.0', 24], // 6to4 relay
  ['192.168.0.0', 16], // private
  ['198.18.0.0', 15], // benchmarks
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4] // reserved, broadcast
]);

/** Global unicast (RFC 4291). Loopback, mapped, unique-local, link-local, multicast are outside of it. */
const GLOBAL_UNICAST_V6 = blockList('ipv6', [['2000::', 3]]);

/** Parts of global unicast that are not public hosts, or hide an IPv4 address. */
const NOT_PUBLIC_V6 = blockList('ipv6', [
  ['2001::', 23], // protocol assignments, Teredo
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4
  ['3ffe::', 16], // former 6bone
  ['3fff::', 20] // documentation
]);

/** RFC 6052: what a DNS64 resolver answers for an IPv4-only host in an IPv6-only network. */
const NAT64 = /^64:ff9b::(?:([0-9a-f]{1,4}):)?([0-9a-f]{1,4})$/;

/**
 * True for an address of the public internet.
 *
 * @param address IPv4 or IPv6 in any textual form that `net.isIP` accepts
 */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !NOT_PUBLIC_V4.check(address, 'ipv4');
    case 6: {
      if (address.includes('%')) return false;
      return GLOBAL_UNICAST_V6.check(address, 'ipv6') && !NOT_PUBLIC_V6.check(address, 'ipv6');
    }
    default:
      return false;
  }
}

/**
 * True for an address that a resolver may return for a public host: like `isPublicAddress`, plus NAT64
 * addresses whose IPv4 address is public, which IPv6-only networks need.
 */
export function isPublicAnswer(address: string): boolean {
  if (isPublicAddress(address)) return true;
  if (isIP(address) !== 6 || address.includes('%')) return false;
  const match = NAT64.exec(new URL(`http://[${address}]/`).hostname.slice(1, -1));
  if (match === null) return false;
  const high = parseInt(match[1] ?? '0', 16);
  const low = parseInt(match[2] ?? '0', 16);
  return isPublicAddress(`${high >> 8}.${high & 255}.${low >> 8}.${low & 255}`);
}

function blockList(family: 'ipv4' | 'ipv6', ranges: [string, number][]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of ranges) list.addSubnet(network, prefix, family);
  return list;
}
