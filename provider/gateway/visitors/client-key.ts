import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';

/** Who a client is for limits: its IPv4 address, or the /64 of its IPv6 address, which one household has to itself. */
export function clientKey(address: string): string {
  if (!address.includes(':')) return address;
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(address);
  if (mapped !== null) return mapped[1]!;
  const [head = '', tail] = address.split('%')[0]!.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : Math.max(0, 8 - front.length - back.length);
  const groups = [...front, ...Array.from({ length: zeros }, () => '0'), ...back].slice(0, 4);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}::/64`;
}

/** The address before our own proxy: the last one in the list, which the proxy wrote itself. */
export function forwardedClient(headers: IncomingHttpHeaders, peer: string): string {
  const forwarded = headers['x-forwarded-for'];
  if (forwarded === undefined || !isLoopback(peer)) return peer;
  const last = String(forwarded).split(',').at(-1)!.trim();
  return isIP(last) === 0 ? peer : last;
}

export function isLoopback(address: string): boolean {
  return address === '::1' || /^(?:::ffff:)?127\./i.test(address);
}
