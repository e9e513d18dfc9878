import { generateKeyPair } from '@libp2p/crypto/keys';
import type { PeerId } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { expect, it, onTestFinished } from 'vitest';
import type { Consumer } from '../provider/consumer.ts';
import { createScoreLedger, type CreditPolicy } from '../provider/ledger/index.ts';
import { SERVICES_LIMITS } from '../provider/services/limits.ts';
import { DelegatedNames, NameResolver, NameStore } from '../provider/services/names/index.ts';
import { PeersSource } from '../provider/services/names/peers-source.ts';
import { checkRecord, makePublication } from '../provider/services/index.ts';
import { ASKING_BYTES_PER_SECOND, Senders } from '../provider/services/senders.ts';
import { openDatabase } from '../provider/store/index.ts';
import { openDescriptor, serviceName } from '../sdk/protocol/index.ts';
import { consumer, provider } from './fixtures.ts';
import { delegatedRouter } from './name-servers.ts';
import { maintain, never } from './service-scene.ts';

/** What may go on for as long as it can. */
const ASKING_BYTES_MAX = (SERVICES_LIMITS.resolveTimeoutMs / 1_000) * ASKING_BYTES_PER_SECOND;

/** As a provider that has been asked nothing yet. */
function newSenders(
  { libp2p, bitswap }: Consumer,
  { url, credit = {}, namesMax = 10 }: { url?: string; credit?: Partial<CreditPolicy>; namesMax?: number } = {},
) {
  const limits = SERVICES_LIMITS;
  const names = new NameStore(openDatabase(':memory:'), namesMax);
  const scoreLedger = createScoreLedger({ database: openDatabase(':memory:'), policy: credit });
  onTestFinished(() => {
    scoreLedger.stop();
    names.close();
  });
  const sources = [new PeersSource(libp2p, [], limits), ...(url === undefined ? [] : [new DelegatedNames(url)])];
  const resolver = new NameResolver(names, sources, limits);
  const getBlock = (cid: Parameters<typeof bitswap.get>[0]) => bitswap.get(cid, { signal: never });
  const senders = new Senders({ libp2p, names, resolver, getBlock, scoreLedger, limits });
  const check = (name: string, peer: PeerId): Promise<void> => senders.check(name, peer, never);
  return { check, names, scoreLedger };
}

/** A provider with a service, and whoever may get messages of it. */
async function scene() {
  const sender = await provider({ config: { services: { host: 'anyone' } } });
  const maintained = await maintain(await consumer(), [sender]);
  const recipient = await consumer();
  await recipient.libp2p.dial(sender.addrs.map((addr) => multiaddr(addr)));
  return { sender, recipient, ...maintained, name: maintained.publication.name };
}

async function unknownName(): Promise<string> {
  return serviceName((await generateKeyPair('Ed25519')).publicKey);
}

it('who was an endpoint once speaks for the service no more where anybody who is asked knows the newer record', async () => {
  const { sender: former, recipient, key, handler, name } = await scene();
  const newer = await makePublication(key, { handler, endpoints: [] }, 2);
  const { url, records } = await delegatedRouter();
  await newSenders(recipient, { url }).check(name, former.peerId);
  records.set(name, Buffer.from(newer.record));
  const { cid, bytes } = await openDescriptor(newer.descriptor);
  await recipient.blocks.put(cid, bytes);
  const again = newSenders(recipient, { url }).check(name, former.peerId);
  await expect(again).rejects.toThrow('its maintainer names other endpoints');
});

it('to find out takes credit, whatever comes of it, and what is known takes none', async () => {
  const { sender, recipient, name } = await scene();
  // Room for one question, and none is forgiven.
  const credit = { newcomerLineBytes: ASKING_BYTES_MAX, refreshBytesPerSecond: 0 };
  const proven = newSenders(recipient, { credit });
  await proven.check(name, sender.peerId);
  const { ghost, reserved } = proven.scoreLedger.getAccount(sender.peerId);
  expect(ghost).toBeGreaterThan(0);
  expect(reserved).toBe(0);
  await proven.check(name, sender.peerId);
  expect(proven.scoreLedger.getAccount(sender.peerId).ghost).toBe(ghost);
  await expect(proven.check(await unknownName(), sender.peerId)).rejects.toMatchObject({ code: 'OVER_CREDIT' });

  const { check } = newSenders(recipient, { credit });
  await expect(check(await unknownName(), sender.peerId)).rejects.toMatchObject({ code: 'SENDER_UNPROVEN' });
  await expect(check(await unknownName(), sender.peerId)).rejects.toMatchObject({ code: 'OVER_CREDIT' });
});

it('names of those that are found out about push no other out, and those that are kept are renewed', async () => {
  const { sender, recipient, key, handler, name, publication } = await scene();
  const { url, records } = await delegatedRouter();
  const { check, names } = newSenders(recipient, { url, namesMax: 1 });
  const used = await makePublication(await generateKeyPair('Ed25519'), { handler, endpoints: [] }, 1);
  names.put(await checkRecord(used.name, used.record, Date.now()));
  records.set(name, Buffer.from(publication.record));
  await check(name, sender.peerId);
  expect(names.latest(used.name)?.sequence).toBe(1);
  expect(names.latest(name)).toBeUndefined();

  const kept = newSenders(recipient, { url });
  kept.names.put(await checkRecord(name, publication.record, Date.now()));
  const newer = await makePublication(key, { handler, endpoints: [] }, 2);
  records.set(name, Buffer.from(newer.record));
  const { cid, bytes } = await openDescriptor(newer.descriptor);
  await recipient.blocks.put(cid, bytes);
  await expect(kept.check(name, sender.peerId)).rejects.toMatchObject({ code: 'SENDER_UNPROVEN' });
  expect(kept.names.latest(name)?.sequence).toBe(2);
});
