/**
 * Workswap as a library.
 *
 * ```ts
 * import { createProvider } from 'workswap';
 *
 * const provider = await createProvider({ dataDir: '/srv/workswap' });
 * console.log(provider.addrs);
 * ```
 */
export { createProvider } from './provider.ts';
export type { Provider, ProviderOptions } from './provider.ts';
export { createConsumer } from './consumer.ts';
export type { Consumer, ConsumerOptions } from './consumer.ts';
export type { Config, ConfigInput } from './config.ts';
export * from './ledger/index.ts';
export { createBitswap } from './bitswap/index.ts';
export type { Bitswap } from './bitswap/index.ts';
