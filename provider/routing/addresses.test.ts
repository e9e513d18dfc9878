import { generateKeyPair } from '@libp2p/crypto/keys';
import { peerIdFromPrivateKey } from '@libp2p/peer-id';
import { multiaddr } from '@multiformats/multiaddr';
import { expect, test } from 'vitest';
import { addressFilter, exceptNamed } from './addresses.ts';

const strict = addressFilter({ privateAddresses: false });
const open = addressFilter({ privateAddresses: true });
const peer = peerIdFromPrivateKey(await generateKeyPair('Ed25519'));
const other = peerIdFromPrivateKey(await generateKeyPair('Ed25519'));

test.each(['/ip4/1.2.3.4/tcp/4001', '/ip4/172.32.0.1/tcp/1', '/ip6/2a00:1450::1/tcp/4001'])(
  '%s is dialled wherever it was named',
  (text) => {
    expect(strict(multiaddr(text))).toBe(true);
    expect(strict(multiaddr(`${text}/p2p/${peer.toString()}`), peer)).toBe(true);
    expect(strict(multiaddr(`${text}/p2p/${other.toString()}`), peer)).toBe(false);
  },
);

test.each([
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.0.1',
  '198.18.0.1',
  '224.0.0.251',
  '255.255.255.255',
])('%s is not dialled when a stranger names it', (ip) => {
  expect(strict(multiaddr(`/ip4/${ip}/tcp/80`))).toBe(false);
  expect(strict(multiaddr(`/ip6/::ffff:${ip}/tcp/80`))).toBe(false);
  expect(strict(multiaddr(`/ip6/64:ff9b::${ip}/tcp/80`))).toBe(false);
  expect(open(multiaddr(`/ip4/${ip}/tcp/80`))).toBe(true);
});

test.each([
  '::',
  '::1',
  'fe80::1',
  'fc00::1',
  'fd12::1',
  'ff02::fb',
  '2001:db8::1',
  '2001::1',
  '2002:a00:1::',
  '3fff::1',
])('%s is not dialled when a stranger names it', (ip) => {
  expect(strict(multiaddr(`/ip6/${ip}/tcp/80`))).toBe(false);
});

test.each([
  '/dns4/example.com/tcp/4001',
  '/dnsaddr/bootstrap.example.com',
  '/ip4/1.2.3.4/udp/4001/quic-v1',
  '/ip4/1.2.3.4/tcp/0',
  '/ip4/1.2.3.4/tcp/4001/ws',
  '/ip4/1.2.3.4',
  '/unix/%2Fvar%2Frun%2Fdocker.sock',
])('%s is no address for us, even where private ones are allowed', (text) => {
  expect(open(multiaddr(text))).toBe(false);
});

test('an address that the configuration names is let through, for that peer only', () => {
  const address = '/ip4/10.0.0.1/tcp/4001';
  const filter = exceptNamed(strict, [multiaddr(`${address}/p2p/${peer.toString()}`)]);
  expect(filter(multiaddr(address), peer)).toBe(true);
  expect(filter(multiaddr(`${address}/p2p/${peer.toString()}`), peer)).toBe(true);
  expect(filter(multiaddr(address), other)).toBe(false);
  expect(filter(multiaddr('/ip4/10.0.0.1/tcp/22'), peer)).toBe(false);
});
