import type { Command } from 'commander';
import { UsageError } from './errors.ts';
import { formatAgo, formatTable } from './output.ts';
import { withPinFlags, type PinFlags } from './pin-flags.ts';

const DAY_MS = 86_400_000;

interface CreateFlags extends PinFlags {
  device: string;
  days?: string;
}

const session = async () => import('./pin-session.ts');

export function addPinToken(pin: Command): void {
  const token = pin
    .command('token')
    .description('Tokens for the Pinning Service API: one for each device that pins in your name.');

  withPinFlags(
    token.command('create'),
    'Make a token. It is printed once and not kept.',
    `  workswap pin token create --device laptop --days 90
  ipfs pin remote service add workswap http://GATEWAY/psa TOKEN`,
  )
    .requiredOption('--device <NAME>', 'what will use it')
    .option('--days <N>', 'after which it ends. Default: never')
    .action(create);

  withPinFlags(token.command('ls'), 'Your tokens, and when they were used last.', '  workswap pin token ls').action(
    list,
  );

  withPinFlags(token.command('rm'), 'Revoke a token, from now on.', '  workswap pin token rm ID')
    .argument('<id>', 'as "pin token ls" prints it')
    .action(revoke);
}

async function create(flags: CreateFlags): Promise<void> {
  const days = Number(flags.days ?? 0);
  if (!(days >= 0 && days <= 36_500)) throw new UsageError(`--days takes a number of days, not ${flags.days}`);
  const { withPins } = await session();
  await withPins(flags, async ({ ask }) => {
    const end = days === 0 ? {} : { expiresMs: Date.now() + Math.round(days * DAY_MS) };
    const made = await ask({ ask: 'token-create', device: flags.device, ...end });
    console.log(flags.json ? JSON.stringify(made) : made.token);
  });
}

async function list(flags: PinFlags): Promise<void> {
  const { withPins } = await session();
  await withPins(flags, async ({ ask }) => {
    const { tokens } = await ask({ ask: 'token-list' });
    if (flags.json) console.log(JSON.stringify(tokens));
    else if (tokens.length === 0) console.log('There are no tokens.');
    else {
      const nowMs = Date.now();
      const rows = tokens.map(({ id, device, createdMs, expiresMs, usedMs }) => [
        id,
        device,
        formatAgo(nowMs - createdMs),
        usedMs === undefined ? 'never' : formatAgo(nowMs - usedMs),
        expiresMs === undefined ? 'never' : new Date(expiresMs).toISOString().slice(0, 10),
      ]);
      console.log(formatTable(['id', 'device', 'age', 'used', 'ends'], rows));
    }
  });
}

async function revoke(id: string, flags: PinFlags): Promise<void> {
  const { withPins } = await session();
  await withPins(flags, async ({ ask }) => {
    await ask({ ask: 'token-revoke', id });
    console.log(flags.json ? JSON.stringify({ revoked: id }) : `Revoked ${id}.`);
  });
}
