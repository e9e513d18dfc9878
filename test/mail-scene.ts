import { onTestFinished } from 'vitest';
import type { Consumer } from '../provider/consumer.ts';
import { openMail, type Mail } from '../provider/mail/index.ts';
import type { Provider } from '../provider/provider.ts';
import { consumer } from './fixtures.ts';
import { endpointOf, mailboxProvider } from './mailbox-scene.ts';

export interface User {
  node: Consumer;
  mail: Mail;
  errors: unknown[];
}

/** Somebody with mail whose mailbox is at these providers. */
export async function user(
  hosts: { peer: string; addrs: string[] }[],
  options: Parameters<typeof consumer>[0] = {},
): Promise<User> {
  const node = await consumer({ routing: { bootstrap: hosts.map(({ addrs }) => addrs[0]!) }, ...options });
  const errors: unknown[] = [];
  const mail = await openMail({ node, dataDir: undefined, onError: (error) => errors.push(error) });
  onTestFinished(() => mail.close());
  await mail.openAt(hosts);
  return { node, mail, errors };
}

export async function scene(names: number, host?: Provider) {
  const at = host ?? (await mailboxProvider());
  const users: User[] = [];
  for (let i = 0; i < names; i++) users.push(await user([endpointOf(at)]));
  return { host: at, users };
}

export function hex(id: Uint8Array): string {
  return Buffer.from(id).toString('hex');
}
