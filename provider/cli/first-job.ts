import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createConsumer } from '../consumer.ts';
import { loadIdentity } from '../node/index.ts';
import type { Provider } from '../provider.ts';
import { buildHandler } from '../../sdk/build/index.ts';
import { rawCid } from '../../sdk/protocol/index.ts';
import { formatBytes, formatCount } from './output.ts';

export const HELLO_SOURCE = fileURLToPath(new URL('../../handlers/hello/assembly/index.ts', import.meta.url));

/**
 * A job like anybody else's: its own identity, a real connection to our own address, the public protocol. Answers what a
 * newcomer wants to read: that it works, what it cost, and how to do the same from another shell.
 */
export async function runFirstJob(provider: Provider, data: string, signal: AbortSignal): Promise<string> {
  const address = provider.addrs[0];
  if (address === undefined) return 'No address to listen on: no first job.';
  const { wasm } = await buildHandler(HELLO_SOURCE);
  const handler = rawCid(wasm);
  await provider.blocks.put(handler, wasm);
  const consumer = await createConsumer({ privateKey: await loadIdentity(join(data, 'first-job.key')) });
  try {
    const client = await consumer.connect(address, { signal });
    const response = await client.call(handler, { path: '/?name=newcomer' }, {}, { signal });
    const body = (await response.text()).trim();
    const { cid, receipt } = await response.receipt;
    const { usage, priceBytes } = receipt;
    const command = process.env['npm_lifecycle_event'] === undefined ? 'workswap' : 'npm run -s workswap --';
    return [
      `  asked      GET /?name=newcomer of handler ${handler.toString()} (hello, ${formatBytes(wasm.length)})`,
      `  answered   ${response.status}: ${body}`,
      `  burnt      ${formatCount(usage.fuel)} units of fuel, ${usage.memoryPagesPeak * 64} KiB of memory at the peak`,
      `  costs      ${formatBytes(priceBytes)} of Bitswap traffic${usage.compiledBytes > 0 ? ', most of it for compiling the handler the first time' : ''}`,
      `  receipt    ${cid.toString()}, signed by this provider`,
      `  ledger     the caller now owes ${formatBytes(response.credit?.balance ?? 0)} of at most ${formatBytes(response.credit?.limit ?? 0)}`,
      '',
      'Call it yourself from another shell:',
      `  ${command} call ${address} ${handler.toString()} --path '/?name=you'`,
      '',
      'Ctrl-C stops the provider.',
    ].join('\n');
  } finally {
    await consumer.stop();
  }
}
