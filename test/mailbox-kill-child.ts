import { flushCompileCache } from 'node:module';
import { once } from 'node:events';
import { createProvider } from '../provider/index.ts';

/**
 * A provider for the test that kills it: loaded ahead, since that is most of what a start takes, it starts when a line comes
 * on its input. It ends with whoever made it.
 */
const [dataDir, config] = process.argv.slice(2) as [string, string];
// Whoever is killed leaves no cache behind.
flushCompileCache();
console.log(JSON.stringify({ event: 'loaded' }));
process.stdin.on('end', () => process.exit(1));
await once(process.stdin, 'data');
const provider = await createProvider({ dataDir, config: JSON.parse(config) });
process.on('SIGTERM', () => void provider.stop().then(() => process.exit(0)));
console.log(JSON.stringify({ event: 'ready', peerId: provider.peerId.toString(), addrs: provider.addrs }));
