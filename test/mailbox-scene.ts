import { onTestFinished } from 'vitest';
import type { Consumer } from '../provider/consumer.ts';
import {
  Inbox,
  MailboxClient,
  openMailboxesAt,
  type MailboxSettings,
  type Message,
} from '../provider/mailbox/index.ts';
import type { Provider, ProviderOptions } from '../provider/provider.ts';
import type { Endpoint } from '../sdk/protocol/index.ts';
import { consumer, provider } from './fixtures.ts';

export const OPEN = { mailbox: { host: 'anyone' } } as const;

export function mailboxProvider(options: ProviderOptions = {}): Promise<Provider> {
  return provider({ ...options, config: { ...OPEN, ...options.config } });
}

export function endpointOf({ peerId, addrs }: Provider): Endpoint {
  return { peer: peerId.toString(), addrs };
}

export function text({ body }: Message): string {
  return Buffer.from(body).toString();
}

/** A peer with a mailbox at each of the hosts, and all that its inbox was given. */
export async function recipient(
  hosts: Provider[],
  options: Parameters<typeof consumer>[0] & { settings?: MailboxSettings } = {},
) {
  const node = await consumer(options);
  const client = mailboxClient(node);
  const endpoints = hosts.map(endpointOf);
  const { settings } = options;
  await openMailboxesAt(client, endpoints, { key: node.privateKey, ...(settings === undefined ? {} : { settings }) });
  const received: { text: string; provider: string; from: string }[] = [];
  const seen = new Set<string>();
  const inbox = new Inbox({
    client,
    endpoints,
    receive: async (message, from) => {
      const key = `${message.from} ${Buffer.from(message.id).toString('hex')}`;
      if (!seen.has(key)) received.push({ text: text(message), provider: from, from: message.from });
      seen.add(key);
    },
  });
  return { node, client, inbox, received, peer: node.libp2p.peerId };
}

export async function startInbox(inbox: Inbox): Promise<void> {
  await inbox.start();
  onTestFinished(() => inbox.stop());
}

/** A peer that knows nobody but one contact. */
export async function sender(contact: Provider): Promise<{ node: Consumer; client: MailboxClient }> {
  const node = await consumer({ routing: { bootstrap: [contact.addrs[0]!] } });
  return { node, client: mailboxClient(node) };
}

export function mailboxClient(node: Consumer): MailboxClient {
  const client = new MailboxClient(node);
  onTestFinished(() => client.close());
  return client;
}
