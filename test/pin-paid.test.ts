import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { multiaddr } from '@multiformats/multiaddr';
import { expect, it, onTestFinished } from 'vitest';
import { startGateway } from '../provider/gateway/index.ts';
import type { Provider } from '../provider/provider.ts';
import { checkCar } from '../provider/ledger/index.ts';
import { openStorageReceipt } from '../sdk/protocol/index.ts';
import { consumer, directory, LISTEN, provider } from './fixtures.ts';
import { makeFile, pinWhen, putAll } from './pin-scene.ts';
import { failureSchema, pinStatusSchema } from './pin-api-schema.ts';
import { startProvider, workswap } from './processes.ts';

const request = (cid: { toString(): string }, origins: string[] = []) => ({ cid: cid.toString(), origins, meta: {} });

/** A GiB for a second costs 2^20 bytes: 1 MB for 1,000 s costs about 1 MB. */
const PRICE = { pin: 'anyone', storagePriceBytes: 2 ** 20, prepaidMs: 1_000_000 } as const;

async function ownerAt(host: Provider) {
  const node = await consumer({ listen: [LISTEN] });
  await node.libp2p.dial(host.addrs.map((addr) => multiaddr(addr)));
  return { node, id: node.libp2p.peerId, owner: node.libp2p.peerId.toString() };
}

it('an owner that serves its own DAG pays for keeping it with that, in one line of the ledger', async () => {
  const host = await provider({ config: { pinning: PRICE } });
  const { node, id, owner } = await ownerAt(host);
  const dag = await makeFile(1_000_000);
  await putAll(node.blockstore, dag.blocks);
  const beforeMs = Date.now();
  const added = host.pinning.add(owner, request(dag.root));
  const pin = await pinWhen(host, added, ({ status }) => status === 'pinned');
  const priceBytes = Math.ceil((dag.bytes / 2 ** 30) * 1000 * 2 ** 20);
  expect(pin).toMatchObject({ paidBytes: priceBytes });
  expect(pin.paidUntilMs).toBeGreaterThanOrEqual(beforeMs + 1_000_000);
  const account = host.scoreLedger.getAccount(id);
  expect(account).toMatchObject({ blocksRecv: dag.bytes, workSent: priceBytes, reserved: 0 });
  expect(account.balance).toBeLessThanOrEqual(0);
  const lines = [...host.scoreLedger.receipts!.list({ peer: owner })];
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({ direction: 'given', kind: 'work', priceBytes });
  const { receipt } = await openStorageReceipt(lines[0]!.bytes!);
  expect(receipt).toMatchObject({
    provider: host.peerId.toString(),
    consumer: owner,
    pin: pin.id,
    bytes: dag.bytes,
    priceBytes,
  });
  expect(receipt.root.equals(dag.root)).toBe(true);
});

it('who has no credit is refused with figures, over HTTP with 409 INSUFFICIENT_FUNDS', async () => {
  const host = await provider({
    config: { pinning: { ...PRICE, storagePriceBytes: 2 ** 30 }, credit: { newcomerLineBytes: 100_000 } },
  });
  const gateway = await startGateway(host, { listen: '127.0.0.1:0' });
  onTestFinished(() => gateway.stop());
  const { owner } = await ownerAt(host);
  const { token } = host.pinning.createToken(owner, { device: 'phone' });
  const { root } = await makeFile(10);
  const response = await fetch(`${gateway.url}/psa/pins`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ cid: root.toString() }),
  });
  expect(response.status).toBe(409);
  const failure = failureSchema.parse(await response.json());
  expect(failure.error.reason).toBe('INSUFFICIENT_FUNDS');
  expect(failure.error.details).toMatch(/\d+ bytes.*balance is 0.*limit is 100000/);
  expect(host.pinning.list(owner, {}).count).toBe(0);
  expect(host.scoreLedger.getAccount((await ownerAt(host)).id).reserved).toBe(0);
});

it('nothing is fetched beyond what its owner can pay for, and nothing stays reserved', async () => {
  const config = { pinning: { ...PRICE, retryMsMin: 3_600_000 }, credit: { newcomerLineBytes: 5_000_000 } };
  const host = await provider({ config });
  const { id, owner } = await ownerAt(host);
  // Somebody else has it, so that serving it does not pay.
  const holder = await consumer();
  const dag = await makeFile(12_000_000, 256 * 1024);
  await putAll(holder.blockstore, dag.blocks);
  await holder.connect(host.addrs);
  const added = host.pinning.add(owner, request(dag.root));
  const pin = await pinWhen(host, added, ({ status }) => status === 'failed');
  expect(pin.error).toMatchObject({ code: 'INSUFFICIENT_FUNDS' });
  expect(pin.bytes).toBeLessThan(6_000_000);
  expect(host.scoreLedger.getAccount(id)).toMatchObject({ reserved: 0, workSent: 0 });
});

