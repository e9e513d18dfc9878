import type { Command } from 'commander';
import { addRequestFlags, limitsOf, requestOf } from './options.ts';
import type { RequestFlags } from './options.ts';
import { formatBytes } from './output.ts';
import { addConsumerFlags, interruptSignal, openConsumer, resolveHandler } from './session.ts';
import type { ConsumerFlags } from './session.ts';

type QuoteFlags = RequestFlags & ConsumerFlags & { json?: boolean };

export function addQuote(program: Command): Command {
  const command = program
    .command('quote')
    .description("Ask for a provider's signed upper bound of a price, without running anything.")
    .argument('<address>', "the provider's multiaddr")
    .argument('<handler>', 'CID or .wasm file')
    .option('--json', 'print one JSON document');
  return addConsumerFlags(addRequestFlags(command))
    .addHelpText('after', `\nExample:\n  workswap quote ADDRESS mandelbrot.wasm --fuel 50_000_000`)
    .action(quote);
}

async function quote(address: string, handler: string, flags: QuoteFlags): Promise<void> {
  const request = await requestOf(flags);
  const signal = interruptSignal();
  const consumer = await openConsumer(flags);
  try {
    const cid = await resolveHandler(handler, (own, bytes) => consumer.blocks.put(own, bytes));
    const client = await consumer.connect(address, { signal });
    const { task, tariff, priceMaxBytes, compileBytes, expiresMs, provider } = await client.quote(
      cid,
      request,
      limitsOf(flags),
      {
        signal,
      },
    );
    if (flags.json) {
      console.log(
        JSON.stringify({
          task: task.toString(),
          tariff: tariff.toString(),
          priceMaxBytes,
          compileBytes,
          expiresMs,
          provider,
        }),
      );
    } else {
      console.log(
        `At most ${formatBytes(priceMaxBytes)} (${formatBytes(compileBytes)} of it for compiling the handler), ` +
          `valid until ${new Date(expiresMs).toISOString()}, signed by ${provider}`,
      );
    }
  } finally {
    await consumer.stop();
  }
}
