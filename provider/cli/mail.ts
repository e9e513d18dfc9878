import type { Command } from 'commander';
import { addConsumerFlags, type ConsumerFlags } from './session.ts';

/** What every command about mail takes. */
export interface MailFlags extends ConsumerFlags {
  json?: boolean;
}

export interface SendFlags extends MailFlags {
  subject?: string;
  text?: string;
  attach: string[];
  reply?: string;
}

const repeat = (value: string, all: string[]): string[] => [...all, value];

/** The work of each command is loaded when it is asked for: it brings libp2p. */
const actions = async () => import('./mail-actions.ts');
const contactActions = async () => import('./mail-contacts.ts');

export function addMail(program: Command): Command {
  const mail = program
    .command('mail')
    .description(
      'Encrypted mail between peers: signed by its author, readable by its recipients only, kept while they are offline.',
    )
    .addHelpText(
      'after',
      `
Examples:
  workswap mail open --at ADDRESS                      a mailbox at a provider; prints your address
  workswap mail contacts add ada 12D3KooW...           ada's address; she told you
  workswap mail send ada --subject Hello --text 'How are you?' --attach photo.jpg
  workswap mail ls                                     fetch what waits, list all
  workswap mail read 4f2a                              by the beginning of its id
  workswap mail rm 4f2a

Your address is your peer id. Letters are kept in the directory of --home, which also has the keys: keep a copy of it.`,
    );
  const add = (name: string, description: string, examples: string): Command =>
    addConsumerFlags(mail.command(name).description(description))
      .option('--json', 'print one JSON document')
      .addHelpText('after', `\nExamples:\n${examples}`)
      .exitOverride()
      .showHelpAfterError('(--help shows examples)');

  add(
    'open',
    'Have mailboxes at one provider or several, and publish where they are. Others can write to you from then on.',
    `  workswap mail open --at /ip4/10.0.0.7/tcp/4771/p2p/12D3KooW...
  workswap mail open --at ADDRESS --at ADDRESS --payer recipient
  workswap mail open --accept contacts                  the same mailboxes, for contacts only from now on`,
  )
    .option(
      '--at <ADDR>',
      'multiaddr of a provider, ending in /p2p/PEER-ID; may be repeated. Default: those that you have',
      repeat,
      [],
    )
    .option('--payer <WHO>', 'sender or recipient: who pays for keeping your letters', 'sender')
    .option('--accept <WHO>', 'anyone, or your contacts: those of now', 'anyone')
    .action(async (flags: MailFlags & { at: string[]; payer: string; accept: string }) =>
      (await actions()).open(flags),
    );

  add(
    'close',
    'Close mailboxes, after what waits in them was fetched. Others can write to you at those that you keep.',
    '  workswap mail close --at 12D3KooW...\n  workswap mail close --all',
  )
    .option('--at <PEER>', 'peer id or multiaddr of the provider; may be repeated', repeat, [])
    .option('--all', 'all of them')
    .action(async (flags: MailFlags & { at: string[]; all?: boolean }) => (await actions()).close(flags));

  add(
    'send',
    'Send a letter. Whoever cannot be reached is tried again by "mail ls".',
    `  workswap mail send ada --subject Hello --text 'How are you?'
  workswap mail send ada bob 12D3KooW... --subject Photos --text @letter.txt --attach a.jpg --attach b.jpg
  echo 'Yes!' | workswap mail send ada --reply 4f2a --text @-`,
  )
    .argument('<to...>', 'contacts or peer ids')
    .option('--subject <TEXT>', 'one line')
    .option('--text <TEXT>', 'the letter; @FILE reads it from a file, @- from standard input')
    .option('--attach <FILE>', 'a file to send with it; may be repeated', repeat, [])
    .option('--reply <ID>', 'the letter that this one answers')
    .action(async (to: string[], flags: SendFlags) => (await actions()).send(to, flags));

  add(
    'ls',
    'Fetch what waits, send what could not be sent, and list letters, newest first.',
    `  workswap mail ls
  workswap mail ls --sent
  workswap mail ls --thread 4f2a
  workswap mail ls --offline --json`,
  )
    .option('--sent', 'those that you sent')
    .option('--thread <ID>', 'all letters of the conversation that this one belongs to')
    .option('--limit <N>', 'so many at most', '50')
    .option('--offline', 'only what is here already')
    .action(async (flags: MailFlags & { sent?: boolean; thread?: string; limit: string; offline?: boolean }) =>
      (await actions()).list(flags),
    );

  add(
    'read',
    'Show a letter; with --save fetch its attachments as well.',
    '  workswap mail read 4f2a\n  workswap mail read 4f2a --save ~/Downloads',
  )
    .argument('<id>', 'the beginning of its id')
    .option('--save <DIR>', 'write the attachments into this directory; no file is overwritten')
    .action(async (id: string, flags: MailFlags & { save?: string }) => (await actions()).read(id, flags));

  add('rm', 'Remove letters here. Others keep what they have.', '  workswap mail rm 4f2a 77c1')
    .argument('<id...>', 'beginnings of ids')
    .action(async (ids: string[], flags: MailFlags) => (await actions()).remove(ids, flags));

  const contacts = add('contacts', 'List contacts, and change them.', '  workswap mail contacts').action(
    async (flags: MailFlags) => (await contactActions()).contacts(flags),
  );
  /** They share the options of `contacts`. */
  const change = (
    usage: string,
    description: string,
    example: string,
    run: (mail: Awaited<ReturnType<typeof contactActions>>, values: string[], flags: MailFlags) => Promise<void>,
  ): void => {
    const command = contacts
      .command(usage)
      .description(description)
      .configureHelp({ showGlobalOptions: true })
      .addHelpText('after', `\nExamples:\n  workswap mail contacts ${example}`)
      .exitOverride()
      .showHelpAfterError('(--help shows examples)');
    command.action(async () => run(await contactActions(), command.args, command.optsWithGlobals<MailFlags>()));
  };
  change('add <name> <peer>', 'Give a peer a name.', 'add ada 12D3KooW...', (mail, [name, peer], flags) =>
    mail.addContact(name!, peer!, flags),
  );
  change(
    'verify <name> <peer>',
    'Compare with the peer id that its owner read to you, on the phone for example.',
    'verify ada 12D3KooW...',
    (mail, [name, told], flags) => mail.verifyContact(name!, told!, flags),
  );
  change('rm <name>', 'Forget a contact.', 'rm ada', (mail, [name], flags) => mail.removeContact(name!, flags));
  change('block <who>', 'Take no letters of a contact or peer any more.', 'block 12D3KooW...', (mail, [who], flags) =>
    mail.setBlocked(who!, true, flags),
  );
  change('unblock <who>', 'Take its letters again.', 'unblock 12D3KooW...', (mail, [who], flags) =>
    mail.setBlocked(who!, false, flags),
  );
  return mail;
}
