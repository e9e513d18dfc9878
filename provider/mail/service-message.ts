import type { PeerId } from '@libp2p/interface';
import { decodeMessage, openDescriptor, type ServiceMessage } from '../../sdk/protocol/index.ts';
import type { MailboxNode } from '../mailbox/index.ts';
import { descriptorOf } from '../services/index.ts';
import { openLetter, type Letter } from './letter.ts';

/** The first byte of a map of seven: a service's message. A letter that is signed begins as a map of three, an encrypted one as text. */
const MESSAGE_START = 0xa7;
const FIND_TIMEOUT_MS = 5_000;
const text = new TextDecoder('utf-8', { fatal: true });

export function isServiceMessage(bytes: Uint8Array): boolean {
  return bytes[0] === MESSAGE_START;
}

/** A letter as it is kept: of a peer, signed, or a message of a service. @throws DocumentError */
export async function openKept(document: Uint8Array): Promise<{ letter: Letter; author: string }> {
  if (!isServiceMessage(document)) return openLetter(document);
  const message = decodeMessage(document);
  return { letter: letterOf(message), author: message.from };
}

/** A message of a service as a letter; nothing of it is encrypted or signed. */
function letterOf({ id, to, timeMs, body }: ServiceMessage): Letter {
  return { id, thread: id, to: [to], timeMs, subject: 'Message of a service', text: textOf(body), attachments: [] };
}

function textOf(body: Uint8Array): string {
  try {
    return text.decode(body);
  } catch {
    return `(${body.length} bytes that are no text)`;
  }
}

/** Whether the provider that left a message may speak for the service: whether its maintainer names it as an endpoint. */
export async function isEndpoint(
  { resolveName, bitswap }: Pick<MailboxNode, 'resolveName' | 'bitswap'>,
  service: string,
  provider: PeerId,
): Promise<boolean> {
  try {
    const signal = AbortSignal.timeout(FIND_TIMEOUT_MS);
    const record = await resolveName(service, signal);
    const { descriptor } = await openDescriptor(await bitswap.get(descriptorOf(record), { signal, peers: [provider] }));
    const isIts = descriptor.name === service;
    return isIts && descriptor.endpoints.some(({ peer }) => peer === provider.toString());
  } catch {
    return false;
  }
}
