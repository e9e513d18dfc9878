import type { Command } from 'commander';
import { withPinFlags, type PinFlags } from './pin-flags.ts';
import { addPinToken } from './pin-token.ts';

export interface PinAddFlags extends PinFlags {
  name?: string;
  origin: string[];
  meta: string[];
  wait?: boolean;
}

export interface PinListFlags extends PinFlags {
  status?: string;
  name?: string;
  cid?: string;
  limit: string;
  all?: boolean;
}

const repeat = (value: string, all: string[]): string[] => [...all, value];

/** The work of each command is loaded when it is asked for: it brings libp2p. */
const actions = async () => import('./pin-actions.ts');

export function addPin(program: Command): Command {
  const pin = program
    .command('pin')
    .description('Keep content of IPFS: at the provider that runs here, or at another one.')
    .addHelpText(
      'after',
      `
Examples:
  workswap pin add bafy... --name holiday
  workswap pin ls
  workswap pin status ID
  workswap pin rm ID
  workswap pin add bafy... --at ADDRESS      at another provider, as this machine's consumer

Other programs, such as "ipfs pin remote", use the Pinning Service API: docs/pinning.md.`,
    );
  const add = (name: string, description: string, examples: string): Command =>
    withPinFlags(pin.command(name), description, examples);

  add(
    'add',
    'Pin a DAG: the provider fetches all of it, and keeps it.',
    `  workswap pin add bafy... --name holiday --wait
  workswap pin add bafy... --origin /ip4/203.0.113.7/tcp/4001/p2p/12D3Koo...`,
  )
    .argument('<cid>', 'root of what is to be kept')
    .option('--name <NAME>', 'a name for people')
    .option('--origin <ADDR>', 'multiaddr of a peer that has it; may be repeated', repeat, [])
    .option('--meta <KEY=VALUE>', 'kept with the pin; may be repeated', repeat, [])
    .option('--wait', 'until it is pinned, or was not found')
    .action(async (cid: string, flags: PinAddFlags) => (await actions()).addPin(cid, flags));

  add(
    'ls',
    'Pins, the newest first.',
    `  workswap pin ls
  workswap pin ls --status failed,queued --json`,
  )
    .option('--status <LIST>', 'queued, pinning, pinned, failed, with commas between. Default: all')
    .option('--name <TEXT>', 'whose name has this in it')
    .option('--cid <CID>', 'of this root')
    .option('--limit <N>', 'at most so many', '100')
    .option('--all', 'of every owner: at the provider that runs here')
    .action(async (flags: PinListFlags) => (await actions()).listPins(flags));

  add('status', 'One pin: how far it is, and why it is not further.', '  workswap pin status ID')
    .argument('<id>', 'as "pin add" and "pin ls" print it')
    .action(async (id: string, flags: PinFlags) => (await actions()).showPin(id, flags));

  add('rm', 'Remove pins. Their blocks go with the next collection of garbage.', '  workswap pin rm ID')
    .argument('<id...>', 'as "pin ls" prints it')
    .action(async (ids: string[], flags: PinFlags) => (await actions()).removePins(ids, flags));
  add(
    'verify',
    'Read and hash every block of a pin again; what is damaged or gone is fetched anew.',
    '  workswap pin verify ID',
  )
    .argument('<id>', 'as "pin ls" prints it')
    .action(async (id: string, flags: PinFlags) => (await actions()).verifyPin(id, flags));

  add(
    'gc',
    'Remove blocks that no pin, service or running job needs. The provider goes on meanwhile.',
    `  workswap pin gc --dry-run
  workswap pin gc`,
  )
    .option('--dry-run', 'count them, and remove nothing')
    .action(async (flags: PinFlags & { dryRun?: boolean }) => (await actions()).collect(flags));
  addPinToken(pin);
  return pin;
}
