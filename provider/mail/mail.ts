import { randomBytes } from 'node:crypto';
import type { PrivateKey } from '@libp2p/interface';
import { peerIdFromString } from '@libp2p/peer-id';
import type { Blockstore } from 'interface-blockstore';
import type { Endpoint } from '../../sdk/protocol/index.ts';
import { Inbox, MailboxClient, type MailboxNode, type Message } from '../mailbox/index.ts';
import type { GetBlock } from '../store/index.ts';
import { decryptWith } from './age.ts';
import { loadAttachment, storeAttachment, type NewAttachment } from './attachments.ts';
import { addContact, peerOf, verifyContact } from './contacts.ts';
import { Deliveries } from './delivery.ts';
import { MailError } from './errors.ts';
import { openLetter, signLetter, type Attachment, type Letter } from './letter.ts';
import { LETTER_ID_BYTES, RECIPIENTS_MAX } from './limits.ts';
import { OwnMailboxes, type ClosedMailbox } from './own-mailboxes.ts';
import { unpad } from './padding.ts';
import { isServiceMessage, openKept, ServiceEndpoints, type EndpointsNode } from './service-message.ts';
import type { Contact, Delivery, LetterRow, MailSettings, MailStore } from './store.ts';

export interface MailInit {
  node: MailboxNode & EndpointsNode & { privateKey: PrivateKey; blocks: Blockstore };
  store: MailStore;
  /** Our age identity, AGE-SECRET-KEY-1... */
  identity: string;
  onError?: (error: unknown) => void;
}

export interface NewLetter {
  /** Peer ids or names of contacts. */
  to: readonly string[];
  subject?: string;
  text?: string;
  /** As `attach` made them. */
  attachments?: readonly Attachment[];
  /** The beginning of the id of the letter that this one answers. */
  replyTo?: string;
  signal?: AbortSignal;
}

/** A letter that is here, opened. */
export interface OpenedLetter extends LetterRow {
  letter: Letter;
  deliveries: Delivery[];
}

export interface Synced {
  received: number;
  /** Mailboxes that could not be asked. */
  errors: { provider: string; error: Error }[];
}

/**
 * Mail between peers, end to end: encrypted to each recipient's age key, signed by its author's, left at the recipient's
 * mailboxes. Letters are kept here, in the clear; everybody else has only ciphertext.
 */
export class Mail {
  readonly #init: MailInit;
  readonly #client: MailboxClient;
  readonly #deliveries: Deliveries;
  readonly #mailboxes: OwnMailboxes;
  readonly #endpoints: ServiceEndpoints;
  readonly #listeners = new Set<(letter: LetterRow) => void>();
  readonly #stop = new AbortController();
  #inbox: Inbox | undefined;
  #following: Promise<void> = Promise.resolve();

  constructor(init: MailInit) {
    this.#init = init;
    this.#client = new MailboxClient(init.node);
    this.#deliveries = new Deliveries(this.#client, init.store, this.#stop.signal);
    const { store, identity, node } = init;
    this.#endpoints = new ServiceEndpoints(node);
    this.#mailboxes = new OwnMailboxes({ client: this.#client, store, identity, key: node.privateKey });
  }

  /** Our peer id: what others write to. */
  get address(): string {
    return this.#init.node.libp2p.peerId.toString();
  }

  get store(): MailStore {
    return this.#init.store;
  }

