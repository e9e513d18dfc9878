import { expect, test } from 'vitest';
import { Hosts } from './hosts.ts';

test('an address is ours where it was connected to, however it is written; behind a proxy the configuration names it', () => {
  const hosts = new Hosts(['203.0.113.7', 'sites.example']);
  for (const [header, local] of [
    ['198.51.100.1:8080', '198.51.100.1'],
    ['198.51.100.1', '::ffff:198.51.100.1'],
    ['[2001:db8:0:0::1]:80', '2001:db8::1'],
    ['[fe80::1]', 'fe80::1%eth0'],
    ['203.0.113.7', '127.0.0.1'],
    ['sites.example', '198.51.100.1'],
  ] as const) {
    expect(hosts.siteOf(header, local)).toMatchObject({ kind: 'main' });
  }
  for (const [header, local] of [
    ['198.51.100.1', '198.51.100.2'],
    ['[2001:db8::1]', '2001:db8::2'],
    ['127.0.0.1.example', '127.0.0.1'],
    ['198.51.100.1', ''],
  ] as const) {
    expect(() => hosts.siteOf(header, local)).toThrow(/does not answer for the host/);
  }
});
