import { randomBytes } from 'node:crypto';
import { rawCid } from '../../sdk/protocol/index.ts';
import { createProvider } from '../provider.ts';

/** The provider that `calibrate` measures: its own process, told over IPC to report its CPU time. */
const ROUNDS = 5;
const BLOCKS_PER_ROUND = 256;
const BLOCK_BYTES = 256 * 1024;

const [dataDir, consumer] = process.argv.slice(2) as [string, string];
const provider = await createProvider({
  dataDir,
  config: { node: { listen: ['/ip4/127.0.0.1/tcp/0'] }, credit: { overrides: { [consumer]: 'unlimited' } } },
});
const rounds: string[][] = [];
for (let round = 0; round < ROUNDS; round++) {
  const cids: string[] = [];
  for (let i = 0; i < BLOCKS_PER_ROUND; i++) {
    const bytes = new Uint8Array(randomBytes(BLOCK_BYTES));
    const cid = rawCid(bytes);
    await provider.blocks.put(cid, bytes);
    cids.push(cid.toString());
  }
  rounds.push(cids);
}
process.on('message', () => process.send!(process.cpuUsage()));
process.on('disconnect', () => process.exit(0));
process.send!({ address: provider.addrs[0], rounds });
