import type { PeerId } from '@libp2p/interface';
import { decodeMessage, openDescriptor, type ServiceMessage } from '../../sdk/protocol/index.ts';
import type { Bitswap } from '../bitswap/index.ts';
import { descriptorOf, type NameRecord } from '../services/index.ts';
import { openLetter, type Letter } from './letter.ts';

/** The first byte of a map of seven: a service's message. A letter that is signed begins as a map of three, an encrypted one as text. */
const MESSAGE_START = 0xa7;
/** All sources are waited for, and the slowest of them takes ten seconds. */
const FIND_TIMEOUT_MS = 15_000;
/** Failures of one provider before it is not asked about again, for so long; and of how many that is remembered. */
const FAILURES_MAX = 8;
const FAILURES_MS = 600_000;
const FAILURES_KEPT_MAX = 1_000;
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

export interface EndpointsNode {
  bitswap: Pick<Bitswap, 'get'>;
  newestName(name: string, signal: AbortSignal): Promise<NameRecord | undefined>;
}

/** Who may speak for services. */
export class ServiceEndpoints {
  readonly #node: EndpointsNode;
  /** Of providers, the last of them last. */
  readonly #failures = new Map<string, { count: number; untilMs: number }>();

  constructor(node: EndpointsNode) {
    this.#node = node;
  }

  /**
   * Whether the maintainer of a service names the provider that left a message as its endpoint. To find that out takes
   * seconds where nobody knows the service, and messages wait for each other: so whoever names one such service after the
   * other is not looked into any more for a while.
   */
  async has(service: string, provider: PeerId): Promise<boolean> {
    const key = provider.toString();
    const nowMs = performance.now();
    const known = this.#failures.get(key);
    const failed = known !== undefined && known.untilMs > nowMs ? known.count : 0;
    if (failed >= FAILURES_MAX) return false;
    const isIts = await this.#isNamed(service, provider).catch(() => false);
    this.#failures.delete(key);
    if (isIts) return true;
    if (this.#failures.size >= FAILURES_KEPT_MAX) this.#failures.delete(this.#failures.keys().next().value!);
    this.#failures.set(key, { count: failed + 1, untilMs: nowMs + FAILURES_MS });
    return false;
  }

  async #isNamed(service: string, provider: PeerId): Promise<boolean> {
    const { bitswap } = this.#node;
    const signal = AbortSignal.timeout(FIND_TIMEOUT_MS);
    // Who was an endpoint once may be the first to answer, with the record of then.
    const record = await this.#node.newestName(service, signal);
    if (record === undefined) return false;
    const { descriptor } = await openDescriptor(await bitswap.get(descriptorOf(record), { signal, peers: [provider] }));
    return descriptor.name === service && descriptor.endpoints.some(({ peer }) => peer === provider.toString());
  }
}
