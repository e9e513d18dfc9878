import { expect, it } from 'vitest';
import { connect, rawCid, verify } from 'workswap/client';
import { createProvider } from 'workswap';
import { hostile } from './fixtures.ts';

/** The package as an app imports it, by its exports. */
it('an app calls a handler and verifies the receipt with nothing but the package', async () => {
  const provider = await createProvider({ config: { node: { listen: ['/ip4/127.0.0.1/tcp/0'] } } });
  const client = await connect(provider.addrs);
  try {
    const wasm = await hostile();
    const handler = rawCid(wasm);
    await client.node.blocks.put(handler, wasm);
    const task = client.prepare(handler, { path: '/big' }, { fuelMax: 1e10, outputBytesMax: 9 * 1024 * 1024 });
    const response = await client.run(task);
    let bytes = 0;
    for await (const chunk of response) bytes += chunk.length;
    expect(bytes).toBe(8 << 20);
    const receipt = await response.receipt;
    await client.node.keepEvidence(client, task, receipt);
    expect(await verify(receipt, client.node)).toMatchObject({ verified: true, differs: [] });
  } finally {
    await client.close();
    await provider.stop();
  }
});

it('connecting to nobody says so and leaves nothing running', async () => {
  await expect(
    connect('/ip4/127.0.0.1/tcp/1/p2p/12D3KooWFQTxHFT2xvvYUZhprH5kvUvqmEaAtL6xDG3qFb8ovJ71'),
  ).rejects.toMatchObject({
    code: 'PROVIDER_UNREACHABLE',
  });
  await expect(connect('nowhere')).rejects.toThrow(/not a multiaddr/);
});
