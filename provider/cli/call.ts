import type { Command } from 'commander';
import type { SealedReceipt } from '../../sdk/protocol/index.ts';
import type { Response } from '../../sdk/client/index.ts';
import { rememberAddress } from './addresses.ts';
import { errorJson, exitCodeOf, printError } from './errors.ts';
import { addRequestFlags, limitsOf, requestOf } from './options.ts';
import type { RequestFlags } from './options.ts';
import { base64, formatBytes, formatCount } from './output.ts';
import { addConsumerFlags, interruptSignal, openConsumer, resolveHandler } from './session.ts';
import type { ConsumerFlags } from './session.ts';

type CallFlags = RequestFlags & ConsumerFlags & { json?: boolean };

export function addCall(program: Command): Command {
  const command = program
    .command('call')
    .description('Run a handler at a provider. The body goes to stdout, one line about fuel and price to stderr.')
    .argument('<address>', "the provider's multiaddr, as it prints it")
    .argument(
      '<handler>',
      'CID, or a .wasm file: a file is served to the provider over Bitswap, which earns you those bytes',
    )
    .option('--json', 'print status, headers, body (base64), receipt and account as one JSON document');
  return addConsumerFlags(addRequestFlags(command))
    .addHelpText(
      'after',
      `
Examples:
  workswap call /ip4/127.0.0.1/tcp/4771/p2p/12D3Koo... hello.wasm --path '/?name=Ada'
  workswap call ADDRESS mandelbrot.wasm --path '/?width=640&height=480' > mandelbrot.png
  workswap call ADDRESS bafkrei... --method POST --data @order.json --max-price 1_000_000 --json`,
    )
    .action(call);
}

async function call(address: string, handler: string, flags: CallFlags): Promise<void> {
  const request = await requestOf(flags);
  const signal = interruptSignal();
  const consumer = await openConsumer(flags);
  try {
    const cid = await resolveHandler(handler, (own, bytes) => consumer.blocks.put(own, bytes));
    const client = await consumer.connect(address, { signal });
    await rememberAddress(flags.home, client.provider, address);
    const prepared = client.prepare(cid, request, limitsOf(flags));
    try {
      const response = await client.run(prepared, { signal });
      const body = await response.bytes();
      const sealed = await response.receipt;
      await consumer.keepEvidence(client, prepared, sealed);
      if (flags.json) console.log(JSON.stringify(callJson(response, body, sealed)));
      else {
        process.stdout.write(body);
        process.stderr.write(`${summary(response, sealed)}\n`);
      }
    } catch (error) {
      const sealed = (error as { receipt?: SealedReceipt }).receipt;
      if (sealed !== undefined) await consumer.keepEvidence(client, prepared, sealed);
      if (!flags.json || sealed === undefined) throw error;
      console.log(JSON.stringify({ error: errorJson(error), receipt: receiptJson(sealed), ...usageJson(sealed) }));
      printError(error, false);
      process.exitCode = exitCodeOf(error);
    }
  } finally {
    await consumer.stop();
  }
}

export function receiptJson({ cid, bytes, receipt }: SealedReceipt): Record<string, unknown> {
  const { usage, task, handler, input, output, tariff, priceBytes, meterVersion, provider, consumer, error } = receipt;
  return {
    cid: cid.toString(),
    task: task.toString(),
    handler: handler.toString(),
    input: input.toString(),
    output: output.toString(),
    ...usage,
    priceBytes,
    tariff: tariff.toString(),
    meterVersion,
    provider,
    consumer,
    ...(error === undefined ? {} : { error }),
    signature: base64(signatureOf(bytes)),
    block: base64(bytes),
  };
}

function usageJson({ receipt }: SealedReceipt): Record<string, unknown> {
  return { fuel: receipt.usage.fuel, memoryPagesPeak: receipt.usage.memoryPagesPeak, priceBytes: receipt.priceBytes };
}

/** A receipt block ends in its 64 signature bytes: "signature" is the last key of its map in canonical order. */
function signatureOf(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(bytes.length - 64);
}

function callJson(response: Response, body: Uint8Array, sealed: SealedReceipt): Record<string, unknown> {
  const { status, headers, credit } = response;
  return { status, headers, body: base64(body), ...usageJson(sealed), receipt: receiptJson(sealed), ledger: credit };
}

function summary({ status, credit }: Response, { cid, receipt }: SealedReceipt): string {
  const { usage, priceBytes } = receipt;
  const parts = [
    `status ${status}`,
    `${formatCount(usage.fuel)} fuel`,
    `${usage.memoryPagesPeak * 64} KiB memory`,
    `price ${formatBytes(priceBytes)}${usage.compiledBytes > 0 ? ' (with compiling the handler)' : ''}`,
  ];
  if (credit !== undefined) parts.push(`you owe ${formatBytes(credit.balance)} of ${formatBytes(credit.limit)}`);
  return `${parts.join(' · ')} · receipt ${cid.toString()}`;
}
