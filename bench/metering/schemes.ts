import { meter } from '../../provider/metering/index.ts';
import { injectGlobalPerBlock } from './global-per-block.ts';

/** The ways to count fuel that are run side by side, each against the module as it came. */
export const schemes = {
  /** The module once more: what differs here is the noise of the machine. */
  copy: (bytes: Uint8Array) => Buffer.concat([bytes, customSection]),
  /** What a provider runs. */
  metered: (bytes: Uint8Array) => meter(bytes).bytes,
  /** What it runs where function references cross the border: fuel in locals and the global. */
  locals: (bytes: Uint8Array) => meter(bytes, { fuelInParameters: false }).bytes,
  /** The peer. */
  globalPerBlock: injectGlobalPerBlock,
} satisfies Record<string, (bytes: Uint8Array) => Uint8Array>;

export type Scheme = keyof typeof schemes;
export const schemeNames = Object.keys(schemes) as Scheme[];

// The engine would share the code of two modules with the same bytes.
const customSection = Uint8Array.of(0, 2, 1, 0x63);