it('what is paid for ends with its time when the owner has gone, and is renewed while he is here', async () => {
  const config = { pinning: { ...PRICE, prepaidMs: 2_000 } };
  const host = await provider({ config });
  const gateway = await startGateway(host, { listen: '127.0.0.1:0' });
  onTestFinished(() => gateway.stop());
  const [here, gone] = [await ownerAt(host), await ownerAt(host)];
  const dag = await makeFile(200_000);
  await putAll(host.blocks, dag.blocks);
  const stays = host.pinning.add(here.owner, request(dag.root));
  const ends = host.pinning.add(gone.owner, request(dag.root));
  const { token } = host.pinning.createToken(gone.owner, { device: 'phone' });
  for (const pin of [stays, ends]) await pinWhen(host, pin, ({ status }) => status === 'pinned');
  const { paidUntilMs: firstEndMs } = host.pinning.get(here.owner, stays.id);
  await gone.node.stop();
  const told = await pinWhen(host, ends, ({ error }) => error?.code === 'OWNER_AWAY');
  expect(told.status).toBe('pinned');
  const over = await pinWhen(host, ends, ({ status }) => status === 'failed');
  expect(over.error).toMatchObject({ code: 'PIN_EXPIRED' });
  expect(over.nextMs).toBeUndefined();
  const renewed = await pinWhen(host, stays, ({ paidUntilMs }) => paidUntilMs! > firstEndMs!);
  expect(renewed.status).toBe('pinned');
  expect([...host.scoreLedger.receipts!.list({ peer: here.owner })].length).toBeGreaterThanOrEqual(2);
  const response = await fetch(`${gateway.url}/psa/pins/${ends.id}`, { headers: { authorization: `Bearer ${token}` } });
  const { info } = pinStatusSchema.parse(await response.json());
  expect(info!['status_details']).toContain('PIN_EXPIRED');
});

it('workswap pin --at another provider: both ledgers count the storage receipt, and its export proves it', async () => {
  const [data, home] = [await directory(), await directory()];
  const config = join(data, 'workswap.toml');
  await writeFile(config, '[pinning]\npin = "anyone"\nstoragePriceBytes = 1_048_576\nprepaidMs = 1_000_000\n');
  const file = join(home, 'film.bin');
  await writeFile(file, new Uint8Array(2_500_000).fill(7));
  const host = await startProvider({ data });
  try {
    const run = async (...args: string[]) => {
      const { code, stdout, stderr } = await workswap([...args, '--json']);
      expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
      return JSON.parse(stdout.toString());
    };
    const consumerData = join(home, 'consumer');
    const { cid } = await run('publish', file, '--data', consumerData);
    const at = ['--at', host.addrs[0]!, '--home', consumerData];
    const pin = await run('pin', 'add', cid, '--wait', ...at);
    expect(pin).toMatchObject({ status: 'pinned', paidBytes: expect.any(Number) });
    const [ours] = await run('ledger', '--data', consumerData);
    expect(ours).toMatchObject({ workRecv: pin.paidBytes });
    await run('pin', 'status', pin.id, ...at);
    const [same] = await run('ledger', '--data', consumerData);
    expect(same.workRecv).toBe(pin.paidBytes);
    const [theirs] = await run('ledger', '--data', data);
    expect(theirs).toMatchObject({ workSent: pin.paidBytes });
    const line = { pin: pin.id, root: cid, bytes: pin.bytes, priceBytes: pin.paidBytes };
    expect(await run('ledger', 'storage', '--data', data)).toMatchObject([{ ...line, direction: 'given' }]);
    expect(await run('ledger', 'storage', '--data', consumerData)).toMatchObject([{ ...line, direction: 'received' }]);
    const car = join(home, 'receipts.car');
    await workswap(['ledger', 'history', '--data', data, '--car', car]);
    const checked = await checkCar(createReadStream(car));
    expect(checked).toMatchObject({ receipts: 1, missing: 0, problems: [] });
    expect(checked.statements[0]).toMatchObject({ provenSent: pin.paidBytes });
  } finally {
    await host.stop();
  }
});
