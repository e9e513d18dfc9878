import type { Command } from 'commander';
import { formatBytes } from './output.ts';
import { addConsumerFlags, interruptSignal, openConsumer, type ConsumerFlags } from './session.ts';

interface MessageFlags extends ConsumerFlags {
  at: string[];
  json?: boolean;
}

export function addMessage(program: Command): Command {
  const command = program
    .command('message')
    .description("Send a message to a service, in this consumer's name: it runs the handler's deliver.")
    .argument('<service>', 'its name, k51...')
    .argument('<text>', 'at most 64 KiB')
    .option(
      '--at <ADDR>',
      'multiaddr of a provider that knows the service; may be repeated',
      (value: string, all: string[]) => [...all, value],
      [],
    )
    .option('--json', 'print one JSON document');
  return addConsumerFlags(command)
    .addHelpText(
      'after',
      `
Examples:
  workswap message k51... watch --at ADDRESS     the guestbook's new entries come to your mailbox
  workswap mail ls                               where they are shown`,
    )
    .action(message);
}

async function message(service: string, text: string, flags: MessageFlags): Promise<void> {
  const { sendMessage } = await import('../messages/send.ts');
  const signal = interruptSignal();
  const consumer = await openConsumer(flags, { contacts: flags.at });
  try {
    const { id, sealed } = await sendMessage(consumer, service, Buffer.from(text), signal);
    const { priceBytes, commit } = sealed.receipt;
    const hex = Buffer.from(id).toString('hex');
    const receipt = sealed.cid.toString();
    if (flags.json) console.log(JSON.stringify({ id: hex, priceBytes, receipt, commit: commit?.toString() ?? null }));
    else console.log(`${service} has taken it · price ${formatBytes(priceBytes)} · receipt ${receipt}`);
  } finally {
    await consumer.stop();
  }
}