  /** Opens mailboxes at these providers, and publishes that they are ours and what to encrypt to. */
  async openAt(
    endpoints: readonly Endpoint[],
    settings: MailSettings = this.store.settings(),
    signal?: AbortSignal,
  ): Promise<{ peer: string; error?: Error }[]> {
    const opened = await this.#mailboxes.openAt(endpoints, settings, signal);
    if (this.#inbox !== undefined) await this.follow();
    return opened;
  }

  /** Closes our mailboxes at these providers, after what waits there was taken. @throws MailError NO_MAILBOX */
  async closeAt(peers: readonly string[], signal?: AbortSignal): Promise<ClosedMailbox[]> {
    const isFollowing = this.#inbox !== undefined;
    await this.#inbox?.stop();
    this.#inbox = undefined;
    try {
      return await this.#mailboxes.closeAt(peers, (endpoints) => this.#newInbox(endpoints).takeAll(signal), signal);
    } finally {
      if (isFollowing) await this.follow();
    }
  }

  /** Encrypts a file, for a letter to name it. @throws MailError ATTACHMENT_INVALID */
  async attach(file: NewAttachment): Promise<Attachment> {
    return storeAttachment(file, this.#init.node.blocks);
  }

  /**
   * Signs a letter, keeps it, and sends it to everybody. Whoever could not be reached is tried again by `sync`.
   * @throws MailError, DocumentError before anything was sent
   */
  async send({ to, subject = '', text = '', attachments = [], replyTo, signal }: NewLetter): Promise<OpenedLetter> {
    const { node, store } = this.#init;
    const answered = replyTo === undefined ? undefined : store.find(replyTo);
    const peers = [...new Set(to.map((who) => this.peerOf(who)))];
    if (peers.length === 0 || peers.length > RECIPIENTS_MAX) {
      throw new MailError('TOO_MANY_RECIPIENTS', `A letter is to one to ${RECIPIENTS_MAX} peers, not ${peers.length}.`);
    }
    const id = randomBytes(LETTER_ID_BYTES);
    const letter: Letter = {
      id,
      thread: answered?.thread ?? id,
      ...(answered === undefined ? {} : { replyTo: answered.id }),
      to: peers,
      timeMs: Date.now(),
      subject: subject === '' && answered !== undefined ? replySubject(answered.subject) : subject,
      text,
      attachments: [...attachments],
    };
    const document = await signLetter(letter, node.privateKey);
    store.add('out', this.address, letter, document, Date.now());
    await this.#deliveries.deliver(letter, document, signal);
    return this.read(Buffer.from(id).toString('hex'));
  }

  /** Sends what is still to be sent, and takes what waits in our mailboxes. */
  async sync(signal?: AbortSignal): Promise<Synced> {
    const { store, onError } = this.#init;
    await this.#mailboxes.openUnclosed(signal).catch((error: unknown) => onError?.(error));
    for (const id of store.undelivered()) {
      const document = store.sent(id);
      if (document === undefined) continue;
      // Where several letters wait for one recipient, they go in their order.
      await this.#deliveries.deliver((await openLetter(document)).letter, document, signal);
    }
    const before = this.#received;
    const errors = await (this.#inbox ?? this.#newInbox()).takeAll(signal);
    return { received: this.#received - before, errors };
  }

  /** Stays connected to our mailboxes and takes letters as they come, until `close`. */
  async follow(): Promise<void> {
    const following = this.#following.then(async () => {
      await this.#inbox?.stop();
      this.#inbox = this.#newInbox();
      await this.#inbox.start();
    });
    this.#following = following.catch(() => {});
    await following;
  }

  #newInbox(endpoints: readonly Endpoint[] = this.store.endpoints()): Inbox {
    const { onError } = this.#init;
    return new Inbox({
      client: this.#client,
      endpoints,
      receive: this.#receive,
      ...(onError === undefined ? {} : { onError }),
    });
  }

  /** The answer ends it. */
  onLetter(listener: (letter: LetterRow) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @param hex the beginning of its id; @throws MailError LETTER_UNKNOWN */
  async read(hex: string): Promise<OpenedLetter> {
    const { store } = this.#init;
    const { document, ...row } = store.find(hex);
    store.markRead(row);
    const { letter } = await openKept(document);
    return { ...row, letter, deliveries: row.box === 'out' ? store.deliveries(row.id) : [] };
  }

  /** @throws MailError ATTACHMENT_INVALID, why its blocks cannot be had */
  async attachment({ letter }: OpenedLetter, index: number, signal: AbortSignal): Promise<Uint8Array> {
    const attachment = letter.attachments[index];
    if (attachment === undefined) throw new MailError('ATTACHMENT_INVALID', `This letter has no attachment ${index}.`);
    await this.#deliveries.connect(signal);
    return loadAttachment(attachment, this.#getBlock, signal);
  }

  /** The peer id behind a contact's name, or a peer id as it is. @throws MailError CONTACT_UNKNOWN */
  peerOf(nameOrPeer: string): string {
    return peerOf(this.store, nameOrPeer);
  }

  /** @throws MailError CONTACT_INVALID, CONTACT_EXISTS */
  addContact(name: string, peer: string): Contact {
    return addContact(this.store, name, peer);
  }

  /** What its owner told us on another way has to be the peer id that we have. @throws MailError KEY_MISMATCH */
  verifyContact(name: string, told: string): Contact {
    return verifyContact(this.store, name, told);
  }

  /** Its letters are dropped here, and refused by our mailboxes as soon as they know. */
  async setBlocked(nameOrPeer: string, isBlocked: boolean): Promise<string> {
    const peer = this.peerOf(nameOrPeer);
    this.store.setBlocked(peer, isBlocked);
    await this.#mailboxes.openAgain().catch((error: unknown) => this.#init.onError?.(error));
    return peer;
  }

  async close(): Promise<void> {
    this.#stop.abort(new Error('The mail is closed'));
    await this.#inbox?.stop();
    await this.#client.close();
    this.store.close();
  }

  readonly #getBlock: GetBlock = (cid, options) => this.#init.node.bitswap.get(cid, options);

  #received = 0;

  /** Anything may come out of a mailbox. What is no letter to us is let go of, since it will never be one. */
  readonly #receive = async (message: Message): Promise<void> => {
    const { identity, store, onError } = this.#init;
    if (store.isBlocked(message.from)) return;
    if (isServiceMessage(message.body)) return this.#receiveOfService(message);
    let document: Uint8Array;
    let letter: Letter;
    try {
      document = unpad(await decryptWith(identity, message.body));
      const opened = await openLetter(document);
      letter = opened.letter;
      // Whoever passes on what somebody else wrote to us, or what was written to others, wants us to mistake it.
      if (opened.author !== message.from) throw invalid(`${opened.author} wrote it, and ${message.from} sent it`);
      if (!letter.to.includes(this.address)) throw invalid('it is not to us');
    } catch (error) {
      onError?.(error);
      return;
    }
    this.#keep(message.from, letter, document);
  };

  /** What a provider left for us in a service's name; in its own name when the service's maintainer does not name it. */
  async #receiveOfService({ from, body }: Message): Promise<void> {
    let opened: Awaited<ReturnType<typeof openKept>>;
    try {
      opened = await openKept(body);
      if (!opened.letter.to.includes(this.address)) throw invalid('it is not to us');
    } catch (error) {
      this.#init.onError?.(error);
      return;
    }
    const { letter, author } = opened;
    if (await this.#endpoints.has(author, peerIdFromString(from))) this.#keep(author, letter, body);
    else this.#keep(from, { ...letter, subject: `Message that says it is of ${author}` }, body);
  }

  #keep(author: string, letter: Letter, document: Uint8Array): void {
    const { store } = this.#init;
    if (!store.add('in', author, letter, document, Date.now())) return;
    this.#received++;
    const row = store.find(Buffer.from(letter.id).toString('hex'));
    for (const listener of this.#listeners) listener(row);
  }
}

function replySubject(subject: string): string {
  return /^re:/i.test(subject) ? subject : `Re: ${subject}`;
}

function invalid(reason: string): MailError {
  return new MailError('LETTER_INVALID', `A letter was not kept: ${reason}`);
}
