import type { ComponentLogger, Logger } from '@libp2p/interface';

const silent: Logger = Object.assign(() => {}, {
  error: () => {},
  trace: () => {},
  enabled: false,
  newScope: () => silent,
});

/**
 * For a node that nobody debugs. libp2p makes a logger for each stream, which asks the terminal whether it has colours
 * among much else, and boxo opens a stream for every message.
 */
export const quietLogger: ComponentLogger = { forComponent: () => silent };
