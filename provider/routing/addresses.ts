import { BlockList, isIP } from 'node:net';
import type { PeerId } from '@libp2p/interface';
import type { Multiaddr } from '@multiformats/multiaddr';

/** What the IANA special-purpose registry keeps out of the public internet. */
const NOT_PUBLIC_IPV4: readonly [string, number][] = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
];

/** Parts of 2000::/3 that lead elsewhere: Teredo and other protocols, documentation, 6to4, documentation. */
const NOT_PUBLIC_IPV6: readonly [string, number][] = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
];

const notPublic = new BlockList();
for (const [net, bits] of NOT_PUBLIC_IPV4) notPublic.addSubnet(net, bits, 'ipv4');
for (const [net, bits] of NOT_PUBLIC_IPV6) notPublic.addSubnet(net, bits, 'ipv6');

/** All that was ever handed out of IPv6; IPv4 addresses in IPv6 clothes (::ffff:0:0/96, 64:ff9b::/96) are outside. */
const globalUnicast = new BlockList();
globalUnicast.addSubnet('2000::', 3, 'ipv6');

/** Says which addresses that others name we may remember and dial. */
export type AddressFilter = (address: Multiaddr, peer?: PeerId) => boolean;

/**
 * TCP on a literal IP address, of that very peer, and nothing else: we have no other transport, and a host name could resolve to anything.
 * Without `privateAddresses`, a stranger who names an address in our own network does not make us knock there.
 */
export function addressFilter({ privateAddresses }: { privateAddresses: boolean }): AddressFilter {
  return (address, peer) => {
    const [ip, tcp, ...rest] = address.getComponents();
    if (ip === undefined || (ip.name !== 'ip4' && ip.name !== 'ip6') || ip.value === undefined) return false;
    if (tcp?.name !== 'tcp' || tcp.value === undefined || tcp.value === '0') return false;
    if (rest.length > 1 || (rest[0] !== undefined && rest[0].name !== 'p2p')) return false;
    if (rest[0] !== undefined && peer !== undefined && rest[0].value !== peer.toString()) return false;
    return privateAddresses || isPublic(ip.value);
  };
}

function isPublic(ip: string): boolean {
  const family = isIP(ip);
  if (family === 4) return !notPublic.check(ip, 'ipv4');
  return family === 6 && globalUnicast.check(ip, 'ipv6') && !notPublic.check(ip, 'ipv6');
}

/** Lets through what the filter refuses, for addresses that the host's own configuration names. */
export function exceptNamed(filter: AddressFilter, named: readonly Multiaddr[]): AddressFilter {
  const exact = new Set(named.map((address) => withPeer(address)));
  return (address, peer) => filter(address, peer) || exact.has(withPeer(address, peer));
}

function withPeer(address: Multiaddr, peer?: PeerId): string {
  const text = address.toString();
  return text.includes('/p2p/') || peer === undefined ? text : `${text}/p2p/${peer.toString()}`;
}
