import { peerIdFromString } from '@libp2p/peer-id';
import { WorkswapError } from '../../sdk/protocol/index.ts';
import type { AttachedFile, MailboxClient } from '../mailbox/index.ts';
import { fetchDag, type GetBlock } from '../store/index.ts';
import { encryptTo } from './age.ts';
import { MailError } from './errors.ts';
import type { Letter } from './letter.ts';
import { DELIVERIES_UNDER_WAY_MAX, DELIVERY_TIMEOUT_MS } from './limits.ts';
import { pad } from './padding.ts';
import type { MailStore } from './store.ts';

/** Leaves letters of ours at the mailboxes of whoever they are to, and notes who has them. */
export class Deliveries {
  readonly #client: MailboxClient;
  readonly #store: MailStore;
  readonly #stopped: AbortSignal;
  readonly #underWay = new Set<string>();

  constructor(client: MailboxClient, store: MailStore, stopped: AbortSignal) {
    this.#client = client;
    this.#store = store;
    this.#stopped = stopped;
  }

  /** To everybody who does not have it yet; nothing when that is under way already. */
  async deliver(letter: Letter, document: Uint8Array, signal?: AbortSignal): Promise<void> {
    const key = Buffer.from(letter.id).toString('hex');
    if (this.#underWay.has(key)) return;
    this.#underWay.add(key);
    try {
      await this.#deliver(letter, document, signal);
    } finally {
      this.#underWay.delete(key);
    }
  }

  async #deliver(letter: Letter, document: Uint8Array, signal?: AbortSignal): Promise<void> {
    const open = this.#store.deliveries(letter.id).filter(({ isSent }) => !isSent);
    await this.connect(signal);
    const files = await Promise.all(letter.attachments.map(({ cid }) => this.#fileOf(cid)));
    const rest = open.values();
    const work = async (): Promise<void> => {
      for (const { recipient } of rest) {
        const error = await this.#deliverTo(recipient, letter.id, document, files, signal).then(
          () => undefined,
          (cause: unknown) => cause,
        );
        signal?.throwIfAborted();
        const known =
          error instanceof WorkswapError ? `${error.code}: ${error.message}` : (error as Error | undefined)?.message;
        this.#store.setDelivery(letter.id, {
          recipient,
          isSent: error === undefined,
          ...(known === undefined ? {} : { error: known }),
        });
      }
    };
    await Promise.all(Array.from({ length: DELIVERIES_UNDER_WAY_MAX }, work));
  }

  /** Those who keep our mail know where others' is, and have the files that letters name. */
  async connect(signal?: AbortSignal): Promise<void> {
    await Promise.allSettled(this.#store.endpoints().map((endpoint) => this.#client.at(endpoint, signal)));
  }

  async #deliverTo(
    recipient: string,
    id: Uint8Array,
    document: Uint8Array,
    files: readonly AttachedFile[],
    signal?: AbortSignal,
  ): Promise<void> {
    const deadline = AbortSignal.any([
      this.#stopped,
      AbortSignal.timeout(DELIVERY_TIMEOUT_MS),
      ...(signal === undefined ? [] : [signal]),
    ]);
    const to = peerIdFromString(recipient);
    const { mailKey } = await this.#client.find(to, deadline);
    if (mailKey === undefined)
      throw new MailError('NO_MAIL_KEY', `${recipient} takes messages, but has no key for mail.`);
    // Encrypted for each anew: a ciphertext that two mailboxes have would show that two peers got the same.
    const body = await encryptTo(mailKey, pad(document));
    await this.#client.send(to, body, { id, files, signal: deadline });
  }

  async #fileOf(cid: Letter['attachments'][number]['cid']): Promise<AttachedFile> {
    const getBlock: GetBlock = (wanted, options) => this.#client.node.bitswap.get(wanted, options);
    return { root: cid, bytes: (await fetchDag(cid, getBlock)).bytes };
  }
}
